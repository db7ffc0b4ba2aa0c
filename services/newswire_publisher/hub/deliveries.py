"""Deliver: read the topic as it is now, sign it, post it, settle.

    leased places ─▶ subscriptions ─▶ one document a topic and reader ─▶ POST ─▶ delivered.lua

A document with the very bytes that were delivered last is not sent: the change was one that this reader does
not see. A large document is sent whole once; from then on what has come, changed and left since the last
delivery that was taken, as WebSub allows where the format does (section 7): to sign and send 300 kB to each of 100
callbacks took 80 ms.
"""

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import structlog

from newswire_publisher.hub.calls import Settled, delivered, delivery_headers
from newswire_publisher.hub.model import Call, Subscription, denial
from newswire_publisher.hub.store import HubStore, Leased
from newswire_publisher.hub.topics import Topics
from newswire_runtime import metrics
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outcome import Outcome

log = structlog.get_logger()
T = TypeVar("T")

DEADLINE_SECONDS = 10.0
WHOLE_AT_MOST = 64_000
"""Bytes of a document that is always sent whole."""


@dataclass(slots=True)
class Once:
    """What the deliveries of one look share: each document is asked for once."""

    asked: dict[Hashable, asyncio.Future[Any]] = field(default_factory=dict)

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        if key not in self.asked:
            self.asked[key] = asyncio.ensure_future(ask())
        # Without a shield, which would cost more than the rest of this: attempts are not cancelled one by one.
        return cast(T, await self.asked[key])


@dataclass(frozen=True, slots=True)
class Document:
    """A topic as it is now."""

    body: bytes
    media_type: str
    generation: int
    digest: str


class Deliveries:
    """Makes attempts to deliver."""

    def __init__(self, store: HubStore, topics: Topics, http: GuardedClient) -> None:
        self._store = store
        self._topics = topics
        self._http = http

    async def prepare(self, places: Sequence[Leased]) -> list[Awaitable[None]]:
        """Return the attempts of these places, to be run side by side."""
        found = await self._store.subscriptions([place.id for place in places])
        once = Once()
        return [self._attempt(place, found.get(place.id), once) for place in places]

    async def _attempt(self, place: Leased, subscription: Subscription | None, once: Once) -> None:
        if subscription is None:
            await self._settle(place, "over", Settled("ended"))
            return
        document = await once.get((subscription.topic.url, subscription.reader), lambda: self._document(subscription))
        if document is None:
            notice = denial(subscription, "the feed is no more, or is not yours to read any more")
            await self._settle(place, "over", Settled("denied"), notice=notice)
            return
        if document.generation == place.generation or document.digest == place.digest:
            await self._settle(place, "delivered", Settled("unchanged"), document=document)
            return
        body = await self._body(subscription, document, place.generation, once)
        headers = delivery_headers(subscription, body, document.media_type)
        outcome = await self._http.post(subscription.callback, body, headers, DEADLINE_SECONDS)
        # The jitter spreads retries; it is no secret.
        settled = delivered(outcome, place.attempts, random.random())  # noqa: S311
        verb = {"delivered": "delivered", "retry": "retry"}.get(settled.outcome, "over")
        await self._settle(place, verb, settled, document=document, outcome=outcome)

    async def _document(self, subscription: Subscription) -> Document | None:
        topic = subscription.topic
        found = await self._topics.topic(topic.name, topic.extension, topic.base_url, subscription.reader)
        return None if found is None else Document(*found, hashlib.blake2b(found[0], digest_size=16).hexdigest())

    async def _body(self, subscription: Subscription, document: Document, since: int, once: Once) -> bytes:
        """Return what is sent to who has taken the document as it was at a generation; 0 for none."""
        if len(document.body) <= WHOLE_AT_MOST or not since:
            return document.body
        topic, reader = subscription.topic, subscription.reader
        changes = await once.get(
            (topic.url, reader, since),
            lambda: self._topics.changes(topic.name, topic.extension, topic.base_url, reader, since),
        )
        return document.body if changes is None else changes

    async def _settle(
        self,
        place: Leased,
        verb: str,
        settled: Settled,
        *,
        document: Document | None = None,
        outcome: Outcome | None = None,
        notice: Call | None = None,
    ) -> None:
        generation, digest = (0, "") if document is None else (document.generation, document.digest)
        record = _record(place, settled, generation, outcome)
        metrics.HUB_DELIVERIES.labels(settled.outcome).inc()
        if settled.outcome == "delivered" and place.attempts == 1:
            metrics.HUB_SECONDS.observe(max(0.0, time.time() - place.since / 1000))
        log.info("hub.delivery", subscription=place.id, **record)
        await self._store.delivered(
            place, verb, generation=generation, digest=digest, delay=settled.delay, record=record, notice=notice
        )


def _record(place: Leased, settled: Settled, generation: int, outcome: Outcome | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "at": int(time.time() * 1000),
        "outcome": settled.outcome,
        "attempt": place.attempts,
        "generation": generation,
    }
    if outcome is not None:
        record |= {"ms": round(outcome.duration_ms, 1), "status": outcome.status, "detail": outcome.detail or None}
        record |= {"error": outcome.error.value if outcome.error else None}
    if settled.delay:
        record["next_in_ms"] = settled.delay
    return {name: value for name, value in record.items() if value is not None}
