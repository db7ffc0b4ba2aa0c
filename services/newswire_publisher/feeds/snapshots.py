"""What a document of a feed shows, read in one step: articles by key and rank, tombstones, validators.

A snapshot names versions and holds no bodies; two snapshots of one generation are equal on every replica.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from newswire_publisher.feeds.tombstone import Tombstone
from newswire_runtime.client import Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import from_ms
from newswire_schemas.streams import FeedKeys

MOST_LINES = 20_000
"""Lines of snapshots that are kept as they were read."""
MOST_IN_PAGE = 2_000
"""Articles of one page of an archive at most: only a burst within one millisecond can come near."""


class Shown(NamedTuple):
    """One article of a feed: the version is ``rank``; both times are milliseconds since the epoch."""

    key: str
    published: int
    moment: int
    rank: str


@dataclass(frozen=True, slots=True)
class State:
    """Where a feed stands.

    ``generation`` counts its changes; ``modified`` is the second of its last change, by the server's clock: it goes
    forward with each change that a reader may have seen, and may be the next second; ``newest`` is the moment of
    its newest version, and the same after a replay; ``trimmed`` is the generation up to which what left is no
    longer told.
    """

    generation: int
    modified: datetime | None
    newest: datetime | None
    trimmed: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Articles and tombstones, newest first; ``more`` if a limit left something out."""

    state: State
    items: tuple[Shown, ...]
    gone: tuple[Tombstone, ...]
    more: bool


class Snapshots:
    """Reads the feeds of all partitions."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions
        self._script = Script("newswire_publisher.feeds", "snapshot.lua")
        # An article has the same line in all feeds that show it.
        self._keys = lru_cache(MOST_LINES)(lambda name: [key.encode() for key in FeedKeys(name, partitions).own])
        self._shown = lru_cache(MOST_LINES)(_read_shown)
        self._gone = lru_cache(MOST_LINES)(Tombstone.model_validate_json)

    async def generation(self, name: str) -> int:
        """Return the feed's generation; 0 if it never held anything."""
        return int(await self._client.hget(FeedKeys(name, self._partitions).state, "generation") or 0)

    async def newest(self, name: str, order: str, limit: int) -> Snapshot:
        """Return the feed as its document shows it; ``order`` is ``published`` or ``updated``."""
        return await self._read(name, [order, limit])

    async def newest_of(self, feeds: Sequence[tuple[str, str, int]]) -> list[Snapshot]:
        """Return what `newest` does for many feeds (name, order, limit), in few round trips."""
        calls = [(self._keys(name), (order, limit)) for name, order, limit in feeds]
        return [self._snapshot(reply) for reply in await self._script.many(self._client, calls, writes=False)]

    async def since(self, name: str, generation: int, limit: int) -> Snapshot:
        """Return what came, changed or left after a generation; ``more``, and nothing else, if over the limit."""
        return await self._read(name, ["since", generation, limit])

    async def page(self, name: str, after: int, upto: int) -> Snapshot:
        """Return the articles published after one moment (ms) and up to another."""
        return await self._read(name, ["page", after, upto, MOST_IN_PAGE])

    async def marks(self, name: str) -> list[int]:
        """Return where the pages of the feed's archive end (ms), oldest first."""
        return [int(mark) for mark in await self._client.zrange(FeedKeys(name, self._partitions).marks, 0, -1)]

    async def oldest(self, name: str) -> int | None:
        """Return when the oldest live article of the feed was published (ms)."""
        found = await self._client.zrange(FeedKeys(name, self._partitions).items, 0, 0, withscores=True)
        return int(found[0][1]) if found else None

    async def _read(self, name: str, words: Sequence[Word]) -> Snapshot:
        return self._snapshot(await self._script(self._client, self._keys(name), words))

    def _snapshot(self, reply: Any) -> Snapshot:
        numbers, items, told = reply
        generation, modified, newest, trimmed, more = map(int, numbers.split())
        state = State(generation, _moment(modified * 1000), _moment(newest), trimmed)
        shown = tuple(map(self._shown, items.split(b"\n"))) if items else ()
        gone = tuple(map(self._gone, told.split(b"\n"))) if told else ()
        return Snapshot(state, shown, gone, bool(more))


def _read_shown(line: bytes) -> Shown:
    key, published, moment, rank = line.decode().split(" ")
    return Shown(key, int(published), int(moment), rank)


def _moment(ms: int) -> datetime | None:
    return from_ms(ms) if ms else None
