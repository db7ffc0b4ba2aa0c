"""A service: its hops, its background loops, its HTTP routes, and whether it is ready."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from fastapi import FastAPI
from faststream.redis import RedisBroker
from redis.exceptions import RedisError

from newswire_runtime import metrics
from newswire_runtime.client import Client
from newswire_runtime.hop import Hop
from newswire_runtime.hot import HotAnswers
from newswire_runtime.keeper import Keeper
from newswire_runtime.settings import Settings
from newswire_runtime.tasks import cancel_all

log = structlog.get_logger()


class Loop(Protocol):
    """A background duty of a service: it runs until it is cancelled, and survives the server's absence."""

    async def run(self) -> None: ...


@dataclass
class Service:
    """One service as its ``app.py`` built it."""

    name: str
    settings: Settings
    broker: RedisBroker
    client: Client
    hops: Sequence[Hop[Any]]
    install: Callable[[FastAPI], None]
    loops: Sequence[Loop] = ()
    openers: Sequence[Callable[[], Awaitable[object]]] = ()
    closers: Sequence[Callable[[], Awaitable[object]]] = ()
    hot: HotAnswers | None = None
    enders: Sequence[Callable[[], None]] = ()
    checks: Sequence[Callable[[], Awaitable[list[str]]]] = ()
    """Each says what does not work while the rest does."""
    _keeper: Keeper | None = None
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Connect, make the groups, then start to read; in that order, so that nothing is published past a group."""
        await self.broker.connect()
        for opening in self.openers:
            await opening()
        for hop in self.hops:
            await hop.prepare()
        await self.broker.start()
        self._keeper = Keeper(self.hops)
        self._keeper.start()
        self._tasks = [asyncio.create_task(loop.run(), name=type(loop).__name__) for loop in self.loops]
        log.info("service.started", service=self.name, partitions=self.settings.partitions)

    def end_streams(self) -> None:
        """End the answers that would go on for ever; the HTTP server can then wait for all others."""
        for end in self.enders:
            end()

    async def stop(self) -> None:
        """Finish the work in hand, then let go of the broker."""
        await cancel_all(self._tasks, self.settings.stop_timeout)
        if self._keeper is not None:
            await self._keeper.stop(self.settings.stop_timeout)
        for hop in self.hops:
            await hop.stop()
        for close in self.closers:
            await close()
        await self.broker.stop()
        await self.client.aclose()
        log.info("service.stopped", service=self.name)

    async def unready(self) -> list[str]:
        """Return what keeps the service from being ready, in plain words; empty if nothing does."""
        reasons = [f"loop {task.get_name()} ended" for task in self._tasks if task.done()]
        try:
            await self.client.set(f"conf:{{conf}}:probe:{self.name}", uuid.uuid4().hex, ex=60)
            for hop in self.hops:
                reasons += await self._hop_unready(hop)
        except (RedisError, OSError) as exc:
            reasons.append(f"broker: {exc}")
        return reasons

    async def degraded(self) -> list[str]:
        """Return what does not work, in plain words, though the service is ready; empty if all does."""
        try:
            return [reason for check in self.checks for reason in await check()]
        except (RedisError, OSError):
            return []  # `unready` says it

    async def _hop_unready(self, hop: Hop[Any]) -> list[str]:
        reader = hop.subscriber
        if not reader.running or all(task.done() for task in reader.tasks):
            return [f"{hop.stream}: its reader does not run"]
        groups = {group["name"].decode(): group for group in await self.client.xinfo_groups(hop.stream)}
        group = groups.get(hop.group)
        if group is None:
            return [f"{hop.stream}: the group {hop.group} is missing"]
        lag = group["lag"] or 0
        metrics.STREAM_LAG.labels(hop.stream, hop.group).set(lag)
        metrics.STREAM_PENDING.labels(hop.stream, hop.group).set(group["pending"])
        if lag > self.settings.lag_bound:
            return [f"{hop.stream}: {lag} entries unread, bound {self.settings.lag_bound}"]
        return []
