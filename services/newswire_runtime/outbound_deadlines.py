"""Deadlines of everything that is on its way, kept by one timer.

    add(item) ─▶ set of items ─ timer at the earliest ─▶ item.expire()

A timer for each call costs more than its bytes: almost every one is cancelled. Here
the one timer stands at the earliest deadline that was seen; when it rings, what is
over expires, and it is set to the earliest that is left. What ended meanwhile costs
nothing but its place in the set. So a call may end ``GRAIN`` seconds late, never early.
"""

import asyncio
import math
import time
from typing import Protocol

GRAIN = 0.01
"""Seconds between two rings at least, however close the deadlines lie."""


class Timed(Protocol):
    """Something that ends at ``deadline_at`` (of `time.perf_counter`), if it has not ended before."""

    deadline_at: float

    def expire(self) -> None: ...


class Deadlines:
    """Expire what is over. Belongs to one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._items: set[Timed] = set()
        self._next = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Timed) -> None:
        """Watch an item, or take note that its deadline lies earlier now."""
        self._items.add(item)
        if item.deadline_at < self._next:
            self._ring_at(item.deadline_at)

    def drop(self, item: Timed) -> None:
        self._items.discard(item)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._items.clear()

    def _ring_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = moment
        self._timer = self._loop.call_later(max(0.0, moment - time.perf_counter()), self._ring)

    def _ring(self) -> None:
        now = time.perf_counter()
        self._timer, self._next = None, math.inf
        for item in [item for item in self._items if item.deadline_at <= now]:
            if item in self._items:  # the end of one can be the end of another
                self._items.discard(item)
                item.expire()
        if self._items:
            earliest = min(item.deadline_at for item in self._items)
            if earliest < self._next:
                self._ring_at(max(earliest, now + GRAIN))
