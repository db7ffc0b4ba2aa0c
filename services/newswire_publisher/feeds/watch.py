"""Follows what changes feeds, so that answers which are kept ready are dropped with the change.

    feed.lua ──bell──▶ XREAD ──▶ drop the feeds' answers ──▶ read what they show now, all in few round trips
    conf.lua ──generation of `feeds`──▶ clear all

A round reads the configuration's generation and waits a quarter of a second for the
bells. All that changed before it began is then known, and holds for HOLD seconds from its
beginning: an answer is never older than that, and as a rule a bell's way old. When the
broker is away no round ends, the lease runs out, and every request asks the broker itself.

A bell keeps its last thousand entries. A round that finds so many may have missed some;
everything is dropped then, as after every fault.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog
from redis.asyncio.cluster import RedisCluster
from redis.exceptions import RedisError

from newswire_runtime import metrics
from newswire_runtime.client import Client
from newswire_runtime.hot import HotAnswers, Lease
from newswire_runtime.tasks import wanted
from newswire_schemas.streams import ConfKeys, feed_bell

log = structlog.get_logger()

Refresh = Callable[[Iterable[str]], Awaitable[object]]
HOLD = 1.0
BLOCK_MS = 250
MOST_READ = 1_000
"""Entries of a bell that are read at once: no more than `feed.lua` keeps."""


class FeedWatch:
    """Watches the feeds of some partitions; on a cluster, of one, since one read asks one node."""

    def __init__(self, client: Client, partitions: Sequence[int], answers: HotAnswers, refresh: Refresh) -> None:
        self._client = client
        self._bells = [feed_bell(partition) for partition in partitions]
        self._answers = answers
        self._refresh = refresh
        self._places: dict[str, str] = {}
        self._generation: bytes | None = None
        self.lease = Lease()

    async def run(self) -> None:
        try:
            while wanted():
                try:
                    await self._round()
                except (RedisError, OSError) as exc:
                    self._forget()
                    log.warning("feed.watch_failed", error=str(exc))
                    await asyncio.sleep(0.2)
        finally:
            self._forget()

    async def _round(self) -> None:
        began = asyncio.get_running_loop().time()
        if not self._places:
            await self._begin()
        generation = await self._client.hget(ConfKeys.generation, "feeds")
        if generation != self._generation:
            self._generation = generation
            self._answers.clear()
        changed: dict[str, None] = {}
        for bell, entries in _streams(await self._client.xread(self._places, count=MOST_READ, block=BLOCK_MS)):
            if len(entries) >= MOST_READ:
                self._answers.clear()
            for entry_id, fields in entries:
                changed[fields[b"feed"].decode()] = None
                self._places[bell] = entry_id.decode()
        for feed in changed:
            self._answers.drop(feed)
        self.lease.until = began + HOLD
        for status, times in self._answers.counted():
            metrics.FEED_REQUESTS.labels(status).inc(times)
        if changed:
            await self._refresh(changed)

    async def _begin(self) -> None:
        """Find where the bells are; what is kept then is older, and goes."""
        for bell in self._bells:
            last = await self._client.xrevrange(bell, count=1)
            self._places[bell] = last[0][0].decode() if last else "0-0"
        self._answers.clear()

    def _forget(self) -> None:
        self.lease.until = 0.0
        self._places.clear()


def watches_of(client: Client, partitions: int, answers: HotAnswers, refresh: Refresh) -> list[FeedWatch]:
    """Return the watch of each partition: one for all, or on a cluster one for each."""
    if isinstance(client, RedisCluster):
        return [FeedWatch(client, [partition], answers, refresh) for partition in range(partitions)]
    return [FeedWatch(client, range(partitions), answers, refresh)] * partitions


def _streams(reply: object) -> list[tuple[str, list[tuple[bytes, dict[bytes, bytes]]]]]:
    """Return what XREAD found by stream, whichever protocol the reply came in."""
    if not reply:
        return []
    if isinstance(reply, dict):
        return [(name.decode(), entries[0] if entries else []) for name, entries in reply.items()]
    return [(name.decode(), entries) for name, entries in reply]  # type: ignore[attr-defined]  # redis-py's list form
