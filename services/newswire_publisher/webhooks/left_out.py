"""Numbers that a webhook's log left out when it came back from a backup, and who reads the log is told.

    restore ─▶ note ─▶ the log's state ─▶ `left_out` of GET …/events?after=N, where N lies before their end

A number that jumps is otherwise a push that was missed: here there is nothing to fetch. Only the newest leap is kept.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pydantic import TypeAdapter

from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys

_FIELD = "left_out"


class LeftOut(NamedTuple):
    """The first and the last number without an entry, and when the log came back."""

    first: int
    last: int
    restored: datetime


_JSON = TypeAdapter(LeftOut)


class LeftOuts:
    """Keeps what each log left out, beside its numbers: it goes with them."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def note(self, leaps: Iterable[tuple[str, LeftOut]]) -> None:
        """Keep the leaps of logs, by the webhook's id."""
        pipeline = self._client.pipeline(transaction=False)
        for hook_id, left_out in leaps:
            pipeline.hset(HookKeys(hook_id, self._partitions).state, _FIELD, _JSON.dump_json(left_out))
        await pipeline.execute()

    async def of(self, hook_id: str) -> LeftOut | None:
        """Return what a log left out last, None if it never did."""
        text = await self._client.hget(HookKeys(hook_id, self._partitions).state, _FIELD)
        return None if text is None else _JSON.validate_json(text)
