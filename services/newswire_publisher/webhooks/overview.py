"""What an owner sees of a webhook: its settings, its queue's counts and what came of its last push."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.model import Status, Webhook
from newswire_publisher.webhooks.pushes import Counts
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.unsigned import Unsigned
from newswire_schemas.article import from_ms, to_iso

_LAST = ("id", "sequence", "at", "outcome", "status", "error")


class HookOverview:
    """Shows webhooks with their health, many in few round trips."""

    def __init__(self, queues: HookQueues, attempts: Attempts, unsigned: Unsigned) -> None:
        self._queues = queues
        self._attempts = attempts
        self._unsigned = unsigned

    async def shown(self, hooks: Sequence[Webhook]) -> list[dict[str, Any]]:
        """Return the webhooks as JSON, each with its health."""
        counts = await self._queues.counts([hook.id for hook in hooks])
        last = await asyncio.gather(*[self._attempts.newest(hook.id, 1) for hook in hooks])
        return [
            hook.shown() | health_of(hook, count, attempts[0] if attempts else None, self._unsigned.why(hook))
            for hook, count, attempts in zip(hooks, counts, last, strict=True)
        ]


def health_of(hook: Webhook, counts: Counts, last: Mapping[str, Any] | None, unsigned: str | None) -> dict[str, Any]:
    """Return ``health`` in a word, the counts, and the moments (ISO 8601, UTC) of those that there are.

    ``health`` is ``disabled``, ``pending``, ``unsigned`` (its pushes wait, as ``unsigned`` says), ``failing`` (its
    pushes have failed since ``failing_since``) or ``ok``.
    """
    found: dict[str, Any] = {
        "health": _word(hook, counts, unsigned),
        "waiting": counts.waiting,
        "in_flight": counts.in_flight,
        "last_sequence": counts.last_sequence,
        "given_up": counts.given_up,
        "circuit": counts.circuit,
    }
    for name, ms in (("failing_since", counts.failing_since_ms), ("paused_until", counts.paused_until_ms)):
        if ms:
            found[name] = to_iso(from_ms(ms))
    if unsigned:
        found["unsigned"] = unsigned
    if last is not None:
        found["last_attempt"] = {name: last[name] for name in _LAST if last.get(name) is not None}
    return found


def _word(hook: Webhook, counts: Counts, unsigned: str | None) -> str:
    if hook.status is not Status.ENABLED:
        return hook.status.value
    if unsigned:
        return "unsigned"
    return "failing" if counts.failing_since_ms else "ok"
