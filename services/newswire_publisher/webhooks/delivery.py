"""One attempt: make the payload, sign it, post it, decide what follows, hand it to the settler.

    leased pushes ─▶ entries + versions ─▶ bytes ─▶ signature ─▶ POST (guarded, bounded) ─▶ Settler

Nothing here waits for its next attempt: the queue does. A worker that dies leaves
leases that end, and the pushes go out again under the same ``webhook-id``.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.log import Entry, HookLog, read_entry
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Kind, Leased
from newswire_publisher.webhooks.retry import (
    Decision,
    Delivered,
    Exhausted,
    Gone,
    Retry,
    next_attempt,
    next_attempt_of_kill,
)
from newswire_publisher.webhooks.settling import Attempt, Settler
from newswire_runtime import metrics
from newswire_runtime.conf import Table
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outcome import Outcome

log = structlog.get_logger()

DEADLINE_SECONDS = 15.0
KEPT_RESPONSE = 2_000
"""Characters of a receiver's answer in the log of attempts."""

_NAMES = {Delivered: "delivered", Gone: "gone", Retry: "retry", Exhausted: "exhausted"}


@dataclass(frozen=True, slots=True)
class Push:
    """A leased push. ``attempt`` counts this one."""

    hook: Webhook
    entry: Entry
    attempt: int
    kind: Kind
    lease: str


class Courier:
    """Makes attempts."""

    def __init__(
        self, *, hooks: Table[Webhook], log_of: HookLog, http: GuardedClient, keyring: Keyring, settler: Settler
    ) -> None:
        self._hooks = hooks
        self._log = log_of
        self._http = http
        self._keyring = keyring
        self._settler = settler
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, leased: Sequence[Leased], done: Callable[[], None]) -> None:
        """Start the attempts; ``done`` is called once for each, when it has been handed to the settler.

        If this raises, none was started.
        """
        hooks = await self._hooks.all()
        pushes = [
            Push(hook, read_entry(each.sequence, each.entry), each.attempt, each.kind, each.lease)
            for each in leased
            if (hook := hooks.get(each.hook_id)) is not None
        ]
        bodies = await self._log.bodies([(push.hook, push.entry) for push in pushes])
        for _ in range(len(leased) - len(pushes)):
            done()  # deleted meanwhile, its queue too
        for push, body in zip(pushes, bodies, strict=True):
            if body is None:
                self._give_up(push)
                done()
                continue
            task = asyncio.create_task(self._attempt(push, body, done))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def post(self, hook: Webhook, message_id: str, body: bytes) -> Outcome:
        """Sign and post one body."""
        headers = self._keyring.signed_headers(hook, message_id, body, time.time())
        return await self._http.post(hook.url or "", body, headers, DEADLINE_SECONDS)

    async def _attempt(self, push: Push, body: bytes, done: Callable[[], None]) -> None:
        try:
            self._answered(push, await self.post(push.hook, message_id(push.hook.id, push.entry.sequence), body))
        except Exception:
            log.exception("webhook.attempt_failed", webhook=push.hook.id, sequence=push.entry.sequence)
        finally:
            done()

    def _answered(self, push: Push, outcome: Outcome) -> None:
        now_ms = outcome.started_at_ms + int(outcome.duration_ms)
        # The jitter spreads retries; it is no secret.
        decision = (
            next_attempt_of_kill(push.attempt, outcome, now_ms, random.random())  # noqa: S311
            if push.kind == "kill"
            else next_attempt(push.attempt, outcome, now_ms, push.hook.policy, random.random())  # noqa: S311
        )
        record = _record(push, outcome, decision)
        _observe(push, record, decision, now_ms)
        # An endpoint that says when to come again is well.
        says_when = isinstance(decision, Retry | Exhausted) and decision.pause_until_ms is not None
        circuit_ms = 0 if outcome.ok or says_when else max(1, (push.hook.policy.schedule or (5_000,))[0])
        self._settler.add(
            Attempt(push.hook, push.entry, push.lease, push.attempt, push.kind, decision, circuit_ms, record)
        )

    def _give_up(self, push: Push) -> None:
        record = {"sequence": push.entry.sequence, "outcome": "exhausted", "detail": "the version is kept no more"}
        self._settler.add(Attempt(push.hook, push.entry, push.lease, push.attempt, push.kind, Exhausted(), 0, record))


def message_id(hook_id: str, sequence: int) -> str:
    """Return the ``webhook-id`` of an entry: the same for every attempt and every replay of it."""
    return f"msg_{hook_id}_{sequence}"


def _record(push: Push, outcome: Outcome, decision: Decision) -> dict[str, Any]:
    entry = push.entry
    record: dict[str, Any] = {
        "sequence": entry.sequence,
        "uri": entry.uri,
        "version": entry.version,
        "type": entry.type,
        "attempt": push.attempt,
        "outcome": _NAMES[type(decision)],
        "at": _iso(outcome.started_at_ms),
        "ms": round(outcome.duration_ms, 1),
    }
    if outcome.status is not None:
        record["status"] = outcome.status
    if outcome.error:
        record["error"] = outcome.error.value
    if outcome.detail:
        record["detail"] = outcome.detail
    if outcome.excerpt:
        record["response"] = outcome.excerpt[:KEPT_RESPONSE].decode(errors="replace")
    if outcome.truncated or len(outcome.excerpt) > KEPT_RESPONSE:
        record["truncated"] = True
    if isinstance(decision, Retry):
        record["next_at"] = _iso(decision.at_ms)
    if push.kind == "replay":
        record["replay"] = True
    return record


def _iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _observe(push: Push, record: dict[str, Any], decision: Decision, now_ms: int) -> None:
    metrics.DELIVERIES.labels(record["outcome"]).inc()
    if push.attempt == 1 and push.kind != "replay" and isinstance(decision, Delivered):
        metrics.DELIVERY_SECONDS.observe(max(0.0, now_ms / 1000 - push.entry.received_at.timestamp()))
    shown = {name: value for name, value in record.items() if name not in ("response", "at")}
    log.info("webhook.attempt", webhook=push.hook.id, trace_id=push.entry.trace_id, **shown)
