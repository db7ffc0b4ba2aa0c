"""The newest events, at hand for streams that resume: a restart brings all clients back at once."""

from collections import OrderedDict

from newswire_publisher.articles.message import Format
from newswire_publisher.live.events import Event

MOST_EVENTS, MOST_BYTES = 256, 4_000_000


class RecentEvents:
    """Events by their number. What is withdrawn goes at once: its text is to be shown no more."""

    def __init__(self) -> None:
        self._events: OrderedDict[int, Event] = OrderedDict()
        self._bytes = 0

    def get(self, sequence: int) -> Event | None:
        return self._events.get(sequence)

    def put(self, event: Event) -> None:
        if event.entry.sequence in self._events:
            return
        self._events[event.entry.sequence] = event
        self._bytes += len(event.frame(Format.ARTICLE))
        while len(self._events) > MOST_EVENTS or self._bytes > MOST_BYTES:
            self._forget(min(self._events))

    def withdraw(self, key: str) -> None:
        for sequence in [number for number, event in self._events.items() if event.entry.key == key]:
            self._forget(sequence)

    def clear(self) -> None:
        self._events.clear()
        self._bytes = 0

    def _forget(self, sequence: int) -> None:
        self._bytes -= len(self._events.pop(sequence).frame(Format.ARTICLE))
