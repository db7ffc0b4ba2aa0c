"""Every document of a feed is valid by the standard of its format."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.feed_rules import broken
from support.feeds import BASE, FORMATS, GONE, document, full_story, page_of, plain_story
from support.newsml_rules import item_faults
from support.w3c_rules import opml_faults

from newswire_publisher.articles.newsml import to_newsml
from newswire_publisher.feeds.directory import opml
from newswire_publisher.feeds.formats.page import FeedFormat, Page
from newswire_publisher.feeds.model import DEFAULT_ALL, Feed
from newswire_schemas.article import Article, PubStatus

NOTHING = {"headline": None, "summary": None, "body_html": None, "uri": "urn:bare:1"}


def bare(**fields: Any) -> Article:
    """Return an article that says nothing but its identity and times."""
    return plain_story(**(NOTHING | fields))


def archive_of(form: FeedFormat) -> Page:
    """Return the page of an archive's document, with all of its links."""
    own = f"{BASE}/feeds/all.{form.extension}"
    near = {"prev_archive": f"{own}?archive=50", "next_archive": f"{own}?archive=150", "next_url": f"{own}?archive=50"}
    return page_of(form, kind="archive", self_url=f"{own}?archive=100&x=y", current=own, **near)


each_format = pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())

STRANGE: dict[str, dict[str, Any]] = {
    "types and relations that are none": {
        "links": [
            {"href": "https://x.example/1", "rel": "no relation", "media_type": "pdf", "title": " "},
            {"href": "https://x.example/2", "rel": "SELF", "media_type": "text/html; charset=utf-8"},
            {"href": "https://x.example/3", "rel": "https://x.example/rel", "media_type": "a b/c"},
            {"href": "https://x.example/4", "rel": "alternate", "media_type": "text/html"},
        ],
        "associations": [{"type": "hologram", "renditions": [{"href": "https://x.example/5", "media_type": "jpeg"}]}],
    },
    "categories without names": {
        "subjects": [{}, {"qcode": "medtop"}, {"qcode": ":1"}, {"qcode": "a b:c d"}, {"name": " "}],
        "genres": [{"qcode": "strange scheme:1", "name": "N"}],
        "keywords": ["", " ", "a", "a"],
        "section": "",
    },
    "blank fields": {"byline": " , ", "source": "", "summary": " ", "ed_note": " ", "copyright_holder": " "},
    "addresses with strange characters": {
        "links": [{"href": "https://x.example/a b?<c>&\"d\""}, {"href": "https://"}, {"href": "http://[::1/"}],
        "associations": [{"renditions": [{"href": "HTTPS://X.EXAMPLE/ä ö.jpg", "size": 0}]}],
    },
    "hostile HTML": {
        "body_html": '<p onclick="x()">a</p><script>x()</script><a href="/r">b</a><img src=x onerror=x()><form><style>'
        "<iframe src=https://x.example></iframe><p style='x:y'>c<svg><a xlink:href='javascript:x()'>d"
    },
}  # fmt: skip


@each_format
@pytest.mark.parametrize("articles", [[], [plain_story()], [full_story(), plain_story(uri="urn:a:2"), bare()]], ids=len)
def test_current_documents_are_valid(form: FeedFormat, articles: list[Article]) -> None:
    assert broken(form.extension, document(form, articles, GONE)) == []
    assert (
        broken(form.extension, document(form, articles, page=page_of(form, updated=None, hub=None, alternates={})))
        == []
    )


@each_format
def test_archives_and_deltas_are_valid(form: FeedFormat) -> None:
    assert broken(form.extension, document(form, [full_story(), bare()], page=archive_of(form))) == []
    assert broken(form.extension, document(form, [full_story()], GONE, page_of(form, kind="delta"))) == []


@each_format
@pytest.mark.parametrize("fields", STRANGE.values(), ids=STRANGE.keys())
def test_whatever_a_source_sent_the_document_is_valid(form: FeedFormat, fields: dict[str, Any]) -> None:
    assert broken(form.extension, document(form, [full_story(**fields), bare(**({"uri": "urn:b:1"} | fields))])) == []


TEXT = st.text(max_size=30)
CONCEPT = st.fixed_dictionaries({}, optional={"qcode": TEXT, "name": TEXT})


@each_format
@settings(max_examples=25, deadline=None)
@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "headline": TEXT,
            "summary": TEXT,
            "body_html": TEXT,
            "byline": TEXT,
            "ed_note": TEXT,
            "section": TEXT,
            "source": TEXT,
            "slugline": TEXT,
            "usage_terms": TEXT,
            "keywords": st.lists(TEXT, max_size=3),
            "subjects": st.lists(CONCEPT, max_size=2),
            "genres": st.lists(CONCEPT, max_size=2),
            "links": st.lists(
                st.fixed_dictionaries(
                    {"href": TEXT.map("https://x.example/{}".format)}, optional={"rel": TEXT, "title": TEXT}
                ),
                max_size=2,
            ),
        },
    )
)
def test_no_text_makes_a_document_that_is_not_valid(form: FeedFormat, fields: dict[str, Any]) -> None:
    assert broken(form.extension, document(form, [full_story(**fields)])) == []


@pytest.mark.parametrize(
    "article", [full_story(), bare(), full_story(pub_status=PubStatus.CANCELED), plain_story(body_text="x")]
)
def test_an_article_is_a_valid_news_item_of_newsml_g2(article: Article) -> None:
    assert item_faults(to_newsml(article, BASE)) == []


def test_the_list_of_feeds_is_valid_opml() -> None:
    feeds = {"all": DEFAULT_ALL, "b": Feed(title='B & "C" <d>', description="x", language="pt-BR")}
    assert opml_faults(opml(feeds, BASE)) == []


BROKEN = {
    "rss": [
        ("<guid isPermaLink", "<guid isPermalink"),
        ("<link>https://news", "<link>/news"),
        ("<pubDate>Fri", "<pubDate>Sat"),
        ("GMT</pubDate>", "CET</pubDate>"),
        ("<ttl>", "<ttl>1.5"),
        ('rel="self"', 'rel="other"'),
        ('length="123"', 'length="?"'),
        ("<dc:language>de-AT", "<dc:language>Deutsch"),
        ("<description>&lt;p", "<description>&lt;script>&lt;p"),
        ("<content:encoded>", "<content:encoded/><content:encoded>"),
        ("<generator>", "<generater/><generator>"),
        ('medium="image"', 'medium="oil"'),
    ],
    "atom": [
        ("<updated>2025-02-07T12:39:00.250Z</updated><link", "<link"),
        ("<id>urn:newsml:belta", "<id>belta "),
        ('rel="self"', 'rel="other"'),
        ('<entry xml:lang="de-AT">', '<entry lang="de-AT">'),
        ("T10:39:00.250Z</published>", "</published>"),
        ('term="Politik"', 'turm="Politik"'),
        ('scheme="urn:newswire:scheme:house"', 'scheme="house"'),
        ('rel="via"', 'rel="no relation"'),
        ('rel="canonical"', 'rel="alternate" type="text/html"'),
        ("<at:deleted-entry", "<entry/><at:deleted-entry"),
        ("<summary>", "<summary/><summary>"),
        ("<author><name>Анна", "<author><nome/><name>Анна"),
        ('type="html"', 'type="xhtml"'),
    ],
    "json": [
        ('"version":"https://jsonfeed.org/version/1.1"', '"version":"1.1"'),
        ('"id":"urn', '"no":"urn'),
        ('"date_modified":"2025-02-07T', '"date_modified":"2025-02-07 '),
        ('"tags":[', '"tags":[1,'),
        ('"mime_type":', '"type":'),
        ('"items":', '"elements":'),
    ],
    "ninjs": [('"uri":"https://news', '"url":"https://news'), ('"pubStatus":"canceled"', '"pubStatus":"killed"')],
    "newsml": [
        ("<itemMeta>", "<itemMeta><edNote/>"),
        ("<sent>2025-02-07T", "<sent>2025-02-07 "),
        ("<header>", "<head/><header>"),
        ('version="3"', 'version="0"'),
        ('qcode="stat:usable"', 'qcode="usable"'),
        ("<keyword>Minsk</keyword>", "<slugline>x</slugline><keyword>Minsk</keyword>"),
        ("<urgency>2", "<urgency>0"),
        ("<head><title>", "<title/><head><title>"),
        ('href="https://x.example/2.mp4"', ""),
    ],
}


@pytest.mark.parametrize(
    ("extension", "right", "wrong"), [(name, *pair) for name, pairs in BROKEN.items() for pair in pairs]
)
def test_the_validators_find_what_is_wrong(extension: str, right: str, wrong: str) -> None:
    form = FORMATS[extension]
    valid = document(form, [full_story(), bare()], GONE)
    assert right in valid.decode()
    assert broken(extension, valid.decode().replace(right, wrong, 1).encode())
