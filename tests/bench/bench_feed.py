"""A feed of 50 entries in each format: rendered whole by feedgen, and joined from entries that are kept."""

import itertools
from collections.abc import Callable, Sequence
from datetime import timedelta

from feedgen.feed import FeedGenerator

from newswire_publisher.feeds.entries import Fragment
from newswire_publisher.feeds.formats.content import page_address
from newswire_publisher.feeds.formats.page import Channel, FeedFormat, Page
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.validators import etag_of
from newswire_schemas.article import Article
from tests.bench.harness import Case, compare
from tests.bench.stories import NOON, stories

ENTRIES = 50
FEEDS = 500
BASE = "https://news.example"
HUB = f"{BASE}/hub"
ADDRESSES = {
    number: {extension: f"{BASE}/feeds/feed-{number}.{extension}" for extension in FORMATS} for number in range(FEEDS)
}
COUNT = itertools.count()
CHANNELS = [Channel(name=f"feed-{number}", title=f"Feed {number}", base_url=BASE) for number in range(FEEDS)]


def main() -> None:
    """Print what one feed costs each way, then what one article costs that changes 500 feeds in every format."""
    articles = stories(ENTRIES)
    kept = {form.extension: [entry_of(form, article) for article in articles] for form in FORMATS.values()}

    def rss_with_one_new() -> tuple[bytes, str]:
        form = FORMATS["rss"]
        return made(form, 0, [entry_of(form, articles[0]), *kept["rss"][1:]])

    def rss_anew() -> bytes:
        form = FORMATS["rss"]
        return made(form, 0, [entry_of(form, article) for article in articles])[0]

    compare(
        f"One feed of {ENTRIES} entries of 400 words",
        Case("feedgen, the whole feed", lambda: whole(articles)),
        Case("ours in RSS, no entry kept", rss_anew),
        Case("ours in RSS, one entry new, with ETag", rss_with_one_new),
        *(
            Case(f"ours in {form.extension}, from kept entries, with ETag", kept_feed(form, kept[form.extension]))
            for form in FORMATS.values()
        ),
        unit="feed",
    )
    bodies = [fragment.body for fragment in kept["rss"]]

    def joined_entries() -> bytes:
        return b"\n".join(bodies)

    compare(
        "The frame of a feed, which changes with every article",
        Case("join of kept entries", joined_entries),
        *(Case(form.extension, frame_of(form)) for form in FORMATS.values()),
        unit="frame",
    )

    def fan_out() -> None:
        for form in FORMATS.values():
            fragments = [entry_of(form, articles[0]), *kept[form.extension][1:]]
            for number in range(FEEDS):
                made(form, number, fragments)

    def fan_out_whole() -> None:
        for _ in range(FEEDS // 50):
            whole(articles)

    compare(
        f"One article that changes {FEEDS} feeds of {ENTRIES} entries: all {len(FORMATS)} formats, all fresh",
        Case("feedgen, every feed whole, RSS alone", fan_out_whole, FEEDS // 50),
        Case("ours: five entries, then frames, joins and ETags", fan_out, FEEDS * len(FORMATS)),
        unit="document",
        rounds=5,
    )


def whole(articles: Sequence[Article]) -> bytes:
    """Return a feed as feedgen alone makes it."""
    feed = FeedGenerator()
    feed.load_extension("dc")
    feed.title("All")
    feed.link(href=BASE)
    feed.description("All")
    for article in articles:
        entry = feed.add_entry(order="append")
        entry.guid(article.uri)
        entry.title(article.headline)
        entry.link(href=page_address(BASE, article.uri))
        entry.description(article.summary, isSummary=True)
        entry.content(article.body_html, type="CDATA")
        entry.category([{"term": subject.name, "scheme": subject.qcode} for subject in article.subjects])
        entry.published(article.published)
        entry.updated(article.version_created)
    document: bytes = feed.rss_str()
    return document


def entry_of(form: FeedFormat, article: Article) -> Fragment:
    """Return an article's entry in a format."""
    return Fragment.of(form.entry(article, article.version_created, BASE))


def page_of(form: FeedFormat, number: int) -> Page:
    """Return the page of a feed after one more article: its time and the begin of its archive are new."""
    addresses, count = ADDRESSES[number], next(COUNT)
    own = addresses[form.extension]
    before, moment = f"{own}?before={count}-key", NOON + timedelta(milliseconds=count)
    return Page(CHANNELS[number], moment, own, alternates=addresses, hub=HUB, prev_archive=before, next_url=before)


def made(form: FeedFormat, number: int, fragments: Sequence[Fragment]) -> tuple[bytes, str]:
    """Return a document of kept entries, and its ETag."""
    frame = form.frame(page_of(form, number))
    etag = etag_of(frame.head, [fragment.digest for fragment in fragments], 1)
    entries = form.separator.join([fragment.body for fragment in fragments])
    return b"".join((frame.head, frame.middle, entries, frame.tail)), etag


def kept_feed(form: FeedFormat, fragments: Sequence[Fragment]) -> Callable[[], object]:
    """Return what makes a document of kept entries."""
    return lambda: made(form, 0, fragments)


def frame_of(form: FeedFormat) -> Callable[[], object]:
    """Return what makes a frame."""
    return lambda: form.frame(page_of(form, 0))
