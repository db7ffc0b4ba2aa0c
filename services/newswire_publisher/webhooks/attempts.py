"""Interim."""

import json
from typing import Any

from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys


class Attempts:
    """Interim."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def newest(self, hook_id: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        key = HookKeys(hook_id, self._partitions).attempts
        return _read(await self._client.xrevrange(key, max=f"({before}" if before else "+", count=limit))

    async def after(self, hook_id: str, attempt_id: str, limit: int) -> list[dict[str, Any]]:
        key = HookKeys(hook_id, self._partitions).attempts
        return _read(await self._client.xrange(key, min=f"({attempt_id}", count=limit))

    async def get(self, hook_id: str, attempt_id: str) -> dict[str, Any] | None:
        key = HookKeys(hook_id, self._partitions).attempts
        found = _read(await self._client.xrange(key, min=attempt_id, max=attempt_id))
        return found[0] if found else None


def _read(rows: Any) -> list[dict[str, Any]]:
    return [{"id": row_id.decode(), **json.loads(fields[b"attempt"])} for row_id, fields in rows]
