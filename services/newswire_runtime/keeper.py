"""What keeps the hops alive: reclaiming, groups, readers that ended, trimming.

One keeper a service. Each of its duties runs in a loop of its own; an error of
the server ends one turn and not the loop.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from redis.exceptions import RedisError, ResponseError

from newswire_runtime.groups import drop_idle_consumers, ensure_group, trim_handled
from newswire_runtime.hop import Hop, RawEntry

log = structlog.get_logger()

WATCH_SECONDS = 1.0
TRIM_SECONDS = 30.0
CONSUMER_IDLE_MS = 3_600_000
_MAY_WRITE = "#!lua\nreturn 1"
"""Does nothing; a server that is out of memory, or a read-only one, refuses it like any write."""


class Keeper:
    """Runs the duties for a service's hops until it is stopped."""

    def __init__(self, hops: Sequence[Hop[Any]]) -> None:
        self._hops = hops
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        for hop in self._hops:
            for seconds, duty in (
                (hop.settings.claim_idle / 2, reclaim),
                (WATCH_SECONDS, revive),
                (TRIM_SECONDS, tidy),
            ):
                self._tasks.append(asyncio.create_task(self._every(seconds, duty, hop)))

    async def stop(self, seconds: float) -> None:
        """Let each duty finish its turn, claimed entries too; end what takes more than ``seconds``."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._tasks.clear()

    async def _every(self, seconds: float, duty: Callable[[Hop[Any]], Awaitable[object]], hop: Hop[Any]) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)
                return
            await _turn(duty, hop)


async def reclaim(hop: Hop[Any]) -> int:
    """Take over entries that their reader has not finished in time; return how many were taken.

    Entries that were delivered too often become dead letters; so each entry that is
    claimed has its own delivery count from XPENDING. Nothing is claimed while the server
    refuses writes: each claim counts as a delivery, and no entry may wear out by that.
    """
    await hop.client.eval(_MAY_WRITE, 0)
    idle_ms = int(hop.settings.claim_idle * 1000)
    taken, start = 0, "0-0"
    while True:
        start, entries, *_ = await hop.client.xautoclaim(
            hop.stream, hop.group, hop.settings.consumer, idle_ms, start_id=start, count=hop.settings.batch
        )
        if entries:
            taken += len(entries)
            await _again(hop, entries)
        if start in (b"0-0", "0-0"):
            return taken


async def _again(hop: Hop[Any], entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> None:
    pending = await hop.client.xpending_range(
        hop.stream,
        hop.group,
        min=entries[0][0],
        max=entries[-1][0],
        count=10 * hop.settings.batch,
        consumername=hop.settings.consumer,
    )
    counts = {row["message_id"]: row["times_delivered"] for row in pending}
    batch: list[RawEntry] = []
    for entry_id, fields in entries:
        deliveries = counts.get(entry_id, 2)
        if deliveries > hop.settings.max_deliveries:
            detail = f"not finished in {deliveries - 1} deliveries; the log has the errors, as entry.failed"
            await hop.bury((entry_id, fields, deliveries), "exhausted", detail)
        else:
            batch.append((entry_id, fields, deliveries))
    if batch:
        log.info("entries.reclaimed", stage=hop.group, stream=hop.stream, entries=len(batch))
        await hop.run(batch)


async def revive(hop: Hop[Any]) -> bool:
    """Make a group that vanished again, and restart a reader that ended; return whether there was need."""
    missing = await ensure_group(hop.client, hop.stream, hop.group)
    reader = hop.subscriber
    alive = reader.running and any(not task.done() for task in reader.tasks)
    if alive:
        return missing
    log.warning("reader.restarted", stage=hop.group, stream=hop.stream, group_was_missing=missing)
    await reader.stop()
    await reader.start()
    return True


async def tidy(hop: Hop[Any]) -> None:
    """Trim what every group has finished, and forget consumers of processes that are gone."""
    await trim_handled(hop.client, hop.stream, int(hop.settings.stream_retention * 1000))
    await drop_idle_consumers(hop.client, hop.stream, hop.group, CONSUMER_IDLE_MS)


async def _turn(duty: Callable[[Hop[Any]], Awaitable[object]], hop: Hop[Any]) -> None:
    name = duty.__name__
    try:
        await duty(hop)
    except ResponseError as exc:
        level = log.debug if "NOGROUP" in str(exc) else log.warning
        level("duty.failed", duty=name, error=str(exc))
    except (RedisError, OSError) as exc:
        log.warning("duty.failed", duty=name, error=str(exc))
    except Exception:
        log.exception("duty.failed", duty=name)
