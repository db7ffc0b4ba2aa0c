"""A feed of 50 entries: rendered whole by feedgen, and joined from entries that are kept."""

import functools

from feedgen.feed import FeedGenerator

from newswire_publisher.feeds.entries import Fragment
from newswire_publisher.feeds.formats.content import page_address
from newswire_publisher.feeds.formats.page import Channel, Page
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.formats.rss import Rss
from newswire_publisher.feeds.validators import etag_of
from newswire_schemas.article import Article
from tests.bench.harness import Case, compare
from tests.bench.stories import NOON, stories

RSS = Rss()

ENTRIES = 50
FEEDS = 500
BASE = "https://news.example"


def main() -> None:
    """Print what one feed costs each way, then what one article costs that changes 500 feeds."""
    articles = stories(ENTRIES)
    channel = Channel(name="all", title="All", base_url=BASE)
    kept = [Fragment.of(render_entry(article, BASE)) for article in articles]
    bodies = [fragment.body for fragment in kept]
    head = head_of(channel)

    def whole() -> bytes:
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

    def new() -> bytes:
        return join(head_of(channel), [render_entry(article, BASE) for article in articles])

    def one_new() -> tuple[bytes, str]:
        return made(channel, [Fragment.of(render_entry(articles[0], BASE)), *kept[1:]])

    def from_cache() -> tuple[bytes, str]:
        return made(channel, kept)

    compare(
        f"One feed of {ENTRIES} entries of 400 words",
        Case("feedgen, the whole feed", whole),
        Case("ours, no entry kept", new),
        Case("ours, one entry new, with ETag", one_new),
        Case("ours, from the cache, with ETag", from_cache),
        Case("join of kept entries", lambda: join(head, bodies)),
        unit="feed",
    )

    channels = [Channel(name=f"feed-{number}", title=f"Feed {number}", base_url=BASE) for number in range(FEEDS)]

    def fan_out() -> None:
        fragments = [Fragment.of(render_entry(articles[0], BASE)), *kept[1:]]
        for each in channels:
            made(each, fragments)

    def fan_out_whole() -> None:
        for _ in range(FEEDS // 50):
            whole()

    compare(
        f"One article that changes {FEEDS} feeds of {ENTRIES} entries, all fresh",
        Case("feedgen, every feed whole", fan_out_whole, FEEDS // 50),
        Case("ours: one entry, then heads, joins and ETags", fan_out, FEEDS),
        unit="feed",
        rounds=5,
    )

    def five_formats() -> None:
        for form in FORMATS.values():
            ours = kept_in[form.extension]
            fragments = [Fragment.of(form.entry(articles[0], NOON, BASE)), *ours[1:]]
            digests, bodies_ = [each.digest for each in fragments], [each.body for each in fragments]
            for each in channels:
                frame = form.frame(Page(each, NOON, self_url=f"{BASE}/feeds/{each.name}.{form.extension}"))
                _ = etag_of(frame.head, digests, 1), frame.head + form.separator.join(bodies_) + frame.tail

    kept_in = {
        form.extension: [Fragment.of(form.entry(article, NOON, BASE)) for article in articles]
        for form in FORMATS.values()
    }
    compare(
        f"One article that changes {FEEDS} feeds of {ENTRIES} entries in {len(FORMATS)} formats, all fresh",
        Case("feedgen, every feed whole", fan_out_whole, FEEDS // 50),
        Case("ours: one entry a format, then heads, joins and ETags", five_formats, FEEDS * len(FORMATS)),
        unit="document",
        rounds=5,
    )
    frames = {form.extension: Page(channel, NOON, self_url=f"{BASE}/feeds/all.x") for form in FORMATS.values()}
    compare(
        "The head of a feed in each format, beside a feed that is joined",
        Case("join of kept entries", lambda: join(head, bodies)),
        *(Case(f"head, {name}", functools.partial(FORMATS[name].frame, page)) for name, page in frames.items()),
        unit="head",
    )


def made(channel: Channel, fragments: list[Fragment]) -> tuple[bytes, str]:
    """Return a document of kept entries, and its ETag."""
    head = head_of(channel)
    etag = etag_of(head, [fragment.digest for fragment in fragments], 1)
    return join(head, [fragment.body for fragment in fragments]), etag


def render_entry(article: Article, base_url: str) -> bytes:
    """Return an article's RSS item."""
    return RSS.entry(article, article.version_created, base_url)


def head_of(channel: Channel) -> bytes:
    """Return the head of a feed's RSS."""
    return RSS.frame(Page(channel, NOON, self_url=f"{BASE}/feeds/{channel.name}.rss")).head


def join(head: bytes, entries: list[bytes]) -> bytes:
    """Return a document of entries."""
    return head + b"\n".join(entries) + b"\n</channel></rss>\n"
