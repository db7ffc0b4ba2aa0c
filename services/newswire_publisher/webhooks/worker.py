"""The webhook workers: take what is due, endpoint by endpoint in turn, and send it.

    turns ─▶ endpoints whose turn it is ─▶ lease up to each one's own room ─▶ attempts side by side
    bell  ─▶ wakes a worker at once

The turns hold endpoints, not pushes, so that ten thousand pushes to one are one place in
the line. While much waits a worker has a second look on its way, so that it starts what the
one has leased while the server answers the other. Any number of workers may run, in as many
processes as there are cores: a lease is given once. A stop lets a look come to its end, or
what it has leased would wait until its leases end. A worker also brings to the queues what
was changed in the settings, in case whoever changed them could not.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from redis.exceptions import RedisError

from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.model import MOST_CONCURRENCY, Webhook
from newswire_publisher.webhooks.pushes import Leased
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.settling import LEASE_MS, Settler
from newswire_runtime.conf import Table
from newswire_runtime.tasks import wanted

log = structlog.get_logger()

MOST_IN_FLIGHT = 8_192
"""Pushes on their way at once. What hangs holds a place for its deadline; after ten failures in a row only one."""
MOST_AT_ONCE = 512
"""Pushes that one look takes."""
MOST_OF_ONE = 4
"""Pushes of one endpoint that one look takes while many wait: the others' turns come in between."""
FAIR_SHARE, SMALL_SHARE = 16, 2
"""What an endpoint may have on its way at once when half of the places are taken, and when three quarters are: the
slow endpoints of one owner must leave some to the others."""
MUCH = 128
"""So many pushes of one look, and a second one goes beside it."""
LONGEST_WAIT_MS = 500
START_SECONDS = 20
"""How long after a lease its attempt may start: with the deadline of an attempt it ends before the lease."""
REREAD_SECONDS = 1.0
"""Settings are read again after so long also if the queue knows of no newer ones."""


class HookWorker:
    """Serves the endpoints of one partition."""

    def __init__(
        self, *, hooks: Table[Webhook], queues: HookQueues, courier: Courier, settler: Settler, partition: int
    ) -> None:
        self._hooks = hooks
        self._queues = queues
        self._courier = courier
        self._settler = settler
        self._partition = partition
        self._known: Mapping[str, Webhook] = {}
        self._reread_at = 0.0
        self._in_flight = 0
        self._freed = asyncio.Event()
        self._looks: set[asyncio.Task[Any]] = set()
        self._beside: asyncio.Task[None] | None = None
        self._stopping = False
        self._ringing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        self._stopping = False
        try:
            while wanted():
                await self._safely(self._look)
        finally:
            await self._finish()

    async def _safely(self, act: Callable[[], Awaitable[None]]) -> None:
        """Do something that is done again soon if it fails."""
        try:
            await act()
        except (RedisError, OSError) as exc:
            log.warning("webhook.worker_failed", error=str(exc))
            await asyncio.sleep(0.2)
        except Exception:
            # What was leased goes out again when its lease ends; the others must not wait for it.
            log.exception("webhook.worker_failed")
            await asyncio.sleep(0.2)

    async def _look(self) -> None:
        """Take what is due and start it; if nothing is, wait for the bell or the next turn."""
        started, wait_ms, rung = await self._serving()
        if started:
            if started >= MUCH and (self._beside is None or self._beside.done()):
                self._beside = asyncio.create_task(self._safely(self._look_beside))
            return
        await self._settings()
        if wait_ms != 0:
            await self._wait(rung, min(LONGEST_WAIT_MS, wait_ms or LONGEST_WAIT_MS))

    async def _look_beside(self) -> None:
        while (await self._serving())[0] >= MUCH:
            pass

    async def _serving(self) -> tuple[int, int | None, str]:
        """Do what `_serve` does, and let it go on if this is cancelled."""
        look = asyncio.create_task(self._serve())
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)
        return await asyncio.shield(look)

    async def _serve(self) -> tuple[int, int | None, str]:
        """Take what is due and start it; return how much, and what `HookQueues.take` says of the next."""
        while (room := min(MOST_AT_ONCE, MOST_IN_FLIGHT - self._in_flight)) <= 0:
            self._freed.clear()
            await self._freed.wait()
            if self._stopping:
                return 0, None, ""
        lease, until = secrets.token_hex(8), time.monotonic() + START_SECONDS
        before = self._in_flight
        self._in_flight += room
        try:
            leased, wait_ms, rung = await self._queues.take(
                self._partition, room=room, most=MOST_OF_ONE, lease=lease, lease_ms=LEASE_MS, share=_share(before)
            )
        finally:
            self._in_flight -= room
        if leased:
            await self._start(leased, until)
        return len(leased), wait_ms, rung

    async def _wait(self, rung: str, wait_ms: int) -> None:
        """Wait for the bell, or until the time is up by our own clock: the server ends a blocking read 100 ms late."""
        if self._ringing is None:
            self._ringing = asyncio.create_task(self._queues.listen(self._partition, rung, LONGEST_WAIT_MS))
        await asyncio.wait({self._ringing}, timeout=wait_ms / 1000)
        if self._ringing.done():
            ringing, self._ringing = self._ringing, None
            ringing.result()

    async def _start(self, leased: Sequence[Leased], until: float) -> None:
        """Start what was leased, as long as the leases hold: the server may be away just now."""
        while True:
            self._in_flight += len(leased)
            try:
                await self._courier.start(leased, await self._settings(leased), until, self._done)
            except BaseException as exc:
                self._in_flight -= len(leased)
                if not isinstance(exc, RedisError | OSError) or time.monotonic() > until:
                    raise
            else:
                return
            await asyncio.sleep(0.2)

    async def _settings(self, leased: Sequence[Leased] = ()) -> Mapping[str, Webhook]:
        """Return settings no older than those that pushes were leased by; what has changed is brought to the queues.

        Each change reaches the queue before its caller is answered, so that nothing need be asked for most pushes.
        """
        if time.monotonic() < self._reread_at and all(self._knows(each) for each in leased):
            return self._known
        self._reread_at = time.monotonic() + REREAD_SECONDS
        hooks = await self._hooks.all()
        if hooks is not self._known:
            for hook_id, hook in hooks.items():
                before = self._known.get(hook_id)
                is_new = before is None or before.revision != hook.revision
                if is_new and self._queues.serves(self._partition, hook_id):
                    await self._queues.apply(hook)
            self._known = hooks
        return hooks

    def _knows(self, push: Leased) -> bool:
        hook = self._known.get(push.hook_id)
        return hook is not None and hook.revision >= push.revision

    def _done(self) -> None:
        self._in_flight -= 1
        self._freed.set()

    async def _finish(self) -> None:
        """Let what is on its way come to its end, and settle it."""
        self._stopping = True
        for task in (self._ringing, self._beside):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        self._ringing = self._beside = None
        await asyncio.gather(*self._looks, return_exceptions=True)
        while self._in_flight:
            self._freed.clear()
            await self._freed.wait()
        await self._settler.drain()


def _share(in_flight: int) -> int:
    """Return how much one endpoint may have on its way, with so much on its way to all of them."""
    if in_flight < MOST_IN_FLIGHT / 2:
        return MOST_CONCURRENCY
    return FAIR_SHARE if in_flight < MOST_IN_FLIGHT * 3 / 4 else SMALL_SHARE
