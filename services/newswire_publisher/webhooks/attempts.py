"""What came of each attempt, by subscription: written when a push is settled, kept for some days.

    one entry of the stream ─▶ records, a line each ─▶ attempts, with the entry's id and their place in it

A record also tells of entries that were not sent: ``superseded``, ``expired`` (too old) or ``cancelled``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from newswire_publisher.webhooks.log import HookLog
from newswire_runtime.client import Client
from newswire_schemas.article import from_ms, to_iso
from newswire_schemas.streams import HookKeys

START = "0-0"
"""Is before all attempts."""
_DELIVERED = ("sequence", "attempt", "at_ms", "ms", "status")


def delivered(sequence: int, attempt: int, at_ms: int, ms: float, status: int) -> str:
    """Return the record of a delivery of which nothing else is to be said: nearly all are, so it is short."""
    return f"{sequence} {attempt} {at_ms} {ms:.1f} {status}"


class Attempts:
    """Reads the attempts of all subscriptions. An attempt is a flat object; the README names its members."""

    def __init__(self, client: Client, log: HookLog, partitions: int) -> None:
        self._client = client
        self._log = log
        self._partitions = partitions

    async def newest(self, hook_id: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        """Return attempts, newest first, older than the attempt ``before``."""
        entry, place = _split(before) if before else ("+", 0)
        rows = await self._client.xrevrange(self._key(hook_id), max=entry, count=limit + 1)
        found = [
            each
            for row in rows
            for each in reversed(list(_attempts(row, upto=place if row[0].decode() == entry else None)))
        ]
        return await self._shown(hook_id, found[:limit])

    async def after(self, hook_id: str, attempt_id: str, limit: int) -> list[dict[str, Any]]:
        """Return attempts, oldest first, newer than an attempt; `START` is before all."""
        entry, place = _split(attempt_id)
        rows = await self._client.xrange(self._key(hook_id), min=entry, count=limit + 1)
        found = [each for row in rows for each in _attempts(row, first=place + 1 if row[0].decode() == entry else 0)]
        return await self._shown(hook_id, found[:limit])

    async def get(self, hook_id: str, attempt_id: str) -> dict[str, Any] | None:
        entry, _ = _split(attempt_id)
        rows = await self._client.xrange(self._key(hook_id), min=entry, max=entry)
        found = [each for row in rows for each in _attempts(row) if each["id"] == attempt_id]
        return (await self._shown(hook_id, found))[0] if found else None

    def _key(self, hook_id: str) -> str:
        return HookKeys(hook_id, self._partitions).attempts

    async def _shown(self, hook_id: str, found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        entries = await self._log.entries(hook_id, [each["sequence"] for each in found])
        for each in found:
            if (entry := entries.get(each["sequence"])) is not None:
                each |= {"uri": entry.uri or None, "version": entry.version or None, "type": entry.type}
            for name in ("at", "next_at"):
                if (ms := each.pop(f"{name}_ms", None)) is not None:
                    each[name] = to_iso(from_ms(ms))
        return [{name: value for name, value in each.items() if value is not None} for each in found]


def _attempts(
    row: tuple[bytes, Mapping[bytes, bytes]], first: int = 0, upto: int | None = None
) -> Iterator[dict[str, Any]]:
    """Return attempts of one entry. The first has the entry's id, the others their place behind it."""
    row_id, records = row[0].decode(), row[1][b"a"].split(b"\n")
    for place in range(len(records))[first:upto]:
        yield {"id": f"{row_id}.{place}" if place else row_id, **_read(records[place])}


def _read(record: bytes) -> dict[str, Any]:
    if record.startswith(b"{"):
        read: dict[str, Any] = json.loads(record)
        return read
    values = dict(zip(_DELIVERED, map(json.loads, record.split()), strict=True))
    return {"sequence": values.pop("sequence"), "attempt": values.pop("attempt"), "outcome": "delivered", **values}


def _split(attempt_id: str) -> tuple[str, int]:
    entry, _, place = attempt_id.partition(".")
    return entry, int(place or 0)


def newest_of(entry_id: str, place: int, record: bytes) -> dict[str, Any]:
    """Return the attempt of a record as the record tells it: times in ms since the epoch."""
    return {"id": f"{entry_id}.{place}" if place else entry_id, **_read(record)}
