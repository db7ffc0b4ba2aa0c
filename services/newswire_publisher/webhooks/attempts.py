"""What came of each attempt, by subscription: written when a push is settled, kept for some days.

    one entry of the stream ─▶ records, a line each ─▶ attempts, with the entry's id and their place in it

A record also tells of entries that were not sent: ``superseded``, ``expired`` (too old) or ``cancelled``. An answer may
be long: a list has its start, and reads a few entries of the stream at a time, however many records each has.
What is older than attempts are kept is not shown, though it may lie there until it is swept (`sweeping`).
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from newswire_publisher.webhooks.kept_answers import Taken, listed, taken
from newswire_publisher.webhooks.log import Entry, HookLog
from newswire_runtime.client import Client
from newswire_schemas.article import from_ms, to_iso
from newswire_schemas.streams import HookKeys

START = "0-0"
"""Is before all attempts."""
ROWS = 32
"""Entries of the stream that are read at once: each may hold the long answers of a hundred attempts."""
_DELIVERED = ("sequence", "attempt", "at_ms", "ms", "status")


def delivered(sequence: int, attempt: int, at_ms: int, ms: float, status: int) -> str:
    """Return the record of a delivery of which nothing else is to be said: nearly all are, so it is short."""
    return f"{sequence} {attempt} {at_ms} {ms:.1f} {status}"


class Kept(NamedTuple):
    """One attempt with all that is kept of it: as a list shows it, and what a list leaves out."""

    shown: dict[str, Any]
    at_ms: int
    revision: int | None
    """Of the settings that it was made by."""
    entry: Entry | None
    answer: Taken


class Attempts:
    """Reads the attempts of all subscriptions. An attempt is a flat object; the README names its members.

    ``keep_ms``: how long they are kept; without it, all that lie there are shown.
    """

    def __init__(
        self,
        client: Client,
        log: HookLog,
        partitions: int,
        keep_ms: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._log = log
        self._partitions = partitions
        self._keep_ms = keep_ms
        self._clock = clock

    async def newest(self, hook_id: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        """Return attempts, newest first, older than the attempt ``before``."""
        entry, place = _split(before) if before else ("+", 0)
        found: list[dict[str, Any]] = []
        start, oldest = entry, self._oldest()
        while len(found) < limit:
            rows = await self._client.xrevrange(self._key(hook_id), max=start, min=oldest, count=ROWS)
            found += [
                each
                for row in rows
                for each in reversed(list(_attempts(row, upto=place if row[0].decode() == entry else None)))
            ]
            if len(rows) < ROWS:
                break
            start = f"({rows[-1][0].decode()}"
        return await self._shown(hook_id, found[:limit])

    async def after(self, hook_id: str, attempt_id: str, limit: int) -> list[dict[str, Any]]:
        """Return attempts, oldest first, newer than an attempt; `START` is before all."""
        entry, place = _split(attempt_id)
        found: list[dict[str, Any]] = []
        start = max(entry, self._oldest(), key=moment_ms)
        while len(found) < limit:
            rows = await self._client.xrange(self._key(hook_id), min=start, count=ROWS)
            found += [
                each for row in rows for each in _attempts(row, first=place + 1 if row[0].decode() == entry else 0)
            ]
            if len(rows) < ROWS:
                break
            start = f"({rows[-1][0].decode()}"
        return await self._shown(hook_id, found[:limit])

    async def get(self, hook_id: str, attempt_id: str) -> Kept | None:
        """Return one attempt; None if there is none, or it is kept no more."""
        entry_id, _ = _split(attempt_id)
        if moment_ms(entry_id) < moment_ms(self._oldest()):
            return None
        rows = await self._client.xrange(self._key(hook_id), min=entry_id, max=entry_id)
        found = [each for row in rows for each in _attempts(row) if each["id"] == attempt_id]
        if not found:
            return None
        entries = await self._log.entries(hook_id, [found[0]["sequence"]])
        entry = entries.get(found[0]["sequence"])
        return Kept(
            _as_listed(found[0], entry), int(found[0]["at_ms"]), found[0].get("revision"), entry, taken(found[0])
        )

    def _oldest(self) -> str:
        return START if self._keep_ms is None else oldest_kept(self._clock(), self._keep_ms)

    def _key(self, hook_id: str) -> str:
        return HookKeys(hook_id, self._partitions).attempts

    async def _shown(self, hook_id: str, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        entries = await self._log.entries(hook_id, [each["sequence"] for each in found])
        return [_as_listed(each, entries.get(each["sequence"])) for each in found]


def _as_listed(record: Mapping[str, Any], entry: Entry | None) -> dict[str, Any]:
    shown = listed(record)
    if entry is not None:
        shown |= {"uri": entry.uri or None, "version": entry.version or None, "type": entry.type}
    for name in ("at", "next_at"):
        if (ms := shown.pop(f"{name}_ms", None)) is not None:
            shown[name] = to_iso(from_ms(ms))
    return {name: value for name, value in shown.items() if value is not None and name != "revision"}


def _attempts(
    row: tuple[bytes, Mapping[bytes, bytes]], first: int = 0, upto: int | None = None
) -> Iterator[dict[str, Any]]:
    """Return attempts of one entry. The first has the entry's id, the others their place behind it."""
    row_id, records = row[0].decode(), row[1][b"a"].split(b"\n")
    for place in range(len(records))[first:upto]:
        yield attempt_of(row_id, place, records[place])


def _read(record: bytes) -> dict[str, Any]:
    if record.startswith(b"{"):
        read: dict[str, Any] = json.loads(record)
        return read
    values = dict(zip(_DELIVERED, map(json.loads, record.split()), strict=True))
    return {"sequence": values.pop("sequence"), "attempt": values.pop("attempt"), "outcome": "delivered", **values}


def _split(attempt_id: str) -> tuple[str, int]:
    entry, _, place = attempt_id.partition(".")
    return entry, int(place or 0)


def moment_ms(entry_id: str) -> int:
    """Return when an entry was written, in ms since the epoch."""
    return int(entry_id.partition("-")[0])


def oldest_kept(now: float, keep_ms: int) -> str:
    """Return the least id of an entry that is still kept at a moment (seconds since the epoch)."""
    return f"{int(now * 1_000) - keep_ms}-0"


def attempt_of(entry_id: str, place: int, record: bytes) -> dict[str, Any]:
    """Return the attempt of an entry's record as the record tells it: times in ms since the epoch."""
    return {"id": f"{entry_id}.{place}" if place else entry_id, **_read(record)}
