"""What six feed readers get out of our RSS, Atom and JSON Feed is what the articles say."""

import html
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from support.feed_readers import READERS, Entry, Reader
from support.feeds import BASE, FORMATS, GONE, document, full_story, page_of, plain_story

from newswire_publisher.feeds.formats.content import content_of, title_of
from newswire_schemas.article import Article, clean_text, key_of

CASES = [
    pytest.param(reader, extension, id=f"{name}-{extension}")
    for name, (reader, extensions) in READERS.items()
    for extension in extensions
]
IN_PROCESS = [case for case in CASES if "feedsmith" not in str(case.id) and "rss-parser" not in str(case.id)]

HOSTILE = {
    "cdata": "Ende ]]> oder <![CDATA[ nicht",
    "twice escaped": "&amp;lt; und &amp;amp; und &lt;b&gt;",
    "angles": "R&D: 3 < 5 > 2 <kein Tag>",
    "nul": "vor\0nach",
    "noncharacter": "vor\ufffenach\uffff",
    "escape": "\x1b[31mrot\x1b[0m",
    "surrogate": "halb\ud83d und \udc00ganz",
    "emoji": "👩‍👩‍👧‍👦 🏳️‍🌈 🇧🇾 👍🏽 e\u0301",
    "arabic": "مباحثات في موسكو — «قمّة»",
    "bidi": "\u202bמשא ומתן\u202c 123",
    "chinese": "习近平在北京会见外宾",
    "quotes": "\"Quotes\" and 'apostrophes'",
}


def entry_of(article: Article) -> Entry:
    """Return what any reader should find."""
    published = article.published or article.version_created
    return Entry(
        article.uri,
        title_of(article),
        f"{BASE}/articles/{key_of(article.uri)}",
        int(published.timestamp()),
        int(article.version_created.timestamp()),
        content_of(article),
    )


def seen_alike(found: list[Entry], wanted: list[Entry]) -> None:
    assert [each.id for each in found] == [each.id for each in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert shown(one.content) == shown(other.content)
        # Some sanitise once more, and feedparser-rs and atoma don't show when an item of RSS was updated.
        assert replace(one, content="", updated=one.updated or other.updated) == replace(other, content="")


def shown(markup: str) -> tuple[str, list[str]]:
    """Return what HTML shows and where it leads, however a reader writes it."""
    read = lxml_html.fromstring(f"<div>{markup}</div>")
    return read.text_content(), [address for _, _, address, _ in read.iterlinks()]


@pytest.mark.parametrize(("reader", "extension"), CASES)
def test_count_ids_titles_links_times_and_contents_come_back(reader: Reader, extension: str) -> None:
    articles = [plain_story(1), full_story(2), full_story(3, version=7, language="ar", headline="خبر"), plain_story(4)]
    found = reader(extension, document(FORMATS[extension], articles, GONE))
    seen_alike(found, [entry_of(article) for article in articles])


@pytest.mark.parametrize(("reader", "extension"), CASES)
def test_hostile_text_comes_back_as_the_same_text(reader: Reader, extension: str) -> None:
    articles = []
    for number, text in enumerate(HOSTILE.values(), 1):
        body = f"<p>{html.escape(text, quote=False)}</p>"
        update = {"headline": text, "summary": text, "body_html": body, "ed_note": text, "byline": text}
        articles.append(plain_story(number, version=2).model_copy(update=update))
    found = reader(extension, document(FORMATS[extension], articles, GONE))
    assert [each.title for each in found] == [clean_text(text) for text in HOSTILE.values()]
    for each, text in zip(found, HOSTILE.values(), strict=True):
        assert shown(each.content)[0] == clean_text(text) * 2


@pytest.mark.parametrize(("reader", "extension"), CASES)
def test_an_archive_page_and_a_feed_with_tombstones_alone_are_read_too(reader: Reader, extension: str) -> None:
    form = FORMATS[extension]
    assert reader(extension, document(form, [], GONE)) == []
    archive = page_of(form, kind="archive", current=f"{BASE}/feeds/all.{extension}")
    found = reader(extension, document(form, [plain_story()], page=archive))
    assert [each.id for each in found] == [plain_story().uri]


@pytest.mark.parametrize(("reader", "extension"), IN_PROCESS)
@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1), st.text(min_size=1))
def test_no_text_whatever_costs_a_reader_another_entry(reader: Reader, extension: str, title: str, body: str) -> None:
    odd = plain_story(2).model_copy(update={"headline": title, "summary": body, "body_html": body, "byline": title})
    found = reader(extension, document(FORMATS[extension], [plain_story(1), odd, plain_story(3)]))
    assert [each.id for each in found] == [plain_story(number).uri for number in (1, 2, 3)]


@pytest.mark.parametrize(("reader", "extension"), CASES)
def test_large_deep_and_unclosed_bodies_come_back_the_same(reader: Reader, extension: str) -> None:
    paragraph = "<p>Ein Absatz mit ]]&gt; und &amp;amp; und 👩‍👩‍👧‍👦 und 习近平.</p>"
    bodies = [
        paragraph * (500_000 // len(paragraph.encode())),
        "<div>" * 200 + "tief" + "</div>" * 200,
        "<p>vorher</p>" + "<b><i>" * 10_000 + "endlos",
    ]
    articles = [plain_story(number, body_html=body) for number, body in enumerate(bodies, 1)]
    articles.append(plain_story(9))
    found = reader(extension, document(FORMATS[extension], articles))
    seen_alike(found, [entry_of(article) for article in articles])


PIECES = st.sampled_from(
    ["]]>", "<![CDATA[", "&amp;", "&lt;b&gt;", "<b>x</b>", "&#65;", "<!--", "&", "<", ">", '"', "'", "&nbsp;", "&copy",
     "%", "😀", "\u200d", "خبر", "a", "  ", "\t", "\u0085", "\u2028", "\ufeff", "\0", "\ud800", "\ufffe", "e\u0301"]
)  # fmt: skip


@pytest.mark.parametrize(
    ("reader", "extension"),
    # feedparser guesses whether a title of RSS is HTML, and then repairs what looks like it.
    [case for case in IN_PROCESS if case.id != "feedparser-rss"],
)
@settings(max_examples=60, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6))
def test_any_title_comes_back_as_the_same_text(reader: Reader, extension: str, pieces: list[str]) -> None:
    article = plain_story().model_copy(update={"headline": "".join(pieces)})
    (entry,) = reader(extension, document(FORMATS[extension], [article]))
    assert entry.title == title_of(article)


def test_json_never_carries_what_the_xml_formats_cannot() -> None:
    odd = plain_story().model_copy(update={"headline": 'a\0b\bc\\u0000 \\\\"\x0c', "source": "\ud800x"})
    (item,) = json.loads(document(FORMATS["json"], [odd]))["items"]
    assert item["title"] == 'abc\\u0000 \\\\"'
    assert item["_newswire"]["source"] == "x"
