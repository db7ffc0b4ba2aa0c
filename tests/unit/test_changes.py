"""What changed between two versions: nothing is lost, numbers come first, every script has words."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_publisher.articles.changes import changes
from newswire_publisher.articles.words import NumberChange, Part, diff, number_changes, tokens_of
from newswire_schemas.article import Article, Concept, Media

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def article(**fields: Any) -> Article:
    return Article(**{"uri": "urn:test:1", "version": 1, "version_created": NOW, "first_created": NOW} | fields)


def marked(before: str, after: str) -> str:
    """Write a diff as one string: [-gone-]{+come+}."""
    sign = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
    return "".join(sign[part.op].format(part.text) for part in diff(before, after))


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (
            "Bridge to reopen on Saturday, city says",
            "Bridge to reopen on Sunday, city says",
            "Bridge to reopen on [-Saturday-]{+Sunday+}, city says",
        ),
        ("It cost 1,250.5 million.", "It cost 1,350.5 million.", "It cost [-1,250.5-]{+1,350.5+} million."),
        ("六百名选手参加", "六百五十名选手参加", "六百{+五十+}名选手参加"),
        ("قتل ٢٥ شخصا في الحادث", "قتل ٢٧ شخصا في الحادث", "قتل [-٢٥-]{+٢٧+} شخصا في الحادث"),
        ("हिन्दी में समाचार", "हिन्दी में खबर", "हिन्दी में [-समाचार-]{+खबर+}"),
        ("a family 👨‍👩‍👧 here", "a family 👨‍👩‍👧‍👦 here", "a family [-👨‍👩‍👧-]{+👨‍👩‍👧‍👦+} here"),
        ("one two three four", "one 2 3 four", "one [-two three-]{+2 3+} four"),
        ("First.\n\nSecond.", "First.\n\nNew.\n\nSecond.", "First.\n\n{+New.\n\n+}Second."),
        ("same", "same", "same"),
        ("", "new", "{+new+}"),
    ],
)
def test_a_diff_is_of_whole_words_in_every_script(before: str, after: str, shown: str) -> None:
    assert marked(before, after) == shown


@given(st.text(alphabet="ab 1,\n家ا", max_size=60), st.text(alphabet="ab 1,\n家ا", max_size=60))
def test_a_diff_loses_nothing_of_either_text(before: str, after: str) -> None:
    parts = diff(before, after)
    assert "".join(part.text for part in parts if part.op != "insert") == before
    assert "".join(part.text for part in parts if part.op != "delete") == after
    assert all(part.text for part in parts)


@given(st.text(max_size=200))
def test_tokens_are_the_text_cut_up(text: str) -> None:
    assert "".join(tokens_of(text)) == text


def test_numbers_that_only_moved_are_no_change() -> None:
    parts = (Part("delete", "the 12 men"), Part("insert", "all 12 of them, and 3"))
    assert number_changes(parts) == (NumberChange(None, "3"),)


def test_numbers_are_told_in_the_order_of_the_text() -> None:
    parts = diff("At least 600 came, 12 of them by boat.", "At least 650 came, 14 of them by boat.")
    assert number_changes(parts) == (NumberChange("600", "650"), NumberChange("12", "14"))


def test_changes_name_the_fields_and_the_numbers_first() -> None:
    before = article(headline="Six hurt", body_text="Police said 6 were hurt.", byline="A. Writer", urgency=3)
    after = article(
        headline="Seven hurt", body_text="Police said 7 were hurt.", byline="B. Writer", urgency=3, version=2
    )
    found = changes(before, after)
    assert found.numbers == (("body", NumberChange("6", "7")),)
    assert [text.field for text in found.texts] == ["headline", "body"]
    shown = found.to_json()
    assert list(shown) == ["numbers", "texts", "fields", "markup"]
    assert shown["numbers"] == [{"field": "body", "before": "6", "after": "7"}]
    assert shown["fields"] == [{"field": "byline", "before": ["A. Writer"], "after": ["B. Writer"]}]


def test_of_lists_only_what_went_and_came_is_told() -> None:
    one, two, three = (Concept(name=name) for name in ("one", "two", "three"))
    pictures = (Media(headline="Bridge", credit="Photo: C."),)
    found = changes(article(places=(one, two)), article(places=(two, three), associations=pictures))
    assert [(value.field, value.before, value.after) for value in found.values] == [
        ("places", ("one",), ("three",)),
        ("associations", (), ("Bridge · Photo: C.",)),
    ]


def test_a_body_that_reads_the_same_changed_its_markup_only() -> None:
    found = changes(article(body_html="<p>One.</p><p>Two.</p>"), article(body_html="<div>One.</div><h2>Two.</h2>"))
    assert found
    assert (found.texts, found.markup) == ((), True)


def test_equal_versions_have_no_changes() -> None:
    assert not changes(article(headline="A", extras={"a": 1}), article(headline="A", version=2))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("word " * 100_000, "other " * 100_000),
        (" ".join(str(n % 60) for n in range(2_000)), " ".join(str(n * 7 % 60) for n in range(2_000))),
        ("\n".join(str(n % 40) for n in range(4_000)), "\n".join(str(n * 7 % 40) for n in range(4_000))),
        ("\n" * 100_000, "\n" * 90_000),
    ],
)
def test_hostile_texts_take_no_more_than_seconds(before: str, after: str) -> None:
    began = time.process_time()
    diff(before, after)
    assert time.process_time() - began < 5
