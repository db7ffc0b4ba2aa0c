"""What follows for an endpoint from what came of its attempts: who is told, and when it is disabled.

opened      ten that failed at their first attempt, in a row, or nothing but failures for an hour: `webhook.failing`
recovered   it takes again what it gets
gone        410: disabled at once
failing     with nothing but failures for days: disabled
exhausted   the schedule has ended for one entry
a kill      that is not taken: told at the 3rd, 6th, 12th … failure
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

import structlog

from newswire_publisher.webhooks.changes import HookChanges
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.notices import Notices
from newswire_publisher.webhooks.pushes import Noted
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.retry import Exhausted, Gone, Retry, is_alarming
from newswire_publisher.webhooks.settling import Attempt
from newswire_runtime.conf import Table
from newswire_schemas.article import from_ms, to_iso

log = structlog.get_logger()


class Health:
    """Follows the endpoints' health. ``patience``: how long one may do nothing but fail."""

    def __init__(self, hooks: Table[Webhook], queues: HookQueues, notices: Notices, patience: timedelta) -> None:
        self._changes = HookChanges(hooks, queues)
        self._notices = notices
        self._patience_ms = patience.total_seconds() * 1000

    async def observe(self, attempts: Sequence[Attempt], notes: Sequence[Noted]) -> None:
        """Follow up a batch of attempts that was settled."""
        noted: dict[int, list[Noted]] = defaultdict(list)
        for note in notes:
            noted[note.place].append(note)
        for place, attempt in enumerate(attempts):
            own = noted.get(place, [])
            if any(note.what == "lost" for note in own):
                continue  # whoever holds it follows it up
            try:
                for note in own:
                    await self._follow(attempt, note)
                await self._decided(attempt)
            except Exception:
                log.exception("webhook.not_followed_up", webhook=attempt.push.hook.id)

    async def _follow(self, attempt: Attempt, note: Noted) -> None:
        since = to_iso(from_ms(note.failing_since_ms))
        match note.what:
            case "opened":
                await self._notices.tell(attempt.push.hook, "webhook.failing", since=since, **attempt.cause)
            case "recovered":
                await self._notices.tell(attempt.push.hook, "webhook.recovered", since=since)
        is_too_long = time.time() * 1000 - note.failing_since_ms >= self._patience_ms
        if note.what in {"opened", "failing"} and is_too_long:
            await self._disable(attempt, f"nothing but failures since {since}")

    async def _decided(self, attempt: Attempt) -> None:
        about = {
            "sequence": attempt.push.entry.sequence,
            "uri": attempt.push.entry.uri or None,
            "attempts": attempt.push.attempt,
        }
        if isinstance(attempt.decision, Gone):
            await self._disable(attempt, "the receiver answered 410 Gone")
        elif isinstance(attempt.decision, Exhausted):
            await self._notices.tell(attempt.push.hook, "webhook.exhausted", **about, **attempt.cause)
        elif attempt.push.kind == "kill" and isinstance(attempt.decision, Retry) and is_alarming(attempt.push.attempt):
            await self._notices.tell(attempt.push.hook, "webhook.kill_untaken", **about, **attempt.cause)

    async def _disable(self, attempt: Attempt, reason: str) -> None:
        seen = attempt.push.hook

        def disabled(hook: Webhook) -> Webhook:
            if not hook.enabled or hook.revision != seen.revision:
                return hook  # it is disabled already, or its owner has changed it meanwhile
            return hook.model_copy(update={"enabled": False, "disabled_reason": reason})

        change = await self._changes.change(seen.id, disabled)
        if change is not None and change.is_one:
            await self._notices.tell(change.after, "webhook.disabled", reason=reason)
