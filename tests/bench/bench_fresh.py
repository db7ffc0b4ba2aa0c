"""One article that matches 500 feeds of 50 entries: what it costs until every feed is fresh in every format.

Ours is all that a publisher's process does for it on a real Valkey: it reads what the feeds show now,
renders the entry, and makes each document with its frame and ETag; in the last line with its gzip, too. The
plain way renders each feed with feedgen and compresses it with zlib, from articles that are in memory
already; one feed of it is measured, in one format.
"""

import gzip
import time
from statistics import median

import structlog
import uvloop
from feedgen.feed import FeedGenerator

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.codings import Wanted as Coded
from newswire_publisher.feeds.documents import FeedDocuments, Wanted
from newswire_publisher.feeds.formats.content import page_address
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.model import Feed
from newswire_publisher.feeds.sink import FeedSinks
from newswire_publisher.routing import load_topic_tree
from newswire_publisher.routing.fanout import Fanout
from newswire_runtime.broker import make_client
from newswire_runtime.conf import Table
from newswire_runtime.hop import Delivery
from newswire_schemas.article import Act, Article
from newswire_schemas.events import ArticleEnriched, ArticleFellDue
from newswire_schemas.streams import ConfKeys
from tests.bench.harness import Row, show
from tests.bench.processes import valkey
from tests.bench.stories import NOON, stories

FEEDS, ENTRIES, ROUNDS = 500, 50, 7
BASE = "https://news.example"
NAMES = [f"feed-{number}" for number in range(FEEDS)]
GZIP = Coded("gzip")


async def main_loop() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    articles = stories(ENTRIES + ROUNDS + 1)
    async with valkey() as url:
        client = make_client(url)
        feeds = {name: Feed(title=f"Feed {name}") for name in NAMES}
        records = {name: feed.model_dump_json() for name, feed in feeds.items()}
        await client.hset(ConfKeys.table("feeds"), mapping=records)
        await client.hincrby(ConfKeys.generation, "feeds", 1)
        store = ArticleStore(client, 1)
        fanout = Fanout(store, [FeedSinks(client, Table(client, "feeds", Feed), 1)], load_topic_tree())
        documents = FeedDocuments(client, store, 1)
        await _publish(fanout, articles[:ENTRIES], 0)
        await _fresh(documents, feeds, gzipped=True)
        rows = [_plain(articles)]
        for title, gzipped in (("ours, all formats", False), ("ours, all formats, with gzip", True)):
            spent = []
            for turn in range(ROUNDS // 2):
                place = ENTRIES + turn + (ROUNDS // 2 if gzipped else 0)
                await _publish(fanout, articles[place : place + 1], place)
                wall, cpu = time.perf_counter(), time.process_time()
                await _fresh(documents, feeds, gzipped=gzipped)
                spent.append((time.perf_counter() - wall, time.process_time() - cpu))
            wall, cpu = median(each[0] for each in spent), median(each[1] for each in spent)
            rows.append(
                Row(title, wall / FEEDS * 1e6, cpu / FEEDS * 1e6, f"{cpu * 1e3:,.0f} ms of CPU for all {FEEDS} feeds")
            )
        await client.aclose()
    show(f"One article in {FEEDS} feeds of {ENTRIES} entries, all of them fresh", rows, unit="feed")


async def _publish(fanout: Fanout, articles: list[Article], place: int) -> None:
    batch: list[Delivery[ArticleEnriched | ArticleFellDue]] = [
        Delivery(
            b"%d-1" % (1_740_000_000_000 + (place + n) * 1_000),
            ArticleEnriched(trace_id="bench", act=Act.NEW, article=article, received_at=NOON),
        )
        for n, article in enumerate(articles)
    ]
    await fanout.stage(batch)


async def _fresh(documents: FeedDocuments, feeds: dict[str, Feed], *, gzipped: bool) -> None:
    generations = await documents.refresh(feeds)
    for name, feed in feeds.items():
        for form in FORMATS.values():
            document = await documents.current(Wanted(name, feed, form, BASE), generations.get(name))
            if gzipped:
                document.made.ready(GZIP)


def _plain(articles: list[Article]) -> Row:
    wall, cpu = time.perf_counter(), time.process_time()
    feed = FeedGenerator()
    feed.title("All")
    feed.link(href=BASE)
    feed.description("All")
    for article in articles[:ENTRIES]:
        entry = feed.add_entry(order="append")
        entry.guid(article.uri)
        entry.title(article.headline)
        entry.link(href=page_address(BASE, article.uri))
        entry.description(article.summary, isSummary=True)
        entry.content(article.body_html, type="CDATA")
        entry.published(article.published)
        entry.updated(article.version_created)
    gzip.compress(feed.rss_str(), 6)
    spent = time.perf_counter() - wall, time.process_time() - cpu
    return Row(
        "feedgen and zlib, RSS alone", spent[0] * 1e6, spent[1] * 1e6, f"{spent[1] * FEEDS * 1e3:,.0f} ms for all"
    )


def main() -> None:
    """Print what a feed costs each way."""
    uvloop.run(main_loop())
