"""Answers that are ready before their request comes: bounded, and only for as long as somebody vouches for them.

    first request ──▶ its route ──keep(head, ticket, response)──▶ this table
    the same bytes again ──▶ find(head) ──▶ written at once, without a parser, a task or a route

A poller sends the same bytes each time, so the whole head of a request is the key
and nothing needs to be parsed: whatever an answer depends on is either in those
bytes or is what the table is told of. Two guards keep an answer true:

* **Topics.** Every answer is about one topic. `drop` forgets what is about it, and a
  ticket that was taken before the drop keeps nothing any more: an answer that was on
  its way while its topic changed cannot come in after the change. So a route takes its
  ticket before it reads what the answer says.
* **Leases.** Who follows the changes of a topic extends its lease with every look. When
  it stops looking (the broker is away, the loop hangs), the lease ends and requests go
  the normal way again.

What must not be shared (an answer to credentials, one that names its request) is not
kept: the route decides. Not thread-safe.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

MOST_HEAD = 4_096
"""Bytes of the longest head that is kept; real readers send some 300."""
MOST_TOPICS = 10_000
"""Topics whose last change is remembered; above it everything is forgotten once."""
OVERHEAD = 500
"""Bytes that an answer takes besides its head, its headers and its body: objects and places in tables."""

Admit = Callable[[str], bool]


class Lease:
    """Until when (seconds of the event loop's clock) what was said about some topics holds."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = 0.0


class Ticket(NamedTuple):
    """When a route began to find out about a topic."""

    topic: str
    change: int


class Told(Protocol):
    """What of a response matters here; Starlette's is one."""

    status_code: int
    body: bytes | memoryview
    raw_headers: list[tuple[bytes, bytes]]


class HotAnswer(NamedTuple):
    """A response as it goes out: ``end`` is its headers but the date, and ``body`` is empty where none is sent."""

    status: int
    end: bytes
    body: bytes
    topic: str
    lease: Lease
    admit: Admit | None

    @property
    def size(self) -> int:
        return len(self.end) + OVERHEAD


class HotAnswers:
    """Keeps up to ``most`` answers and ``max_bytes``; the oldest leave first."""

    def __init__(self, most: int = 20_000, max_bytes: int = 64_000_000) -> None:
        self.most = most
        self.max_bytes = max_bytes
        self.size = 0
        self._kept: dict[bytes, HotAnswer] = {}
        self.find = self._kept.get
        """Return the answer to the request of exactly these bytes, if there is one. Its lease is not looked at."""
        self._heads: dict[str, set[bytes]] = {}
        self._bodies: Counter[int] = Counter()
        self._change = 0
        self._cleared = 0
        self._changed: dict[str, int] = {}
        self._served: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._kept)

    def ticket(self, topic: str) -> Ticket:
        """Return what `keep` wants to see; take it before the first read of what the answer depends on."""
        return Ticket(topic, self._change)

    def keep(
        self, head: bytes, ticket: Ticket, response: Told, lease: Lease, *, bodiless: bool, admit: Admit | None = None
    ) -> bool:
        """Keep the response for this head; return whether it was kept.

        ``bodiless``: the request was HEAD. ``admit`` is asked with the peer's address
        at each use; when it refuses, the request goes the normal way.
        """
        stale = ticket.change < self._cleared or ticket.change < self._changed.get(ticket.topic, 0)
        body = b"" if bodiless else bytes(response.body)
        if stale or len(head) > MOST_HEAD or len(body) > self.max_bytes // 4:
            return False
        self._forget(head)
        lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
        answer = HotAnswer(response.status_code, b"".join([*lines, b"\r\n"]), body, ticket.topic, lease, admit)
        self._kept[head] = answer
        self._heads.setdefault(ticket.topic, set()).add(head)
        self.size += len(head) + answer.size
        if body:
            self._bodies[id(body)] += 1
            self.size += len(body) if self._bodies[id(body)] == 1 else 0
        while len(self._kept) > self.most or self.size > self.max_bytes:
            self._forget(next(iter(self._kept)))
        return head in self._kept

    def drop(self, topic: str) -> None:
        """Forget what is about a topic: it has changed."""
        self._change += 1
        self._changed[topic] = self._change
        for head in tuple(self._heads.get(topic, ())):
            self._forget(head)
        if len(self._changed) > MOST_TOPICS:
            self.clear()

    def clear(self) -> None:
        """Forget everything: nobody knows what has changed."""
        self._change += 1
        self._cleared = self._change
        self._changed.clear()
        self._kept.clear()
        self._heads.clear()
        self._bodies.clear()
        self.size = 0

    def count(self, status: int) -> None:
        """Count an answer that went out."""
        self._served[status] += 1

    def counted(self) -> Iterable[tuple[int, int]]:
        """Return how many answers of each status went out since the last call."""
        served, self._served = self._served, Counter()
        return served.items()

    def _forget(self, head: bytes) -> None:
        answer = self._kept.pop(head, None)
        if answer is None:
            return
        heads = self._heads[answer.topic]
        heads.discard(head)
        if not heads:
            del self._heads[answer.topic]
        self.size -= len(head) + answer.size
        if answer.body:
            self._bodies[id(answer.body)] -= 1
            if not self._bodies[id(answer.body)]:
                del self._bodies[id(answer.body)]
                self.size -= len(answer.body)
