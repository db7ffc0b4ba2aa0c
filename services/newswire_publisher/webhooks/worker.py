"""The webhook workers: take what is due, endpoint by endpoint in turn, and send it.

    turns ─▶ endpoints whose turn it is ─▶ lease up to each one's own room ─▶ attempts side by side
    bell  ─▶ wakes a worker at once

The turns hold endpoints, not pushes, so that ten thousand pushes to one are one place in
the line. Any number of workers may run, in as many processes as there are cores: a lease is
given once. A worker also brings to the queues what was changed in the settings, in case
whoever changed them could not.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence

import structlog
from redis.exceptions import RedisError

from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.model import Webhook
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
LONGEST_WAIT_MS = 500
START_SECONDS = 20
"""How long after a lease its attempt may start: with the deadline of an attempt it ends before the lease."""


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
        self._in_flight = 0
        self._freed = asyncio.Event()
        self._ringing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        try:
            while wanted():
                try:
                    await self._look()
                except (RedisError, OSError) as exc:
                    log.warning("webhook.worker_failed", error=str(exc))
                    await asyncio.sleep(0.2)
                except Exception:
                    # What was leased goes out again when its lease ends; the others must not wait for it.
                    log.exception("webhook.worker_failed")
                    await asyncio.sleep(0.2)
        finally:
            await self._finish()

    async def _look(self) -> None:
        """Take what is due and start it; if nothing is, wait for the bell or the next turn."""
        room = min(MOST_AT_ONCE, MOST_IN_FLIGHT - self._in_flight)
        if room <= 0:
            self._freed.clear()
            await self._freed.wait()
            return
        lease, until = secrets.token_hex(8), time.monotonic() + START_SECONDS
        leased, wait_ms, rung = await self._queues.take(
            self._partition, room=room, most=MOST_OF_ONE, lease=lease, lease_ms=LEASE_MS
        )
        if leased:
            await self._start(leased, until)
            return
        await self._settings()
        if wait_ms != 0:
            await self._wait(rung, min(LONGEST_WAIT_MS, wait_ms or LONGEST_WAIT_MS))

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
                await self._courier.start(leased, await self._settings(), until, self._done)
            except BaseException as exc:
                self._in_flight -= len(leased)
                if not isinstance(exc, RedisError | OSError) or time.monotonic() > until:
                    raise
            else:
                return
            await asyncio.sleep(0.2)

    async def _settings(self) -> Mapping[str, Webhook]:
        """Return the settings as they are now; what has changed is brought to the queues."""
        hooks = await self._hooks.all()
        if hooks is not self._known:
            for hook_id, hook in hooks.items():
                before = self._known.get(hook_id)
                is_new = before is None or before.revision != hook.revision
                if is_new and self._queues.serves(self._partition, hook_id):
                    await self._queues.apply(hook)
            self._known = hooks
        return hooks

    def _done(self) -> None:
        self._in_flight -= 1
        self._freed.set()

    async def _finish(self) -> None:
        """Let what is on its way come to its end, and settle it."""
        ringing, self._ringing = self._ringing, None
        if ringing is not None:
            ringing.cancel()
            await asyncio.gather(ringing, return_exceptions=True)
        while self._in_flight:
            self._freed.clear()
            await self._freed.wait()
        await self._settler.drain()
