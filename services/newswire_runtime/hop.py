"""One hop of the pipeline: read a batch, decode each entry, process, commit in one atomic step.

    stream ──XREADGROUP──▶ FastStream batch subscriber ─┐
    pending ──XAUTOCLAIM──▶ reclaimer ──────────────────┼─▶ decode ─▶ stage ─▶ hand-off (XACK + effects)
                                                        └─ malformed, refused, worn out ─▶ dead letters

What may go wrong, and what then happens:

- an entry is no event: it alone becomes a dead letter;
- the stage raises `Refused` for an entry: that one becomes a dead letter at once;
- the stage raises anything else: the entries of the batch are tried one by one, the
  ones that fail stay pending, are claimed again after ``claim_idle``, and become
  dead letters after ``max_deliveries``;
- the process dies, or the server is away: entries stay pending and are claimed later;
- a slow worker and its claimer both finish: the hand-off lets one of them act;
- the group vanishes: the keeper makes it again at the stream's start and restarts the reader.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import FAKE_CONSUMER, RedisBatchStreamMessage
from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema

from newswire_runtime import metrics
from newswire_runtime.broker import READ_BLOCK_MS
from newswire_runtime.client import Client
from newswire_runtime.dead import burial
from newswire_runtime.groups import ensure_group
from newswire_runtime.handoff import Commit, Handoff
from newswire_runtime.settings import Settings
from newswire_runtime.tasks import cancel_all
from newswire_schemas.faults import fault_of
from newswire_schemas.streams import EVENT_FIELD, WireKeys

E = TypeVar("E")
log = structlog.get_logger()
READERS_END_SECONDS = 1.0


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """The stage cannot ever process this entry; it becomes a dead letter at once."""


@dataclass(frozen=True, slots=True)
class Delivery(Generic[E]):
    """One decoded entry: its id in the stream, its event, and how often it was delivered."""

    entry_id: bytes
    event: E
    deliveries: int = 1

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let AsyncAPI show the event itself: the entry around it is ours alone."""
        return handler(source.__args__[0])


Stage = Callable[[Sequence[Delivery[E]]], Awaitable[Sequence[Commit]]]
"""Turns a batch into one commit for each entry, in any order. It must be safe to run twice."""

RawEntry = tuple[bytes, dict[bytes, bytes], int]


class Hop(Generic[E]):
    """A stage, bound to its stream and group. ``event`` is the type of its entries, or a union of types."""

    def __init__(
        self,
        broker: RedisBroker,
        client: Client,
        keys: WireKeys,
        *,
        stream: str,
        group: str,
        event: Any,
        stage: Stage[E],
        settings: Settings,
        next_group: tuple[str, str] | None = None,
    ) -> None:
        self.keys = keys
        self.stream = stream
        self.group = group
        self.settings = settings
        self.client = client
        self._next_group = next_group
        self._event: TypeAdapter[E] = TypeAdapter(event)
        self._stage = stage
        self._handoff = Handoff(client, stream, group, keys.marks(group))
        self.subscriber = broker.subscriber(
            stream=StreamSub(
                stream,
                group=group,
                consumer=settings.consumer,
                batch=True,
                max_records=settings.batch,
                polling_interval=READ_BLOCK_MS,
            ),
            parser=_raw_entries,
            decoder=_body,
            ack_policy=AckPolicy.MANUAL,
            title=f"{group}:{stream}",
            description=(stage.__doc__ or "").strip(),
        )

        async def read(entries: Any) -> None:
            await self.run(entries)

        read.__annotations__["entries"] = list[Delivery[event]]  # what AsyncAPI shows
        self.subscriber(read)

    async def stop(self) -> None:
        """End the reading. FastStream cancels its readers and forgets them; one of a cluster would connect again."""
        readers = list(self.subscriber.tasks)
        await self.subscriber.stop()
        await cancel_all(readers, READERS_END_SECONDS)

    async def prepare(self) -> None:
        """Make the group, and the next stage's, before anything can be published past it."""
        await ensure_group(self.client, self.stream, self.group)
        if self._next_group is not None:
            await ensure_group(self.client, *self._next_group)

    async def run(self, raw: Sequence[RawEntry]) -> None:
        """Process and commit a batch of raw entries: ``(id, fields, deliveries)``."""
        began = time.perf_counter()
        good, commits = self._decode(raw)
        commits += await self._process(good)
        done = await self._handoff.commit(commits, {entry_id: times for entry_id, _, times in raw})
        metrics.HOP_SECONDS.labels(self.group).observe(time.perf_counter() - began)
        for outcome in done:
            metrics.HOP_ENTRIES.labels(self.group, outcome.name.lower()).inc()

    async def bury(self, entry: RawEntry, reason: str, detail: str) -> None:
        """Make one entry a dead letter."""
        await self._handoff.commit([self._burial(entry, reason, detail)])

    def _decode(self, raw: Sequence[RawEntry]) -> tuple[list[Delivery[E]], list[Commit]]:
        good: list[Delivery[E]] = []
        bad: list[Commit] = []
        for entry in raw:
            entry_id, fields, deliveries = entry
            try:
                event = self._event.validate_json(fields.get(EVENT_FIELD, b""))
            except ValidationError as exc:
                bad.append(self._burial(entry, "malformed", _first_error(exc)))
            else:
                good.append(Delivery(entry_id, event, deliveries))
        return good, bad

    async def _process(self, batch: Sequence[Delivery[E]]) -> list[Commit]:
        if not batch:
            return []
        try:
            return list(await self._stage(batch))
        except Exception as exc:  # any fault of one entry must not hold the others
            if len(batch) == 1:
                return self._fault(batch[0], exc)
            log.info("batch.split", stage=self.group, entries=len(batch), error=repr(exc))
        commits: list[Commit] = []
        for delivery in batch:
            commits += await self._process([delivery])
        return commits

    def _fault(self, delivery: Delivery[E], exc: Exception) -> list[Commit]:
        if isinstance(exc, Refused):
            entry = (delivery.entry_id, {EVENT_FIELD: self._event.dump_json(delivery.event)}, delivery.deliveries)
            return [self._burial(entry, "refused", str(exc))]
        metrics.HOP_ENTRIES.labels(self.group, "failed").inc()
        log.warning(
            "entry.failed",
            stage=self.group,
            entry=delivery.entry_id.decode(),
            deliveries=delivery.deliveries,
            exc_info=exc,
        )
        return []

    def _burial(self, entry: RawEntry, reason: str, detail: str) -> Commit:
        entry_id, fields, deliveries = entry
        metrics.DEAD_LETTERS.labels(self.group, reason).inc()
        log.error("entry.buried", stage=self.group, entry=entry_id.decode(), reason=reason, detail=detail)
        event = fields.get(EVENT_FIELD)
        effect = burial(
            self.keys,
            stage=self.group,
            origin=self.stream if event is not None else "",
            event=event if event is not None else repr(fields).encode(),
            reason=reason,
            detail=detail,
            attempts=deliveries,
        )
        return Commit(entry_id, (effect,))


def _first_error(exc: ValidationError) -> str:
    error = exc.errors(include_url=False, include_input=False)[0]
    place = "/".join(str(part) for part in error["loc"])
    return f"{place}: {fault_of(error)}" if place else fault_of(error)


async def _raw_entries(message: Any) -> RedisBatchStreamMessage:
    """Hand the entries on as they came; FastStream's own parser would decode all or none.

    The message gets no real consumer: the hand-off alone acknowledges.
    """
    entries = [(entry_id, fields, 1) for entry_id, fields in zip(message["message_ids"], message["data"], strict=True)]
    return RedisBatchStreamMessage(raw_message=message, body=entries, consumer=FAKE_CONSUMER, group=None)


async def _body(message: Any) -> Any:
    return message.body
