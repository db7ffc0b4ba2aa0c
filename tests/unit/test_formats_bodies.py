"""Sanitising, and making the two bodies agree."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newswire_ingest.formats.bodies import MAX_HTML, complete, sanitise, to_html, to_text
from newswire_ingest.formats.errors import MalformedInput
from newswire_schemas.article import Draft


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<p>a<script>alert(1)</script>b</p>", "<p>ab</p>"),
        ('<p onclick="x()">a</p>', "<p>a</p>"),
        ('<a href="javascript:x()">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<img src="data:image/png;base64,AA" alt="a">', '<img alt="a">'),
        ('<img src="/v1/logout">', "<img>"),
        ('<a href="//evil.example">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ("<iframe src=https://x.example></iframe><p>a</p>", "<p>a</p>"),
        ('<p style="position:fixed">a</p><style>p{}</style>', "<p>a</p>"),
        ('<b class="x" onclick=y>a</b>', "<b>a</b>"),
        ("<p>a<!-- comment --></p>", "<p>a</p>"),
        ("<svg><script>x</script></svg>a", "a"),
        ('<p lang="be">a</p>', '<p lang="be">a</p>'),
        ("a < b", "a &lt; b"),
    ],
)
def test_only_what_a_news_text_needs_stays(hostile: str, harmless: str) -> None:
    assert sanitise(hostile) == harmless


def test_text_becomes_escaped_paragraphs() -> None:
    assert to_html("a <b>\nc\n\nd & e") == "<p>a &lt;b&gt;<br>c</p>\n<p>d &amp; e</p>"


def test_html_becomes_paragraphs_of_text() -> None:
    html = '<h2>Head</h2><p>One &amp; <b>two</b><br>three</p><ul><li>a</li><li>b</li></ul><a title="x>y">z</a>'
    assert to_text(sanitise(html)) == "Head\n\nOne & two\nthree\n\na\nb\n\nz"


def test_a_missing_body_is_made_from_the_other() -> None:
    assert complete(Draft(body_html="<p>A</p><p>B</p>")).body_text == "A\n\nB"
    assert complete(Draft(body_text="A\n\nB")).body_html == "<p>A</p>\n<p>B</p>"
    both = complete(Draft(body_html="<p>A</p>", body_text="another"))
    assert (both.body_html, both.body_text) == ("<p>A</p>", "another")


def test_removing_something_unsafe_leaves_a_warning() -> None:
    assert [w.code for w in complete(Draft(body_html="<p>a</p><script>b</script>")).warnings] == ["html-cleaned"]
    assert not complete(Draft(body_html="<p>a</p>")).warnings


BOMBS = {
    "paragraphs reopen formatting": "<p>" + "".join(f"<b a{n}=1>" for n in range(4_000)) + "<p>x" * 4_000,
    "every formatting element": "<p>" + "<b><i><u><em><strong><s><small><code>" * 3 + "<p>x" * 9_000,
    "obsolete formatting": "<p>" + "".join(f"<font a{n}=1>" for n in range(4_000)) + "<p>x" * 4_000,
    "attributes without end": "<p " + " ".join(f"{n:x}" for n in range(40_000)) + ">",
    "deep nesting": "<div>" * 9_900,
    "tables in tables": "<table><td>" * 4_900,
    "links in links": "<a href=x>" * 9_900,
    "open quotes": '<b x="' * 9_900,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_html_that_blows_up_is_bounded(bomb: str) -> None:
    began = time.process_time()
    try:
        clean = complete(Draft(body_html=bomb)).body_html or ""
    except MalformedInput:
        clean = ""
    assert time.process_time() - began < 2.0  # measured: at most 0.5
    assert len(clean) < 2_000_000


def test_more_html_than_a_story_has_is_refused() -> None:
    for source in ("<p>" + "a" * MAX_HTML, "<br>" * 10_001):
        with pytest.raises(MalformedInput):
            sanitise(source)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="<>/=\"' abpscriptonerror&;!-", max_size=80))
def test_sanitising_twice_changes_nothing_more(source: str) -> None:
    once = sanitise(source)
    assert "<script" not in once
    assert sanitise(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=100))
def test_text_survives_the_way_through_html(text: str) -> None:
    draft = complete(Draft(body_text=text))
    if draft.body_html:
        assert "".join(to_text(draft.body_html).split()) == "".join((draft.body_text or "").split())
