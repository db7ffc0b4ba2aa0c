"""What a feed reader (feedparser) gets out of our RSS is what the articles say."""

import html
import os
import subprocess
import sys
from calendar import timegm
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from newswire_publisher.feeds.formats.page import Channel, Page
from newswire_publisher.feeds.formats.rss import Rss
from newswire_publisher.feeds.formats.xml import EntryError
from newswire_schemas.article import Article, Concept, Link, Media, Rendition, key_of

BASE = "https://news.example"
NOON = datetime(2025, 2, 7, 12, 39, 0, 250_000, tzinfo=UTC)
CHANNEL = Channel(
    name="all", title="Alle & jede", base_url=BASE, description='Alles, was "zählt" & mehr', language="de"
)


def story(**fields: Any) -> Article:
    given_ = {
        "uri": "urn:newsml:belta.example:2025-02-07:1",
        "version": 1,
        "version_created": NOON,
        "first_created": NOON,
        "headline": "Lukaschenko und Putin",
        "summary": "Zwei & mehr <Themen>.",
        "body_html": "<p>Erster Absatz.</p><p>Zweiter &amp; letzter.</p>",
    }
    return Article.model_validate(given_ | fields)


RSS = Rss()


def render_entry(article: Article, base_url: str) -> bytes:
    return RSS.entry(article, article.version_created, base_url)


def feed_of(*articles: Article, channel: Channel = CHANNEL, updated: datetime | None = NOON) -> bytes:
    return framed([render_entry(article, BASE) for article in articles], channel, updated)


def framed(entries: list[bytes], channel: Channel = CHANNEL, updated: datetime | None = NOON) -> bytes:
    frame = RSS.frame(Page(channel, updated, self_url=f"{channel.base_url}/feeds/{channel.name}.rss"))
    return frame.head + b"\n".join(entries) + frame.tail


def read(document: bytes) -> Any:
    found = feedparser.parse(document, sanitize_html=False)
    assert not found.bozo, found.bozo_exception
    return found


def read_one(article: Article) -> Any:
    (entry,) = read(feed_of(article)).entries
    return entry


def element(article: Article) -> Any:
    """Return the item as XML, for what feedparser does not show."""
    return etree.fromstring(feed_of(article)).find("channel/item")


def test_identity_link_times_language_and_author_come_back() -> None:
    published = NOON - timedelta(days=1)
    article = story(published=published, language="de-AT", byline="Анна Müller", source="BelTA", version=3)
    entry = read_one(article)
    assert entry.id == article.uri
    assert not entry.guidislink
    assert entry.link == f"{BASE}/articles/{key_of(article.uri)}"
    assert timegm(entry.published_parsed) == int(published.timestamp())
    assert timegm(entry.updated_parsed) == int(NOON.timestamp())
    assert entry.language == "de-AT"
    assert entry.author == "Анна Müller"
    assert element(article).findtext("{http://purl.org/dc/elements/1.1/}source") == "BelTA"
    assert element(article).findtext("{http://www.w3.org/2005/Atom}updated") == "2025-02-07T12:39:00.250Z"


def test_an_article_that_was_never_published_bears_the_time_of_its_version() -> None:
    assert timegm(read_one(story()).published_parsed) == int(NOON.timestamp())


def test_the_guid_outlives_corrections_and_a_change_of_host() -> None:
    first = render_entry(story(), BASE)
    second = render_entry(story(version=2, headline="Anders"), "https://other.example")
    guids = [etree.fromstring(framed([each])).findtext(".//guid") for each in (first, second)]
    assert guids[0] == guids[1] == story().uri


def test_summary_and_body_come_back_as_html() -> None:
    entry = read_one(story())
    assert entry.summary == html.escape("Zwei & mehr <Themen>.", quote=False)
    assert entry.content[0].value == "<p>Erster Absatz.</p><p>Zweiter &amp; letzter.</p>"


def test_a_plain_body_becomes_paragraphs_and_stands_in_for_a_missing_summary() -> None:
    entry = read_one(story(summary=None, body_html=None, body_text="Eins < zwei.\n\n \nDrei\nvier."))
    assert entry.content[0].value == "<p>Eins &lt; zwei.</p><p>Drei\nvier.</p>"
    assert entry.summary == "Eins &lt; zwei. Drei vier."


def test_a_body_without_any_summary_is_still_the_content_and_its_beginning_the_description() -> None:
    item = element(story(summary=None))
    assert item.findtext("description").startswith("Erster")
    assert item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded").startswith("<p>Erster")


@pytest.mark.parametrize(
    "title",
    [
        "Ende ]]> oder <![CDATA[ nicht",
        "R&D: 3 < 5 > 2",
        "&amp;lt; und &amp;",
        "👩‍👩‍👧‍👦 🏳️‍🌈 🇧🇾 e\u0301",
        "مباحثات في موسكو",
        "习近平在北京会见外宾",
        "Ўладзімір — «Мір»",
        "\"Quotes\" and 'apostrophes'",
        "Bonjour\u00a0! «\u00a0Oui\u00a0»",
    ],
)
def test_any_title_comes_back_as_it_was(title: str) -> None:
    assert element(story(headline=title)).findtext("title") == title
    assert read_one(story(headline=title)).title == title


def test_markup_in_a_title_is_text_and_a_line_break_is_a_space() -> None:
    title = "&lt; <b>kein Fett</b> &#65;"
    assert element(story(headline=title)).findtext("title") == title
    assert element(story(headline="eins\nzwei\u2028drei")).findtext("title") == "eins zwei drei"


@pytest.mark.parametrize("bad", ["\0", "\ufffe", "\x1b", "\ud800", "\uffff"])
def test_characters_that_xml_cannot_carry_cost_only_themselves(bad: str) -> None:
    unchecked = story().model_copy(
        update={
            "headline": f"vor{bad}nach",
            "summary": bad,
            "body_html": f"<p>vor{bad}nach</p>",
            "byline": bad,
            "links": (Link.model_construct(href=f"https://x.example/{bad}", rel=bad, title=bad, media_type=None),),
            "keywords": (bad, f"a{bad}"),
        }
    )
    before, entry, after = read(feed_of(story(uri="urn:a:1"), unchecked, story(uri="urn:a:2"))).entries
    assert entry.title == "vornach"
    assert entry.content[0].value == "<p>vornach</p>"
    assert (before.id, after.id) == ("urn:a:1", "urn:a:2")


def test_character_references_in_the_body_cannot_smuggle_in_what_xml_forbids() -> None:
    entry = read_one(story(body_html="<p>a&#xFFFE;b&#1;c]]>d</p>"))
    assert entry.content[0].value == "<p>abc]]&gt;d</p>"


def test_a_cdata_end_in_the_body_does_not_end_the_content() -> None:
    body = '<p title="]]>">x</p><p><img src="https://x.example/]]>.png" alt="]]>"></p>'
    item = element(story(body_html=body))
    content = item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded")
    assert content.count("]]&gt;") == 3
    assert len(item.findall("guid")) == 1


def test_scripts_handlers_and_unsafe_addresses_never_reach_a_reader() -> None:
    hostile = (
        '<p onclick="steal()">a</p><script>steal()</script><a href="javascript:steal()">b</a>'
        '<img src="data:text/html,x" onerror="steal()"><iframe src="https://x.example"></iframe><style>p{}</style>'
    )
    document = feed_of(story(body_html=hostile, links=(Link(href="javascript:steal()"),))).lower()
    for trace in (b"steal", b"javascript", b"<script", b"onclick", b"onerror", b"iframe", b"data:", b"<style"):
        assert trace not in document


@pytest.mark.parametrize("element_", ["<div>", "<b><i><p>", "<dt><li>"])
def test_a_body_of_endless_elements_is_shown_as_its_text(element_: str) -> None:
    """Sanitising this as HTML would take minutes, and one entry would hold up every feed."""
    entry = read_one(story(body_html="<p>Vorher &amp; </p>" + element_ * 200_000 + "Tief<script>unten"))
    assert entry.content[0].value.startswith("<p>Vorher &amp;")
    assert "Tief" in entry.content[0].value
    assert "<script" not in entry.content[0].value
    assert len(entry.content[0].value) < 1_000


def test_a_correction_says_what_changed_and_a_first_version_keeps_its_note_to_editors() -> None:
    note = "CORRECTS <name> in paragraph 2"
    corrected = read_one(story(version=2, ed_note=note))
    assert corrected.content[0].value.startswith("<p><em>CORRECTS &lt;name&gt; in paragraph 2</em></p><p>Erster")
    assert corrected.summary.startswith("<p><em>CORRECTS")
    assert "CORRECTS" not in str(read_one(story(ed_note=note)))


def test_subjects_section_genres_and_keywords_are_categories_in_their_schemes() -> None:
    article = story(
        section="Politik",
        subjects=(
            Concept(qcode="medtop:11000000", name="politics"),
            Concept(qcode="medtop:16000000"),
            Concept(qcode="medtop:11000000", name="politics"),
            Concept(qcode="house:7", name="Nähe & Ferne"),
        ),
        genres=(Concept(name="Analyse"),),
        keywords=("Minsk",),
    )
    medtop = "http://cv.iptc.org/newscodes/mediatopic/"
    assert [(tag.term, tag.scheme) for tag in read_one(article).tags] == [
        ("Politik", "section"),
        ("politics", medtop),
        ("16000000", medtop),
        ("Nähe & Ferne", "house"),
        ("Analyse", "genre"),
        ("Minsk", None),
    ]


def test_every_link_keeps_its_rel_and_type_and_none_replaces_the_page() -> None:
    article = story(
        links=(
            Link(href="https://x.example/a.pdf", rel="via", title="Papier", media_type="application/pdf"),
            Link(href="https://x.example/b", rel="alternate"),
            Link(href="/relative"),
        ),
        evolved_from="urn:older:1",
    )
    item = element(article)
    assert item.findtext("link") == f"{BASE}/articles/{article.key}"
    assert [dict(link.attrib) for link in item.findall("{http://www.w3.org/2005/Atom}link")] == [
        {"rel": "related", "href": f"{BASE}/articles/{key_of('urn:older:1')}"},
        {"rel": "via", "href": "https://x.example/a.pdf", "type": "application/pdf", "title": "Papier"},
        {"rel": "alternate", "href": "https://x.example/b"},
    ]


def test_media_are_enclosed_and_described_outside_of_any_group() -> None:
    article = story(
        associations=(
            Media(
                headline="Der Saal",
                credit="Foto: BelTA",
                renditions=(
                    Rendition(href="https://x.example/1.jpg", media_type="image/jpeg", width=800, height=600, size=123),
                    Rendition(href="file:///etc/passwd"),
                ),
            ),
            Media(type="video", renditions=(Rendition(href="https://x.example/2.mp4"),)),
        )
    )
    entry = read_one(article)
    assert [(e.href, e.length, e.type) for e in entry.enclosures] == [("https://x.example/1.jpg", "123", "image/jpeg")]
    assert [(m["url"], m.get("medium")) for m in entry.media_content] == [
        ("https://x.example/1.jpg", "image"),
        ("https://x.example/2.mp4", "video"),
    ]
    assert element(article).find("{http://search.yahoo.com/mrss/}group") is None


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"headline": None, "slugline": "BELARUS-TALKS"}, "BELARUS-TALKS"),
        ({"headline": None, "body_text": "Erster Satz."}, "Erster Satz."),
        ({"headline": "", "summary": None, "body_html": None}, "urn:newsml:belta.example:2025-02-07:1"),
    ],
)
def test_an_article_without_a_headline_is_still_called_something(fields: dict[str, Any], title: str) -> None:
    assert read_one(story(**fields)).title == title


def test_the_channel_says_what_the_feed_is_and_when_it_last_changed() -> None:
    found = read(feed_of(updated=NOON)).feed
    assert (found.title, found.subtitle) == (CHANNEL.title, CHANNEL.description)
    assert (found.language, found.generator) == ("de", "newswire")
    assert found.link == f"{BASE}/"
    assert ("self", f"{BASE}/feeds/all.rss") in [(link.rel, link.href) for link in found.links]
    assert found.updated == "Fri, 07 Feb 2025 12:39:00 GMT"
    assert found.ttl == "1"


def test_a_feed_that_never_held_anything_is_a_feed_without_a_date() -> None:
    found = read(feed_of(updated=None))
    assert found.entries == []
    assert "updated" not in found.feed


def test_namespaces_are_declared_on_the_root_alone() -> None:
    fragment = render_entry(story(byline="x", links=(Link(href="https://x.example"),)), BASE)
    assert fragment.startswith(b"<item>")
    assert fragment.endswith(b"</item>")
    assert b"xmlns" not in fragment
    assert feed_of(story(), story(uri="urn:a:2")).count(b"xmlns:") == 6


def test_what_cannot_be_written_is_an_error_that_names_the_article() -> None:
    broken = story().model_copy(update={"published": "no date"})
    with pytest.raises(EntryError, match="urn:newsml"):
        render_entry(broken, BASE)


ELSEWHERE = """
import locale, sys, time
from newswire_publisher.feeds.formats.page import Channel, Page
from newswire_publisher.feeds.formats.rss import Rss
from newswire_schemas.article import Article
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
article = Article.model_validate_json(sys.stdin.buffer.read())
channel = Channel(name="all", title="T", base_url="https://news.example")
frame = Rss().frame(Page(channel, article.version_created, self_url="https://news.example/feeds/all.rss"))
entry = Rss().entry(article, article.version_created, "https://news.example")
sys.stdout.buffer.write(frame.head + entry + frame.tail)
"""


@pytest.mark.parametrize(
    "setting",
    [
        {"TZ": "Asia/Shanghai", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
        {"TZ": "UTC", "LC_ALL": "ar_SA.UTF-8", "PYTHONHASHSEED": "3"},
    ],
)
def test_the_bytes_are_the_same_in_any_process_locale_and_time_zone(setting: dict[str, str]) -> None:
    moscow = NOON.astimezone(timezone(timedelta(hours=3)))
    article = story(
        published=moscow,
        keywords=tuple("zyxwvu"),
        subjects=tuple(Concept(qcode=f"medtop:{n}") for n in range(9)),
        body_html='<p><a title="t" href="https://x.example" class="c">x</a><img width="1" src="https://x.example">',
    )
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=article.model_dump_json().encode(),
        env={**os.environ, **setting},
        cwd=Path(__file__).parent,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == feed_of(article, channel=Channel(name="all", title="T", base_url=BASE))


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_no_text_whatever_makes_a_feed_that_cannot_be_read(title: str, summary: str, body: str, note: str) -> None:
    article = story(version=2).model_copy(
        update={"headline": title, "summary": summary, "body_html": body, "ed_note": note, "byline": title}
    )
    root = etree.fromstring(feed_of(article, story(uri="urn:a:2")))
    assert [guid.text for guid in root.iter("guid")] == [article.uri, "urn:a:2"]
