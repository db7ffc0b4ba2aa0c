"""Fills a feed with what is already published, when it is new or its filter has changed.

    PUT /v1/feeds/NAME ─▶ refills (durable) ─▶ every live article, newest first ─▶ ledger ─▶ look again ─▶ feed.lua

A request stays until it is done: a process that dies leaves its lock to end, and another
begins anew, which changes nothing that is done. The ledger is written before the article is
read for the last time, so that a kill either is seen here or finds the feed in the ledger.
A version that the fan-out brings meanwhile is newer and stays. At the end the newest page is
gone through once more, for a batch that was matched by the old filter.
"""

import asyncio
import secrets
from collections.abc import Sequence

import structlog
from redis.exceptions import RedisError

from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.feeds.model import Feed, feed_of
from newswire_publisher.feeds.sink import FeedSinks
from newswire_publisher.routing.facts import facts_of
from newswire_publisher.routing.shape import compile_filter
from newswire_publisher.routing.sinks import Dispatch
from newswire_publisher.routing.topics import TopicTree
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.scripts import Script
from newswire_runtime.tasks import wanted
from newswire_schemas.article import Act
from newswire_schemas.streams import ConfKeys, FeedKeys

log = structlog.get_logger()
PAGE = 200
LOCK_MS = 15_000
LONGEST_WAIT = 1.0
"""Seconds between two looks for requests of other processes."""


class FeedRefills:
    """Takes requests, and does them one by one. Any number of processes may run it."""

    def __init__(
        self,
        *,
        client: Client,
        store: ArticleStore,
        sinks: FeedSinks,
        feeds: Table[Feed],
        topics: TopicTree,
        partitions: int,
    ) -> None:
        self._client = client
        self._store = store
        self._sinks = sinks
        self._feeds = feeds
        self._topics = topics
        self._partitions = partitions
        self._done = Script("newswire_publisher.feeds", "refilled.lua")
        self._asked = asyncio.Event()

    async def ask(self, name: str) -> None:
        """Ask for a feed to be filled anew; durable."""
        await self._client.hset(ConfKeys.refills, name, secrets.token_hex(8))
        self._asked.set()

    async def run(self) -> None:
        while wanted():
            self._asked.clear()
            try:
                for name, request in (await self._client.hgetall(ConfKeys.refills)).items():
                    await self._take(name.decode(), request)
            except (RedisError, OSError) as exc:
                log.warning("feed.refill_failed", error=str(exc))
            try:
                await asyncio.wait_for(self._asked.wait(), LONGEST_WAIT)
            except TimeoutError:
                continue

    async def _take(self, name: str, request: bytes) -> None:
        lock = ConfKeys.refill_lock(name)
        if not await self._client.set(lock, request, nx=True, px=LOCK_MS):
            return
        feed = feed_of(await self._feeds.all(), name)
        if feed is not None:
            articles = await self._fill(name, feed, lock)
            log.info("feed.refilled", feed=name, articles=articles)
        await self._done(self._client, [ConfKeys.refills, lock], [name, request])

    async def _fill(self, name: str, feed: Feed, lock: str) -> int:
        articles = 0
        before: tuple[int, str] | None = None
        while page := await self._store.newest(PAGE, before):
            await self._client.pexpire(lock, LOCK_MS)
            articles += await self._page(name, feed, [key for _, key in page])
            before = page[-1]
        await self._page(name, feed, [key for _, key in await self._store.newest(PAGE)])
        return articles

    async def _page(self, name: str, feed: Feed, keys: Sequence[str]) -> int:
        """Bring these articles in or out; return how many match."""
        if not keys:
            return 0
        holds = compile_filter(feed.filter)
        rows = {row.article.key: row for row in await self._store.rows(keys) if row is not None and row.is_public}
        matching = {key for key, row in rows.items() if holds(facts_of(row.article, self._topics))}
        await self._store.remember(f"{FeedSinks.kind}:{name}", [rows[key] for key in matching])
        held = await self._client.zmscore(FeedKeys(name, self._partitions).items, list(keys))
        concerned = [key for key, score in zip(keys, held, strict=True) if key in matching or score is not None]
        again = await self._store.rows([key for key in concerned if key in rows])
        # A version that came meanwhile is the fan-out's to bring.
        still = [
            row for row in again if row and row.is_public and row.article.rank == rows[row.article.key].article.rank
        ]
        dispatches = [_dispatch(name, row, matches=row.article.key in matching) for row in still]
        await self._sinks.refill(dispatches)
        return len(matching)


def _dispatch(name: str, row: Row, *, matches: bool) -> Dispatch:
    return Dispatch(
        sink=name,
        act=Act.NEW,
        article=row.article,
        published=row.published or row.moment,
        moment=row.moment,
        received_at=row.moment,
        trace_id="refill",
        matches=matches,
    )
