"""The publisher's stage: articles to 100 and 1,000 webhook subscriptions and 20 feeds.

Ours matches with the index, puts the versions in order, writes the ledger, appends to each
subscription's log, queues its push, and changes each feed. The naive loop asks each filter
and awaits one write for each match: no order of versions, no ledger, no queue, no repeat
after a crash. Neither sends anything.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import structlog
import uvloop

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.model import Feed
from newswire_publisher.feeds.sink import FeedSinks
from newswire_publisher.routing import compile_filter, facts_of, load_topic_tree
from newswire_publisher.routing.fanout import Fanout
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sink import HookSinks
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.hop import Delivery
from newswire_schemas.article import Act, Article
from newswire_schemas.events import ArticleEnriched, ArticleFellDue
from newswire_schemas.filters import Filter
from newswire_schemas.streams import ConfKeys, HookKeys
from tests.bench.harness import Row, show
from tests.bench.processes import valkey
from tests.bench.stories import NOON, stories, subscriptions

FEEDS, BATCH, ROUNDS = 20, 50, 2
SLOWER = 10
"""The naive loop gets so many times fewer articles, to be done in time."""
TOPICS = load_topic_tree()
Work = Callable[[Sequence[Article]], Awaitable[None]]


async def main_loop() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    async with valkey() as url:
        client = make_client(url)
        for count, articles in ((100, 200), (1_000, 100)):
            await _compare(client, count, stories(articles, seed=count))
        await client.aclose()


async def _compare(client: Client, count: int, articles: Sequence[Article]) -> None:
    hooks, feeds = subscriptions(count), subscriptions(FEEDS, seed=3)
    ways: dict[str, Callable[[], Awaitable[Work]]] = {
        "naive loop": lambda: _naive(client, hooks, feeds),
        "ours": lambda: _ours(client, hooks, feeds),
    }
    figures: dict[str, dict[str, list[tuple[float, float]]]] = {
        unit: {name: [] for name in ways} for unit in ("article", "delivery")
    }
    per_article = 0.0
    for _ in range(ROUNDS):
        for name, make in ways.items():
            await client.flushall()
            work = await make()
            wall, cpu = time.perf_counter(), time.process_time()
            some = articles if name == "ours" else articles[: max(2, len(articles) // SLOWER)]
            await work(some)
            spent = time.perf_counter() - wall, time.process_time() - cpu
            queued = await _queued(client, hooks)
            figures["article"][name].append((spent[0] / len(some), spent[1] / len(some)))
            figures["delivery"][name].append((spent[0] / queued, spent[1] / queued))
            per_article = queued / len(some)
    for unit, by_name in figures.items():
        rows = [
            Row(name, median(wall for wall, _ in each) * 1e6, median(cpu for _, cpu in each) * 1e6)
            for name, each in by_name.items()
        ]
        show(
            f"{count:,} webhooks, {FEEDS} feeds ({per_article:.0f} deliveries an article), per {unit}", rows, unit=unit
        )


async def _ours(client: Client, hooks: dict[str, Filter], feeds: dict[str, Filter]) -> Work:
    records = {
        name: Webhook(id=name, owner="bench", created=NOON, url="http://127.0.0.1:9/", filter=wanted)
        for name, wanted in hooks.items()
    }
    await _configure(client, "webhooks", {name: hook.model_dump_json() for name, hook in records.items()})
    await _configure(
        client, "feeds", {name: Feed(title=name, filter=wanted).model_dump_json() for name, wanted in feeds.items()}
    )
    kinds = [
        FeedSinks(client, Table(client, "feeds", Feed), 1),
        HookSinks(client, Table(client, "webhooks", Webhook), 1),
    ]
    fanout = Fanout(ArticleStore(client, 1), kinds, TOPICS)
    await fanout.stage([])  # builds the index: that is done once, not for each article

    async def work(articles: Sequence[Article]) -> None:
        for start in range(0, len(articles), BATCH):
            batch: list[Delivery[ArticleEnriched | ArticleFellDue]] = [
                Delivery(b"0-1", ArticleEnriched(trace_id="bench", act=Act.NEW, article=article, received_at=NOON))
                for article in articles[start : start + BATCH]
            ]
            await fanout.stage(batch)

    return work


async def _naive(client: Client, hooks: dict[str, Filter], feeds: dict[str, Filter]) -> Work:
    hook_tests = {name: compile_filter(wanted) for name, wanted in hooks.items()}
    feed_tests = {name: compile_filter(wanted) for name, wanted in feeds.items()}

    async def work(articles: Sequence[Article]) -> None:
        for article in articles:
            facts = facts_of(article, TOPICS)
            for name, holds in hook_tests.items():
                if holds(facts):
                    await client.xadd(HookKeys(name, 1).log, {"u": article.uri, "v": article.version})
            for name, holds in feed_tests.items():
                if holds(facts):
                    await client.hset(f"naive:feed:{name}", article.key, article.version)

    return work


async def _configure(client: Client, kind: str, records: dict[str, str]) -> None:
    await client.hset(ConfKeys.table(kind), mapping=records)
    await client.hincrby(ConfKeys.generation, kind, 1)


async def _queued(client: Client, hooks: dict[str, Filter]) -> int:
    pipeline = client.pipeline(transaction=False)
    for name in hooks:
        pipeline.xlen(HookKeys(name, 1).log)
    return sum(await pipeline.execute())


def main() -> None:
    """Print what one article, and one delivery that it queues, costs each way."""
    uvloop.run(main_loop())
