"""One attempt: make the payload, sign it, post it, decide what follows, hand it to the settler.

    leased pushes ─▶ entries + versions ─▶ bytes ─▶ signature ─▶ POST (guarded, bounded) ─▶ Settler

Nothing here waits for its next attempt: the queue does. A worker that dies leaves
leases that end, and the pushes go out again under the same ``webhook-id``.
"""

import json
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from newswire_publisher.articles.message import Format, Parts
from newswire_publisher.webhooks.attempts import delivered
from newswire_publisher.webhooks.kept_answers import kept
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.log import Entry, HookLog, read_entry
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Leased
from newswire_publisher.webhooks.retry import (
    DEFAULT_SCHEDULE,
    Delivered,
    Exhausted,
    Retry,
    next_attempt,
    next_attempt_of_kill,
)
from newswire_publisher.webhooks.settling import WHAT, Attempt, Push, Settler
from newswire_publisher.webhooks.vault import VaultError
from newswire_runtime import metrics
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outcome import Outcome

log = structlog.get_logger()

DEADLINE_SECONDS = 15.0

_LOGGED = ("sequence", "attempt", "outcome", "at_ms", "ms", "status", "error", "detail", "next_at_ms", "replay")
_TAKEN = Delivered()


class Courier:
    """Makes attempts."""

    def __init__(self, *, log_of: HookLog, http: GuardedClient, keyring: Keyring, settler: Settler) -> None:
        self._log = log_of
        self._http = http
        self._keyring = keyring
        self._settler = settler
        self._tells_all = log.is_enabled_for(logging.DEBUG)

    async def start(
        self, leased: Sequence[Leased], hooks: Mapping[str, Webhook], until: float, done: Callable[[], None]
    ) -> None:
        """Start the attempts; ``done`` is called once for each, when it has been handed to the settler.

        After ``until`` (`time.monotonic`) nothing is sent: the leases could end before the attempts do, and
        another worker send the same at once. If this raises, none was started.
        """
        # An article goes to many at once: what its entry says is read once, and its payload made once for a format.
        read: dict[str, Sequence[Any]] = {}
        wanted: dict[tuple[str, Format], tuple[Format, Entry]] = {}
        pushes: list[tuple[Push, tuple[str, Format]]] = []
        for hook_id, sequence, attempt, kind, lease, text, _ in leased:
            hook = hooks.get(hook_id)
            if hook is None:
                continue
            words = read.get(text)
            if words is None:
                words = read[text] = read_entry(sequence, text)[1:]
            entry, payload = Entry(sequence, *words), (text, hook.format)
            pushes.append((Push(hook, entry, attempt, kind, lease), payload))
            if payload not in wanted:
                wanted[payload] = hook.format, entry
        found = dict(zip(wanted, await self._log.parts(list(wanted.values())), strict=True))
        for _ in range(len(leased) - len(pushes)):
            done()  # deleted meanwhile, its queue too
        if time.monotonic() > until:
            log.warning("webhook.too_late", pushes=len(pushes))
            for _ in pushes:
                done()
            return
        for push, payload in pushes:
            parts = found[payload]
            if parts is None:
                self._give_up(push)
                done()
            else:
                self._start(push, parts, done)

    async def post(self, hook: Webhook, message_id: str, body: bytes) -> Outcome:
        """Sign and post one body."""
        wall = time.time()
        headers = self._keyring.signed_headers(hook, message_id, body, wall)
        return await self._http.post(hook.url or "", body, headers, DEADLINE_SECONDS, wall)

    def _start(self, push: Push, parts: Parts, done: Callable[[], None]) -> None:
        """Sign a push and send it; no task waits for the answer, because thousands may be on their way."""

        def answered(outcome: Outcome) -> None:
            try:
                self._answered(push, outcome)
            finally:
                done()

        try:
            hook, sequence = push.hook, push.entry.sequence
            body, wall = parts.split(sequence), time.time()
            headers = self._keyring.signed_headers(hook, message_id(hook.id, sequence), body, wall)
            self._http.send(hook.url or "", body, headers, DEADLINE_SECONDS, answered, wall)
        except VaultError as exc:
            # Nothing can be signed: the lease ends, and the push goes out once the right key is set.
            log.error("webhook.unsigned", webhook=push.hook.id, sequence=push.entry.sequence, error=exc.detail)  # noqa: TRY400
            done()
        except Exception:
            # A fault of ours: its lease ends, and it goes out again.
            log.exception("webhook.attempt_failed", webhook=push.hook.id, sequence=push.entry.sequence)
            done()

    def _answered(self, push: Push, outcome: Outcome) -> None:
        if outcome.ok:
            self._delivered(push, outcome)
            return
        now_ms = outcome.started_at_ms + int(outcome.duration_ms)
        policy = push.hook.policy
        # The jitter spreads retries; it is no secret.
        decision = (
            next_attempt_of_kill(push.attempt, outcome, now_ms, random.random())  # noqa: S311
            if push.kind == "kill"
            else next_attempt(push.attempt, outcome, now_ms, policy, random.random())  # noqa: S311
        )
        what = WHAT[type(decision)]
        record = record_of(push, outcome, what, decision.at_ms if isinstance(decision, Retry) else None)
        shown = {name: record[name] for name in _LOGGED if name in record}
        about = {"webhook": push.hook.id, "uri": push.entry.uri, "trace_id": push.entry.trace_id}
        log.info("webhook.attempt", **about, **shown)
        # An endpoint that says when to come again is well.
        says_when = isinstance(decision, Retry | Exhausted) and decision.pause_until_ms is not None
        circuit_ms = 0 if says_when else max(1, (policy.schedule or DEFAULT_SCHEDULE)[0])
        self._settler.add(Attempt(push, decision, circuit_ms, json.dumps(record, ensure_ascii=False)))

    def _delivered(self, push: Push, outcome: Outcome) -> None:
        """Note a delivery. Nearly all attempts are one, so that this is the short way: its line is for debugging."""
        if push.attempt == 1 and push.kind != "replay":
            ended_ms = outcome.started_at_ms + outcome.duration_ms
            metrics.DELIVERY_SECONDS.observe(max(0.0, (ended_ms - push.entry.received_ms) / 1000))
        entry = push.entry
        if self._tells_all:
            log.debug("webhook.attempt", webhook=push.hook.id, sequence=entry.sequence, trace_id=entry.trace_id)
        if outcome.excerpt or push.kind == "replay":
            record = json.dumps(record_of(push, outcome, "delivered", None), ensure_ascii=False)
        else:
            record = delivered(
                entry.sequence, push.attempt, outcome.started_at_ms, outcome.duration_ms, outcome.status or 0
            )
        self._settler.add(Attempt(push, _TAKEN, 0, record))

    def _give_up(self, push: Push) -> None:
        record = {"sequence": push.entry.sequence, "outcome": "exhausted", "detail": "the version is kept no more"}
        record["at_ms"] = int(time.time() * 1_000)
        self._settler.add(Attempt(push, Exhausted(), 0, json.dumps(record)))


def message_id(hook_id: str, sequence: int) -> str:
    """Return the ``webhook-id`` of an entry: the same for every attempt and every replay of it."""
    return f"msg_{hook_id}_{sequence}"


def record_of(push: Push, outcome: Outcome, what: str, next_at_ms: int | None) -> dict[str, Any]:
    """Return what the log of attempts keeps; what the entry says is added when it is read.

    ``revision``: of the settings that it was sent by, so that they can be found when they are others.
    """
    record: dict[str, Any] = {
        "sequence": push.entry.sequence,
        "attempt": push.attempt,
        "outcome": what,
        "at_ms": outcome.started_at_ms,
        "ms": round(outcome.duration_ms, 1),
        "revision": push.hook.revision,
    }
    if outcome.status is not None:
        record["status"] = outcome.status
    if outcome.error:
        record["error"] = outcome.error.value
    if outcome.detail:
        record["detail"] = outcome.detail
    record |= kept(outcome)
    if next_at_ms is not None:
        record["next_at_ms"] = next_at_ms
    if push.kind == "replay":
        record["replay"] = True
    return record
