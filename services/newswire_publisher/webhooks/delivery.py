"""One attempt: make the payload, sign it, post it, decide what follows, settle it.

    leased push ─▶ entry + version ─▶ bytes ─▶ signature ─▶ POST (guarded, bounded) ─▶ settle + attempt log

Nothing here waits for its next attempt: the queue does. A worker that dies leaves a
lease that ends, and the push goes out again under the same ``webhook-id``.
"""

import json
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.log import Entry, HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.retry import Decision, Delivered, Exhausted, Gone, Retry, next_attempt
from newswire_runtime import metrics
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.group_commit import GroupCommit
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outcome import Outcome
from newswire_runtime.scripts import Script, Word
from newswire_schemas.streams import HookKeys

log = structlog.get_logger()

DEADLINE_SECONDS = 15.0
LEASE_MS = 45_000
"""Longer than any attempt with its settling can take, so that a push is never on its way twice at once."""
KEEP_ATTEMPTS_MS = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Push:
    """A leased push. ``attempts`` counts this one."""

    hook: Webhook
    sequence: int
    attempts: int
    lease: str


class Courier:
    """Makes attempts."""

    def __init__(
        self,
        *,
        client: Client,
        hooks: Table[Webhook],
        log_of: HookLog,
        http: GuardedClient,
        keyring: Keyring,
        partitions: int,
    ) -> None:
        self._group = GroupCommit(client)
        self._hooks = hooks
        self._log = log_of
        self._http = http
        self._keyring = keyring
        self._partitions = partitions
        self._settle_script = Script("newswire_publisher.webhooks", "settle.lua")

    async def attempt(self, push: Push) -> None:
        """Make one attempt and settle it."""
        entry = await self._log.entry(push.hook.id, push.sequence)
        body = None if entry is None else await self._log.body(push.hook, entry)
        if entry is None or body is None:
            gone = {"sequence": push.sequence, "outcome": "exhausted", "error": "the entry is kept no more"}
            await self._settle(push, Exhausted(), gone)
            return
        outcome = await self.post(push.hook, f"msg_{push.hook.id}_{push.sequence}", body)
        now_ms = outcome.started_at_ms + int(outcome.duration_ms)
        # The jitter spreads retries; it is no secret.
        decision = next_attempt(push.attempts, outcome, now_ms, push.hook.policy, random.random())  # noqa: S311
        record = _record(push, entry, outcome, decision)
        _observe(push, entry, record, decision, now_ms)
        await self._settle(push, decision, record)
        if isinstance(decision, Gone):
            await self._hooks.update(push.hook.id, _disabled_by_410)

    async def post(self, hook: Webhook, message_id: str, body: bytes) -> Outcome:
        """Sign and post one body."""
        headers = self._keyring.signed_headers(hook, message_id, body, time.time())
        return await self._http.post(hook.url or "", body, headers, DEADLINE_SECONDS)

    async def _settle(self, push: Push, decision: Decision, record: dict[str, Any]) -> None:
        keys = HookKeys(push.hook.id, self._partitions)
        retry_at = decision.at_ms if isinstance(decision, Retry) else 0
        pause = decision.pause_until_ms if isinstance(decision, Retry | Exhausted) else None
        now_ms = int(datetime.now(UTC).timestamp() * 1000)
        words: list[Word] = [
            push.hook.id,
            push.sequence,
            push.lease,
            "retry" if isinstance(decision, Retry) else "done",
            retry_at,
            pause or 0,
            json.dumps(record, ensure_ascii=False),
            now_ms - KEEP_ATTEMPTS_MS,
        ]
        names = [keys.waiting, keys.leased, keys.items, keys.state, keys.turns, keys.attempts, keys.bell]
        await self._group.script(self._settle_script, names, words)


def _disabled_by_410(hook: Webhook) -> Webhook:
    return hook.model_copy(update={"enabled": False, "disabled_reason": "the receiver answered 410 Gone"})


def _record(push: Push, entry: Entry, outcome: Outcome, decision: Decision) -> dict[str, Any]:
    names = {Delivered: "delivered", Gone: "gone", Retry: "retry", Exhausted: "exhausted"}
    record = {
        "sequence": push.sequence,
        "uri": entry.uri,
        "version": entry.version,
        "type": entry.type,
        "attempt": push.attempts,
        "outcome": names[type(decision)],
        "at": datetime.fromtimestamp(outcome.started_at_ms / 1000, UTC).isoformat().replace("+00:00", "Z"),
        "ms": round(outcome.duration_ms, 1),
        "status": outcome.status,
        "error": outcome.error.value if outcome.error else None,
        "detail": outcome.detail or None,
        "response": outcome.excerpt[:2_000].decode(errors="replace") or None,
        "next_at_ms": decision.at_ms if isinstance(decision, Retry) else None,
    }
    return {name: value for name, value in record.items() if value is not None}


def _observe(push: Push, entry: Entry, record: dict[str, Any], decision: Decision, now_ms: int) -> None:
    metrics.DELIVERIES.labels(record["outcome"]).inc()
    if push.attempts == 1 and isinstance(decision, Delivered):
        metrics.DELIVERY_SECONDS.observe(max(0.0, now_ms / 1000 - entry.received_at.timestamp()))
    shown = {name: value for name, value in record.items() if name not in ("response", "at")}
    log.info("webhook.attempt", webhook=push.hook.id, trace_id=entry.trace_id, **shown)
