"""The text of a post, and what an account refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from newswire_publisher.articles.links import link_of
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.platforms import PLATFORMS, Platform
from newswire_publisher.social.render import (
    TemplateError,
    correction_text,
    cost_of,
    parse_template,
    post_text,
    with_utm,
    withdrawal_text,
)
from newswire_schemas.article import Article, Link

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = "https://news.example/v1/articles/abc"


def article(**fields: Any) -> Article:
    base = {"uri": "urn:a", "version": 1, "version_created": MOMENT, "first_created": MOMENT, "headline": "Rain"}
    return Article(**(base | fields))


def test_a_short_headline_stands_above_its_link() -> None:
    assert post_text(article(), LINK, PLATFORMS["bluesky"]) == f"Rain\n\n{LINK}"


def test_a_field_without_a_value_leaves_no_gap() -> None:
    text = post_text(article(), LINK, PLATFORMS["generic"], "{headline}\n\n{summary}\n\n{link}")
    assert text == f"Rain\n\n{LINK}"


def test_braces_in_a_headline_are_not_a_template() -> None:
    assert post_text(article(headline="{link} {0}"), LINK, PLATFORMS["generic"], "{headline}") == "{link} {0}"


def test_the_summary_gives_way_before_the_headline() -> None:
    story = article(headline="Rain over the harbour", summary="word " * 200)
    text = post_text(story, LINK, PLATFORMS["bluesky"], "{headline}: {summary} {link}")
    assert text.startswith("Rain over the harbour: word word")
    assert text.endswith(f"word… {LINK}")
    assert 290 <= len(text) <= 300


def test_a_cut_falls_between_words() -> None:
    text = post_text(article(headline="abcdefghi " * 60), LINK, PLATFORMS["bluesky"])
    assert text.partition("…")[0].endswith("abcdefghi")


def test_an_emoji_of_many_code_points_is_one_character_and_is_never_split() -> None:
    family = "👩‍👩‍👧‍👦"
    text = post_text(article(summary=family * 400), LINK, PLATFORMS["bluesky"], "{summary}")
    assert regex.findall(r"\X", text) == [family] * 299 + ["…"]


def test_mastodon_counts_any_link_as_23() -> None:
    long_link = f"https://news.example/{'x' * 600}"
    text = post_text(article(headline="a" * 475), long_link, PLATFORMS["mastodon"])
    assert text == f"{'a' * 475}\n\n{long_link}"


def test_a_link_that_cannot_fit_is_left_out_and_not_cut() -> None:
    assert post_text(article(), f"https://news.example/{'x' * 600}", PLATFORMS["bluesky"]) == "Rain"


def test_x_counts_chinese_double() -> None:
    assert post_text(article(headline="雨" * 200), LINK, PLATFORMS["x"], "{headline}") == "雨" * 139 + "…"


def test_words_of_the_template_that_are_too_long_give_way_to_the_link() -> None:
    text = post_text(article(), LINK, PLATFORMS["bluesky"], "read " * 100 + "{headline} {link}")
    assert text.endswith(f"…\n\n{LINK}")
    assert cost_of(text, PLATFORMS["bluesky"]) <= 300


@given(
    headline=st.text(max_size=700),
    summary=st.text(max_size=700),
    template=st.sampled_from(["{headline}\n{link}", "{link} {summary} {headline} {summary}", "so: {headline}"]),
    platform=st.sampled_from(list(PLATFORMS)),
)
def test_no_text_is_longer_than_its_platform_takes_and_every_link_is_whole(
    headline: str, summary: str, template: str, platform: Any
) -> None:
    limits: Platform = PLATFORMS[platform]
    story = article(headline=headline[:2000].strip() or "x", summary=summary)
    text = post_text(story, LINK, limits, template)
    assert ("{link}" in template) == (LINK in text)
    without = text.replace(LINK, "", 1) if "{link}" in template else text
    assert cost_of(without, limits) + (limits.link or len(LINK)) * (without != text) <= limits.limit


@pytest.mark.parametrize("template", ["{title}", "{headline.__class__}", "{headline!r}", "{headline:>9}", "{", "{}"])
def test_a_template_with_anything_else_than_the_known_fields_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match="template"):
        parse_template(template)


def test_a_template_without_a_field_is_refused() -> None:
    with pytest.raises(TemplateError, match="names no field"):
        parse_template("News!")


def test_utm_is_added_to_what_the_link_has() -> None:
    link = with_utm("https://e.example/a?x=1#top", {"source": "bsky", "campaign": "a b&c"})
    assert link == "https://e.example/a?x=1&utm_campaign=a%20b%26c&utm_source=bsky#top"


def test_a_correction_says_what_the_desk_said_in_the_articles_language() -> None:
    text = correction_text(article(language="de-AT", ed_note="Ort berichtigt"), LINK, PLATFORMS["generic"])
    assert text == f"Korrektur: Ort berichtigt\n\n{LINK}"


def test_the_notice_after_a_kill_repeats_nothing_of_the_story() -> None:
    assert withdrawal_text(article(), PLATFORMS["x"]) == "This story has been withdrawn."


def test_a_link_is_the_publishers_own_page_if_there_is_one() -> None:
    links = (Link(href="https://e.example/alt", rel="alternate"), Link(href="https://e.example/c", rel="canonical"))
    assert link_of(article(links=links), "https://n.example") == "https://e.example/c"


def test_a_link_that_is_not_of_the_web_is_not_followed() -> None:
    story = article(links=(Link(href="javascript:alert(1)", rel="canonical"),))
    assert link_of(story, "https://n.example") == f"https://n.example/articles/{story.key}"


def test_secrets_are_shown_to_the_table_alone() -> None:
    account = Account.model_validate({"platform": "x", "mode": "manual", "credentials": {"token": "s3cret"}})
    assert "s3cret" not in account.model_dump_json() + repr(account)
    stored = account.model_dump_json(context={"reveal": True})
    assert Account.model_validate_json(stored).credentials["token"].get_secret_value() == "s3cret"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mode": "auto"}, "not available yet"),
        ({"mode": "approve"}, "not available yet"),
        ({"pace": {"per_hour": 3}}, "does nothing yet"),
        ({"quiet": "22-6"}, "does nothing yet"),
        ({"ttl": 60}, "does nothing yet"),
        ({"templat": "x"}, "Extra inputs"),
        ({"template": "{nope}"}, "not a field"),
        ({"base_url": "https://u:p@e.example"}, "without credentials"),
        ({"base_url": "https://["}, "base_url"),
        ({"credentials": {"token": "**********"}}, "mask"),
        ({"platform": "myspace"}, "platform"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_the_reason(fields: dict[str, Any], message: str) -> None:
    body = {"platform": "generic", "mode": "manual"} | fields
    with pytest.raises(ValidationError, match=message):
        Account.model_validate_json(json.dumps(body))
