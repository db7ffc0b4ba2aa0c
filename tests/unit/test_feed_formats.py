"""What every registered feed format keeps: its standard, one identity, the same bytes everywhere."""

import html
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from support.feed_rules import broken
from support.feeds import BASE, FORMATS, GONE, NOON, document, full_story, page_of, plain_story

from newswire_publisher.feeds.formats.page import Channel, FeedFormat
from newswire_publisher.feeds.formats.xml import EntryError
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article, Link, Media, Rendition, key_of

every_format = pytest.mark.parametrize("form", [pytest.param(form, id=name) for name, form in FORMATS.items()])

ITEMS = {"rss": "item", "atom": "{*}entry", "newsml": "{*}newsItem"}
IDS = {"rss": "guid", "atom": "{*}id"}
UPDATED = {"rss": "{*}updated", "atom": "{*}updated", "newsml": "{*}itemMeta/{*}versionCreated"}


@dataclass(frozen=True)
class Seen:
    """An item in any format: its id, when it says that it was updated, and all that it says."""

    id: str
    updated: str
    text: str


def seen(form: FeedFormat, feed: bytes) -> tuple[list[Seen], list[str]]:
    """Return the items of a document, and the ids of its tombstones."""
    if form.extension in {"json", "ninjs"}:
        read = json.loads(feed)
        if form.extension == "json":
            items = [Seen(each["id"], each["date_modified"], _said(each)) for each in read["items"]]
            return items, [each["id"] for each in read["_newswire"]["deleted"]]
        listed = read.get("associations", [])
        items = [
            Seen(each["uri"], each["versionCreated"], _said(each)) for each in listed if each["pubStatus"] == "usable"
        ]
        return items, [each["uri"] for each in listed if each["pubStatus"] == "canceled"]
    root = etree.fromstring(feed)
    gone = [each.get("ref") for each in root.iter("{*}deleted-entry")]
    items = []
    for each in root.iter(ITEMS[form.extension]):
        if form.extension == "newsml" and each.find("{*}itemMeta/{*}pubStatus").get("qcode") == "stat:canceled":
            gone.append(each.get("guid"))
            continue
        name = each.get("guid") if form.extension == "newsml" else each.findtext(IDS[form.extension])
        said = html.unescape(etree.tostring(each, encoding="unicode"))
        items.append(Seen(name, each.findtext(UPDATED[form.extension]), html.unescape(said)))
    return items, gone


def _said(item: Any) -> str:
    return html.unescape(json.dumps(item, ensure_ascii=False))


def bare() -> Article:
    """Return an article of which nothing is known but that it exists."""
    return Article(uri="urn:a:bare", version=1, version_created=NOON, first_created=NOON)


@every_format
@pytest.mark.parametrize(
    ("articles", "gone"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([plain_story()], [], id="one"),
        pytest.param([plain_story(1), full_story(2), full_story(3, version=9), bare()], GONE, id="all"),
        pytest.param([], GONE, id="tombstones"),
        pytest.param([full_story()], GONE[:1], id="one of each"),
    ],
)
def test_a_document_keeps_the_rules_of_its_standard(
    form: FeedFormat, articles: list[Article], gone: list[Tombstone]
) -> None:
    feed = document(form, articles, gone)
    assert broken(form.extension, feed) == []
    items, left = seen(form, feed)
    assert [each.id for each in items] == [article.uri for article in articles]
    assert left == [each.uri for each in gone]


@every_format
@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "archive", "current": f"{BASE}/feeds/all", "next_archive": f"{BASE}/feeds/all?archive=4"},
        {"kind": "delta"},
        {"updated": None, "prev_archive": None, "next_url": None, "hub": None, "alternates": {}},
        {"channel": Channel(name="x", title="T", base_url=BASE)},
        {"channel": Channel(name="x", title="<b>]]> \x0b&amp;\n\"'", base_url=BASE, description="\ufffe")},
    ],
)
def test_any_page_of_a_feed_keeps_the_rules_of_its_standard(form: FeedFormat, fields: dict[str, Any]) -> None:
    assert broken(form.extension, document(form, [plain_story()], GONE, page_of(form, **fields))) == []


@every_format
def test_the_identity_outlives_a_correction_and_a_change_of_the_host(form: FeedFormat) -> None:
    first = plain_story()
    later = first.model_copy(update={"version": 2, "version_created": NOON + timedelta(hours=1), "ed_note": "NEU"})
    elsewhere = form.entry(later, later.version_created, "https://other.example")
    frame = form.frame(page_of(form))
    feed = frame.head + frame.middle + elsewhere + frame.tail
    if form.extension == "json":
        feed = frame.head + elsewhere + frame.middle + frame.tail
    (one,), _ = seen(form, document(form, [first]))
    (other,), _ = seen(form, feed)
    assert one.id == other.id == first.uri


@every_format
def test_a_correction_moves_updated_and_says_what_changed(form: FeedFormat) -> None:
    first = plain_story()
    moment = NOON + timedelta(hours=1)
    note = "BERICHTIGT: zwei & <nicht> drei"
    later = first.model_copy(update={"version": 2, "version_created": moment, "ed_note": note})
    (before,), _ = seen(form, document(form, [first]))
    (after,), _ = seen(form, document(form, [later]))
    assert before.updated < after.updated
    assert after.updated.startswith("2025-02-07T13:39:00")
    assert note in after.text


@every_format
def test_a_rewrite_leads_to_the_story_that_it_evolved_from(form: FeedFormat) -> None:
    older = "urn:newsml:belta.example:older"
    (item,), _ = seen(form, document(form, [plain_story(evolved_from=older)]))
    assert older in item.text or f"{BASE}/articles/{key_of(older)}" in item.text


@every_format
def test_media_are_there_with_address_and_credit(form: FeedFormat) -> None:
    (item,), _ = seen(form, document(form, [full_story()]))
    assert "https://x.example/1.jpg" in item.text
    assert "https://x.example/2.mp4" in item.text
    assert "Foto: BelTA" in item.text


@every_format
def test_addresses_with_characters_that_no_address_has_are_encoded(form: FeedFormat) -> None:
    odd = 'https://x.example/ein Bild "1".jpg'
    article = plain_story(
        associations=(Media(renditions=(Rendition(href=odd, media_type="image/jpeg"),)),),
        links=(Link(href=odd, rel=""),),
    )
    feed = document(form, [article])
    assert broken(form.extension, feed) == []
    assert b"https://x.example/ein%20Bild%20%221%22.jpg" in feed


@every_format
def test_tombstones_say_when_and_why(form: FeedFormat) -> None:
    feed = document(form, [], GONE).decode()
    assert "Falsch" in feed
    assert "zurück" in feed
    assert "no longer belongs" in feed
    assert "2025-02-07T12:39:00" in feed


@every_format
def test_scripts_handlers_and_unsafe_addresses_reach_no_reader(form: FeedFormat) -> None:
    hostile = (
        '<p onclick="steal()">a</p><script>steal()</script><a href="javascript:steal()">b</a>'
        '<img src="data:text/html,steal" onerror="steal()"><iframe src="https://steal.example"></iframe>'
    )
    unsafe = "javascript:steal()"
    article = plain_story(
        body_html=hostile,
        links=(Link(href=unsafe), Link(href="data:,steal")),
        associations=(Media(uri="urn:m:1", name="m", renditions=(Rendition(href=unsafe, media_type="image/png"),)),),
    )
    feed = document(form, [article]).lower()
    assert broken(form.extension, document(form, [article])) == []
    for trace in (b"steal", b"javascript", b"<script", b"onclick", b"onerror", b"iframe", b"data:"):
        assert trace not in feed, trace


@every_format
def test_an_article_that_cannot_be_written_is_an_error_that_names_it(form: FeedFormat) -> None:
    wrong = plain_story().model_copy(update={"published": "no date", "version_created": "no date"})
    with pytest.raises(EntryError, match="urn:newsml"):
        form.entry(wrong, NOON, BASE)


def test_an_embargo_is_not_told_by_newsml() -> None:
    was = plain_story(embargoed_until=NOON - timedelta(days=3))
    assert b"mbargo" not in document(FORMATS["newsml"], [was])


TEXTS = st.text() | st.sampled_from(["]]>", "&amp;lt;", "\0", "\ufffe", "\ud800", "<![CDATA[", "</item>", '"', "\r\n"])


@every_format
@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_no_text_whatever_costs_the_feed_another_item(form: FeedFormat, one: str, two: str, three: str) -> None:
    text = f"{one}{two}"
    odd = full_story(2).model_copy(
        update={
            "headline": text, "summary": two, "body_html": f"<p>{three}</p>{one}", "body_text": three, "ed_note": three,
            "byline": text, "source": one, "section": two, "keywords": (one, three), "usage_terms": text,
            "copyright_holder": two, "slugline": text, "located": three,
        }
    )  # fmt: skip
    gone = Tombstone.model_construct(uri="urn:gone", version=1, when=NOON, act="kill", note=text)
    items, left = seen(form, document(form, [plain_story(1), odd, plain_story(3)], [gone]))
    assert [each.id for each in items] == [plain_story(number).uri for number in (1, 2, 3)]
    assert left == ["urn:gone"]


@every_format
def test_a_kept_head_is_the_one_that_its_page_would_get_anew(form: FeedFormat) -> None:
    archive = page_of(form, kind="archive", self_url=f"{BASE}/feeds/all?archive=4", next_archive=f"{BASE}/feeds/all?5")
    pages = [page_of(form), page_of(form, updated=NOON + timedelta(hours=1)), page_of(form, hub=None), archive]
    frames = [form.frame(page) for page in (*pages, page_of(form))]
    assert frames[0] == frames[4]
    assert frames[0] != frames[1]
    heads = {frame.head + frame.middle for frame in frames}
    assert len(heads) == (4 if form.extension in {"rss", "atom", "json"} else 3)  # the others name no hub


@every_format
def test_a_moment_of_another_time_zone_gives_the_same_bytes(form: FeedFormat) -> None:
    story = plain_story()
    assert story.published
    moscow = timezone(timedelta(hours=3))
    elsewhere = plain_story(published=story.published.astimezone(moscow))
    assert document(form, [elsewhere]) == document(form, [story])
    assert form.frame(page_of(form, updated=NOON.astimezone(moscow))) == form.frame(page_of(form))


ELSEWHERE = """
import locale, sys
from support.feeds import FORMATS, GONE, document, full_story, plain_story
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
for form in FORMATS.values():
    sys.stdout.buffer.write(document(form, [plain_story(), full_story()], GONE))
"""


@pytest.mark.parametrize(
    "setting",
    [
        {"TZ": "Asia/Shanghai", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
    ],
)
def test_the_bytes_are_the_same_in_any_process_locale_and_time_zone(setting: dict[str, str]) -> None:
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        env={**os.environ, **setting, "PYTHONPATH": str(tests)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == b"".join(document(form, [plain_story(), full_story()], GONE) for form in FORMATS.values())
