"""The queues of one partition on Redis: what is due is leased from them, and what changed is spread to them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from newswire_publisher.hub.store import Leased
from newswire_runtime.client import Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.streams import FeedKeys, HubKeys, feed_bell

LEASE_MS = 20_000
"""Longer than an attempt with its settling can take, so that a callback never has two at once."""


MOST_FEEDS, MOST_ENDS = 256, 100
"""Feeds that are spread, and leases that are ended, at one look."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: its keys, and how many of its places a worker has on their way at most."""

    waiting: str
    leased: str
    state: str
    ended: str
    room: int


@dataclass(frozen=True, slots=True)
class Glance:
    """What a worker sees at a look, by the server's clock in ms.

    ``dirty`` are feeds that have changed, ``ended`` subscriptions whose leases have ended, ``next_end`` is when the
    next one does; ``firsts`` and ``leases`` say when the first of each queue is due, and loses its lease.
    """

    now: int
    dirty: tuple[str, ...]
    ended: tuple[str, ...]
    next_end: int | None
    firsts: tuple[int | None, ...]
    leases: tuple[int | None, ...]
    bells: dict[str, str]


class HubQueues:
    """Deliveries, deliveries that failed before, and calls."""

    def __init__(self, client: Client, partition: int, partitions: int, rooms: tuple[int, int, int]) -> None:
        self._client = client
        self._partitions = partitions
        self._keys = keys = HubKeys(partition)
        self._bells = (keys.bell, feed_bell(partition))
        self._look = Script("newswire_publisher.hub", "look.lua")
        self._spread = Script("newswire_publisher.hub", "spread.lua")
        self._take = Script("newswire_publisher.hub", "take.lua")
        self.due = Queue(keys.due, keys.leased, keys.state, keys.due, rooms[0])
        self.again = Queue(keys.again, keys.leased, keys.state, keys.due, rooms[1])
        self.checks = Queue(keys.checks, keys.checking, keys.check_state, keys.checks, rooms[2])
        self.all = (self.due, self.again, self.checks)

    async def look(self) -> Glance:
        """Look at everything once, in one step."""
        keys = self._keys
        names = [keys.dirty, keys.ends]
        names += [name for queue in self.all for name in (queue.waiting, queue.leased)]
        answer = await self._look(self._client, [*names, *self._bells], [MOST_FEEDS, MOST_ENDS])
        now, dirty, ended, next_end, *rest = answer
        heads = [None if at < 0 else int(at) for at in rest[:6]]
        return Glance(
            now=now,
            dirty=tuple(feed.decode() for feed in dirty),
            ended=tuple(each.decode() for each in ended),
            next_end=None if next_end < 0 else next_end,
            firsts=tuple(heads[::2]),
            leases=tuple(heads[1::2]),
            bells=dict(zip(self._bells, [rung.decode() for rung in rest[6:]], strict=True)),
        )

    async def spread(self, feeds: Sequence[str]) -> None:
        """Make due what the subscribers of these feeds do not have yet."""
        hub = self._keys
        calls: list[tuple[list[str], list[Word]]] = []
        for name in feeds:
            feed = FeedKeys(name, self._partitions)
            names = [feed.state, feed.subscribers, hub.dirty, hub.due, hub.again, hub.leased, hub.state]
            calls.append((names, [name]))
        await self._spread.many(self._client, calls)

    async def take(self, queue: Queue, most: int) -> list[Leased]:
        """Lease what is due, at most so many."""
        lease = secrets.token_hex(8)
        names = [queue.waiting, queue.leased, queue.state, queue.ended]
        answer = await self._take(self._client, names, [LEASE_MS, lease, most])
        return [
            Leased(name.decode(), int(attempts), int(float(since)), int(generation), digest.decode(), lease)
            for name, attempts, since, generation, digest in zip(*[iter(answer)] * 5, strict=True)
        ]

    async def wait(self, glance: Glance, ms: int) -> None:
        """Wait until something has happened since that look, at most so long."""
        await self._client.xread(glance.bells, block=max(1, ms), count=1)
