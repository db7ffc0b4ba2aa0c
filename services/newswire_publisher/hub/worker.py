"""The hub's worker: sees what changed and what is due, and starts attempts side by side.

    look ─▶ dirty feeds are spread ─▶ leases that ended go ─▶ what is due is taken, by queue ─▶ attempts
      ▲────────────────────── a bell, the next moment, or a place that comes free ◀──────────────┘

Any number of workers may run: a place is leased once. What hangs holds a place of its queue
for its deadline; the queues have rooms of their own, so that callbacks that failed before, and
callbacks of strangers, take no room from deliveries that work.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from typing import Protocol

import structlog
from redis.exceptions import RedisError

from newswire_publisher.hub.queues import Glance, HubQueues, Queue
from newswire_publisher.hub.store import HubStore, Leased
from newswire_runtime.tasks import wanted

log = structlog.get_logger()

ROOMS = (2_048, 256, 256)
"""On their way at once: first attempts, attempts to callbacks that failed before, calls."""
MOST_AT_ONCE = 256
LONGEST_WAIT_MS = 500
FULL_WAIT_SECONDS = 0.02


class Attempts(Protocol):
    """What is done with the places of a queue."""

    async def prepare(self, places: Sequence[Leased]) -> list[Awaitable[None]]: ...


class HubWorker:
    """Serves the subscribers of one partition's feeds."""

    def __init__(self, queues: HubQueues, store: HubStore, deliveries: Attempts, checks: Attempts) -> None:
        self._queues = queues
        self._store = store
        self._makers = {queues.due: deliveries, queues.again: deliveries, queues.checks: checks}
        self._in_flight: dict[Queue, set[asyncio.Task[None]]] = {queue: set() for queue in queues.all}
        self._freed = asyncio.Event()

    async def run(self) -> None:
        try:
            while wanted():
                try:
                    await self._turn()
                except (RedisError, OSError) as exc:
                    log.warning("hub.worker_failed", error=str(exc))
                    await asyncio.sleep(0.2)
        finally:
            running = [task for tasks in self._in_flight.values() for task in tasks]
            await asyncio.gather(*running, return_exceptions=True)

    async def _turn(self) -> None:
        """Do what there is to do now; if that is nothing, wait."""
        glance = await self._queues.look()
        self._freed.clear()
        if glance.dirty:
            await self._queues.spread(glance.dirty)
        for subscription in glance.ended:
            await self._store.end(subscription, "expired")
        started, full = 0, False
        for queue, first, lease in zip(self._queues.all, glance.firsts, glance.leases, strict=True):
            fresh = bool(glance.dirty) and queue is self._queues.due
            if fresh or any(at is not None and at <= glance.now for at in (first, lease)):
                room = min(MOST_AT_ONCE, queue.room - len(self._in_flight[queue]))
                full = full or room <= 0
                started += await self._start(queue, room) if room > 0 else 0
        if started or glance.dirty or glance.ended:
            return
        if full:
            # The other queues go on meanwhile: their bells are looked at again soon.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._freed.wait(), FULL_WAIT_SECONDS)
            return
        await self._queues.wait(glance, _until_next(glance))

    async def _start(self, queue: Queue, room: int) -> int:
        places = await self._queues.take(queue, room)
        tasks = self._in_flight[queue]

        def done(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            self._freed.set()

        for attempt in await self._makers[queue].prepare(places) if places else []:
            task = asyncio.create_task(_run(attempt))
            tasks.add(task)
            task.add_done_callback(done)
        return len(places)


def _until_next(glance: Glance) -> int:
    coming = [*glance.firsts, *glance.leases, glance.next_end]
    return min([LONGEST_WAIT_MS, *[at - glance.now for at in coming if at is not None and at > glance.now]])


async def _run(attempt: Awaitable[None]) -> None:
    try:
        await attempt
    except (RedisError, OSError) as exc:
        log.warning("hub.unsettled", error=str(exc))  # its lease ends, and it is done again
    except Exception:
        log.exception("hub.attempt_failed")
