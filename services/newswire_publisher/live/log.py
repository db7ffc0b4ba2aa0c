"""The live stream's log: one gap-free sequence of small entries for the whole wire.

An entry names a version; what it stands for is made from the store's copy (`events`). The
newest `MOST_ENTRIES` are kept, for at most `LONGEST`: a jump in the numbers that a read
gives is what was trimmed, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch
from newswire_runtime.client import Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import Act, from_ms, to_ms
from newswire_schemas.streams import LiveKeys

MOST_ENTRIES = 100_000
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: which version of which article, as what, and when. ``published`` is of the first version."""

    sequence: int
    key: str
    rank: str
    act: Act
    moment: datetime
    published: datetime


class LiveLog:
    """Appends to the log, and reads it."""

    def __init__(self, client: Client, most: int = MOST_ENTRIES) -> None:
        self._client = client
        self._most = most
        self._append = Script("newswire_publisher.live", "append.lua")

    async def append(self, dispatches: Sequence[Dispatch]) -> None:
        """Append versions, in their order; one that the log has, or has a newer one of, adds nothing."""
        names = [LiveKeys.log, LiveKeys.state, LiveKeys.seen]
        await self._append.many(self._client, [(names, self._words(dispatch)) for dispatch in dispatches])

    def _words(self, dispatch: Dispatch) -> list[Word]:
        rank = str(dispatch.article.rank)
        fields: list[Word] = [
            *("m", to_ms(dispatch.moment), "p", to_ms(dispatch.published)),
            *("k", dispatch.article.key, "r", rank, "a", dispatch.act.value),
        ]
        kind = "retract" if dispatch.act in RETRACTIONS else "show"
        return [dispatch.article.key, rank, kind, self._most, to_ms(dispatch.moment - LONGEST), *fields]

    async def newest(self) -> int:
        """Return the newest entry's number, 0 if there was never one."""
        return int(await self._client.hget(LiveKeys.state, "sequence") or 0)

    async def after(self, sequence: int, limit: int) -> list[Entry]:
        """Return the entries after a number, oldest first."""
        rows = await self._client.xrange(LiveKeys.log, min=f"{sequence + 1}-0", max="+", count=limit)
        return [_entry(entry_id, fields) for entry_id, fields in rows]

    async def wait(self, sequence: int, limit: int, block_ms: int) -> list[Entry]:
        """Return the entries after a number as soon as there are any; none after ``block_ms``."""
        answer = await self._client.xread({LiveKeys.log: f"{sequence}-0"}, count=limit, block=block_ms)
        return [_entry(*row) for row in rows_of(answer)]


def rows_of(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """Return the rows of a read of one stream: a mapping, or a list of pairs in RESP2."""
    if not answer:
        return []
    rows = next(iter(answer.values())) if isinstance(answer, dict) else answer[0][1]
    return rows[0] if rows and isinstance(rows[0], list) else rows


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return Entry(
        sequence=int(entry_id.partition(b"-")[0]),
        key=text["k"],
        rank=text["r"],
        act=Act(text["a"]),
        moment=from_ms(int(text["m"])),
        published=from_ms(int(text["p"])),
    )
