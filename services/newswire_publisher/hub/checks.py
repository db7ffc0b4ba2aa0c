"""Ask a callback whether it meant it (section 5.3), or tell it that it was denied (section 5.2).

    leased places ─▶ calls ─▶ may the topic still be read? ─▶ GET with a challenge ─▶ checked.lua

Each attempt has a challenge of its own, known to this process alone: one that is lost with it is asked anew.
"""

import random
import secrets
from collections.abc import Awaitable, Sequence

import structlog

from newswire_publisher.hub.calls import Settled, answered, question
from newswire_publisher.hub.model import Call, denial
from newswire_publisher.hub.store import HubStore, Leased
from newswire_publisher.hub.topics import Topics
from newswire_runtime import metrics
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outcome import Outcome

log = structlog.get_logger()

DEADLINE_SECONDS = 10.0


class Checks:
    """Makes the calls of one partition."""

    def __init__(self, store: HubStore, topics: Topics, http: GuardedClient, partition: int) -> None:
        self._store = store
        self._topics = topics
        self._http = http
        self._partition = partition

    async def prepare(self, places: Sequence[Leased]) -> list[Awaitable[None]]:
        """Return the calls of these places, to be run side by side."""
        found = await self._store.calls(self._partition, [place.id for place in places])
        return [self._attempt(place, found.get(place.id)) for place in places]

    async def _attempt(self, place: Leased, call: Call | None) -> None:
        if call is None:
            await self._store.checked(place, "done")
            return
        subscription = call.subscription
        if call.mode == "subscribe" and not await self._topics.may_read(subscription.feed, subscription.reader):
            notice = denial(subscription, "the feed is no more, or is not yours to read any more", call.topic)
            await self._store.checked(place, "deny", body=notice)
            return
        challenge = secrets.token_urlsafe(32)
        outcome = await self._http.get(question(call, challenge), {}, DEADLINE_SECONDS)
        # The jitter spreads retries; it is no secret.
        settled = answered(call, challenge, outcome, place.attempts, random.random())  # noqa: S311
        _observe(place, call, settled, outcome)
        if settled.outcome == "retry":
            await self._store.checked(place, "retry", settled.delay)
        elif settled.outcome != "confirmed":
            await self._store.checked(place, "done")
        elif call.mode == "subscribe":
            await self._store.checked(place, "subscribe", subscription.lease * 1000, subscription)
        else:
            await self._store.checked(place, "unsubscribe")


def _observe(place: Leased, call: Call, settled: Settled, outcome: Outcome) -> None:
    metrics.HUB_CHECKS.labels(call.mode, settled.outcome).inc()
    log.info(
        "hub.check",
        subscription=place.id,
        mode=call.mode,
        outcome=settled.outcome,
        attempt=place.attempts,
        status=outcome.status,
        error=outcome.error.value if outcome.error else None,
        ms=round(outcome.duration_ms, 1),
    )
