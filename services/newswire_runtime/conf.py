"""What operators and integrators configured: named pydantic models in tables on the broker.

Every write raises its table's generation in the same step. A reader keeps a parsed
snapshot and asks for the generations (one small read) before it relies on it: a
webhook that was registered a moment ago is seen by the very next batch, everywhere.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from pydantic import BaseModel

from newswire_runtime.client import Client
from newswire_runtime.scripts import Script
from newswire_schemas.streams import ConfKeys

M = TypeVar("M", bound=BaseModel)


class ChangedMeanwhileError(Exception):
    """Another writer changed the thing between the read and the write."""


class Table(Generic[M]):
    """One kind of configured thing: ``feeds``, ``webhooks``, ``accounts``, ``sources``, ``tokens``."""

    def __init__(self, client: Client, kind: str, model: type[M]) -> None:
        self._client = client
        self._kind = kind
        self._model = model
        self._key = ConfKeys.table(kind)
        self._write = Script("newswire_runtime", "conf.lua")
        self._generation: bytes | None = b"unread"
        self._raw: dict[bytes, bytes] = {}
        self._parsed: Mapping[str, M] = MappingProxyType({})
        self._reading: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def all(self) -> Mapping[str, M]:
        """Return the current things by name. The same object is returned until something changes."""
        # Who asks while a read is on its way waits for the next one, which cannot miss what was written
        # before the question; so that many callers at once cost two reads.
        if self._next is None:
            self._next = asyncio.create_task(self._read_after(self._reading))
        await asyncio.shield(self._next)
        return self._parsed

    async def having(self, names: Iterable[str]) -> Mapping[str, M]:
        """Return the things as they were last read if all of these names are among them; else as they are now.

        For who has just relied on that reading, and may know of a name by somebody who has read since.
        """
        return self._parsed if all(name in self._parsed for name in names) else await self.all()

    async def _read_after(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        self._reading, self._next = self._next, None
        generation = await self._client.hget(ConfKeys.generation, self._kind)
        if generation != self._generation:
            raw = await self._client.hgetall(self._key)
            parsed = {
                name.decode(): self._parsed[name.decode()] if self._raw.get(name) == body else self._read(body)
                for name, body in sorted(raw.items())
            }
            self._raw, self._parsed, self._generation = raw, MappingProxyType(parsed), generation

    async def get(self, name: str) -> M | None:
        body = await self._client.hget(self._key, name)
        return None if body is None else self._read(body)

    async def put(self, name: str, thing: M) -> bool:
        """Write the thing; return whether it is new."""
        return await self._store(name, thing.model_dump_json(context={"reveal": True}), "*") == 2

    async def create(self, name: str, thing: M) -> bool:
        """Write the thing only if there is none of that name; return whether it was written."""
        return await self._store(name, thing.model_dump_json(context={"reveal": True}), "") == 2

    async def update(self, name: str, change: Callable[[M], M]) -> M | None:
        """Replace the thing by ``change`` of it, whoever else writes; return the new one, or None if there is none."""
        for _ in range(20):
            body = await self._client.hget(self._key, name)
            if body is None:
                return None
            changed = change(self._read(body))
            if await self._store(name, changed.model_dump_json(context={"reveal": True}), body) != -1:
                return changed
        raise ChangedMeanwhileError(f"{self._kind}/{name} is being changed by others; try again")

    async def delete(self, name: str) -> bool:
        """Remove the thing; return whether there was one."""
        return await self._store(name, "", "*") == 1

    async def raw(self) -> dict[str, bytes]:
        """Return the things as they are stored, by name: JSON, with whatever secrets they have."""
        rows = await self._client.hgetall(self._key)
        return {name.decode(): body for name, body in sorted(rows.items())}

    async def swap(self, name: str, body: str, expected: bytes | None) -> bool:
        """Store JSON as it is if the thing is still ``expected`` (None: there is none); return whether it was stored.

        The caller has held it against the model: a row that the model does not read makes the table unreadable.
        """
        return await self._store(name, body, expected or "") != -1

    def _read(self, body: bytes) -> M:
        return self._model.model_validate_json(body)

    async def _store(self, name: str, body: str, expected: str | bytes) -> int:
        words = [self._kind, name, body, expected]
        return int(await self._write(self._client, [self._key, ConfKeys.generation], words))
