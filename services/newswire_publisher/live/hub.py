"""The open streams of this process, and how an event finds those that want it.

    reader ─▶ publish ─▶ one index of all filters ─▶ streams that match ─▶ their queues
    new stream ─▶ replay from the log, page by page ─▶ join where the reader stands

A stream joins in one step, without a wait, once its replay has reached the reader's position; from
then on the reader skips what the replay has shown. So nothing is missed or said twice at the seam.
"""

import asyncio
from collections.abc import Iterator

import structlog

from newswire_publisher.live.events import Event, LiveEvents
from newswire_publisher.live.frames import gap_frame
from newswire_publisher.live.log import Entry, LiveLog
from newswire_publisher.live.recent import RecentEvents
from newswire_publisher.live.stream import LiveStream
from newswire_publisher.routing.index import FilterIndex
from newswire_publisher.routing.sinks import RETRACTIONS
from newswire_publisher.routing.topics import TopicTree
from newswire_schemas.filters import Filter

log = structlog.get_logger()
PAGE = 100
AT_HAND = 5
"""Events that a replay holds at once: a client that stalls in the middle of it holds no more."""
REPLAYS_AT_ONCE = 4
"""Pages that are being made for replays: who comes later mostly finds them made."""


class LiveHub:
    """All streams. ``position`` is the newest entry that was published here; None before the reader runs."""

    def __init__(self, log_of: LiveLog, events: LiveEvents, topics: TopicTree) -> None:
        self.position: int | None = None
        self.started = asyncio.Event()
        self.closed = False
        self._log = log_of
        self._events = events
        self._topics = topics
        self._index = FilterIndex({}, topics)
        self._joined: dict[str, LiveStream] = {}
        self._open: dict[str, LiveStream] = {}
        self._recent = RecentEvents()
        self._making = asyncio.Semaphore(REPLAYS_AT_ONCE)

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[LiveStream]:
        return iter(list(self._open.values()))

    def has(self, name: str) -> bool:
        return name in self._open

    def has_joined(self, stream: LiveStream) -> bool:
        return stream.name in self._joined

    def start_at(self, position: int) -> None:
        """Say where the reader stands: it has found its place, or has nobody to read for."""
        self.position = position
        self._recent.clear()
        self.started.set()

    def add(self, stream: LiveStream) -> None:
        self._open[stream.name] = stream

    def remove(self, stream: LiveStream) -> None:
        self._leave(stream)
        self._open.pop(stream.name, None)
        stream.close()

    def end(self) -> None:
        """End all streams and take no more: the process is about to stop."""
        self.closed = True
        self.end_all()

    def end_all(self) -> None:
        for stream in self:
            self._leave(stream)
            stream.end()

    async def replay(self, stream: LiveStream, wanted: Filter) -> None:
        """Write what came after the stream's position, then let it join."""
        own = FilterIndex({stream.name: wanted}, self._topics)
        while self.position is not None and stream.position < self.position and not stream.is_ending:
            entries = await self._log.after(stream.position, PAGE)
            if not entries:
                break  # trimmed since, or the server has lost the end of its log: the reader will notice
            if entries[0].sequence > stream.position + 1:
                await stream.write([(entries[0].sequence - 1, gap_frame(stream.position, entries[0].sequence))])
            for start in range(0, len(entries), AT_HAND):
                if stream.is_ending:
                    break
                await self._replay_some(stream, own, entries[start : start + AT_HAND])
        if not stream.is_ending and stream.name in self._open:
            self._index.put(stream.name, wanted)
            self._joined[stream.name] = stream

    async def _replay_some(self, stream: LiveStream, own: FilterIndex, entries: list[Entry]) -> None:
        async with self._making:
            events = await self._made(entries)
        frames = [
            (event.entry.sequence, event.frame(stream.form))
            for event in events
            if event is not None and any(own.match_facts(facts) for facts in event.asks)
        ]
        stream.position = entries[-1].sequence
        await stream.write(frames)

    async def _made(self, entries: list[Entry]) -> list[Event | None]:
        began = self.position
        missing = [entry for entry in entries if self._recent.get(entry.sequence) is None]
        made = dict(zip([entry.sequence for entry in missing], await self._events.make(missing), strict=True))
        events = [self._recent.get(entry.sequence) or made.get(entry.sequence) for entry in entries]
        if began == self.position:  # else one of them may have been withdrawn meanwhile
            for event in made.values():
                if event is not None:
                    self._recent.put(event)
        return events

    def publish(self, event: Event) -> None:
        """Hand an event to the streams that want it."""
        sequence = event.entry.sequence
        if event.entry.act in RETRACTIONS:
            self._recent.withdraw(event.entry.key)
        self._recent.put(event)
        for name in set().union(*(self._index.match_facts(facts) for facts in event.asks)):
            stream = self._joined[name]
            if sequence > stream.position and not stream.offer(sequence, event.frame(stream.form)):
                log.info("live.overflow", stream=name, sent=stream.sent)
                self._leave(stream)
        self.position = sequence

    def tell_gap(self, first: int) -> None:
        """Tell all streams that the reader missed what was before this entry."""
        for stream in list(self._joined.values()):
            if first > stream.position + 1 and not stream.offer(first - 1, gap_frame(stream.position, first)):
                self._leave(stream)

    def _leave(self, stream: LiveStream) -> None:
        if self._joined.pop(stream.name, None) is not None:
            self._index.remove(stream.name)
