"""Settles attempts in batches: while one batch is on its way to the server, the next one fills up.

    attempt ─▶ waiting list of its partition ─▶ one script ─▶ what is of note: hook:{p}:notes

When the server is away, a batch is kept and tried again as long as its leases may hold: what was
delivered is then not sent twice. After that whoever leases a push sends it again under the same id.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import structlog
from redis.exceptions import ClusterDownError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError, TryAgainError

from newswire_publisher.webhooks.log import Entry
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Kind, Settlement, What
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.retry import Decision, Delivered, Exhausted, Gone, Retry, is_alarming
from newswire_runtime import metrics

log = structlog.get_logger()

LEASE_MS = 45_000
"""Longer than any attempt with its settling can take, so that a push is never on its way twice at once."""
MOST_AT_ONCE = 512
AGAIN_SECONDS = 0.2
AWAY = OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError

WHAT: dict[type[Decision], What] = {Delivered: "delivered", Retry: "retry", Exhausted: "exhausted", Gone: "gone"}


class Push(NamedTuple):
    """A leased push. ``attempt`` counts this one."""

    hook: Webhook
    entry: Entry
    attempt: int
    kind: Kind
    lease: str


class Attempt(NamedTuple):
    """An attempt that was made, and what follows from it. ``record`` is what the log of attempts keeps (JSON)."""

    push: Push
    decision: Decision
    circuit_ms: int
    record: str


class Settler:
    """Settles the attempts of one partition.

    ``keep_ms``: how long attempts are kept in the log. ``patience_ms``: how long an endpoint may do nothing but fail.
    """

    def __init__(self, queues: HookQueues, partition: int, keep_ms: int, patience_ms: int) -> None:
        self._queues = queues
        self._partition = partition
        self._keep_ms = keep_ms
        self._patience_ms = patience_ms
        self._waiting: list[tuple[float, Attempt]] = []
        self._flusher: asyncio.Task[None] | None = None

    def add(self, attempt: Attempt) -> None:
        """Settle an attempt soon."""
        self._waiting.append((time.monotonic(), attempt))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())

    async def drain(self) -> None:
        """Wait until everything is settled."""
        while self._flusher is not None and not self._flusher.done():
            await asyncio.wait({self._flusher})

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            attempts = [attempt for _, attempt in batch]
            try:
                await self._settle(attempts)
            except (RedisError, OSError) as exc:
                if isinstance(exc, ResponseError) and not isinstance(exc, AWAY):
                    await self._settle_each(attempts, exc)
                else:
                    await self._keep(batch, exc)

    async def _keep(self, batch: list[tuple[float, Attempt]], cause: Exception) -> None:
        oldest = time.monotonic() - LEASE_MS / 1000
        kept = [each for each in batch if each[0] > oldest]
        log.warning("webhook.unsettled", attempts=len(kept), given_up=len(batch) - len(kept), error=str(cause))
        self._waiting = kept + self._waiting
        await asyncio.sleep(AGAIN_SECONDS)

    async def _settle_each(self, attempts: Sequence[Attempt], cause: ResponseError) -> None:
        """Settle one by one what the server refused as a whole, so that one attempt cannot hold up the others."""
        log.error("webhook.batch_refused", attempts=len(attempts), error=str(cause))
        for attempt in attempts:
            try:
                await self._settle([attempt])
            except (RedisError, OSError):
                # Its lease ends, and it goes out again under the same id.
                log.exception("webhook.unsettled", webhook=attempt.push.hook.id, sequence=attempt.push.entry.sequence)

    async def _settle(self, attempts: Sequence[Attempt]) -> None:
        rows = list(map(_settlement, attempts))
        oldest_ms = int(time.time() * 1_000) - self._keep_ms
        await self._queues.settle(self._partition, rows, oldest_ms, self._patience_ms)
        for what, count in Counter(row.what for row in rows).items():
            metrics.DELIVERIES.labels(what).inc(count)


def _settlement(attempt: Attempt) -> Settlement:
    (hook, entry, number, kind, lease), decision, circuit_ms, record = attempt
    if isinstance(decision, Delivered):
        return Settlement(hook.id, entry.sequence, entry.key, lease, "delivered", record)
    return Settlement(
        hook.id,
        entry.sequence,
        entry.key,
        lease,
        WHAT[type(decision)],
        record,
        decision.at_ms if isinstance(decision, Retry) else 0,
        (isinstance(decision, Retry | Exhausted) and decision.pause_until_ms) or 0,
        circuit_ms,
        hook.revision,
        kind == "kill" and (isinstance(decision, Gone) or (isinstance(decision, Retry) and is_alarming(number))),
    )
