"""What came of each attempt, by subscription: written when a push is settled, kept for some days.

A record also tells of entries that were not sent: ``superseded``, ``expired`` (too old) or ``cancelled``.
"""

import json
from collections.abc import Mapping
from typing import Any

from newswire_publisher.webhooks.log import HookLog
from newswire_runtime.client import Client
from newswire_schemas.article import from_ms, to_iso
from newswire_schemas.streams import HookKeys


class Attempts:
    """Reads the attempts of all subscriptions. An attempt is a flat object; the README names its members."""

    def __init__(self, client: Client, log: HookLog, partitions: int) -> None:
        self._client = client
        self._log = log
        self._partitions = partitions

    async def newest(self, hook_id: str, limit: int, before: str | None = None) -> list[dict[str, Any]]:
        """Return attempts, newest first, older than the attempt ``before``."""
        top = f"({before}" if before else "+"
        rows = await self._client.xrevrange(self._key(hook_id), max=top, count=limit)
        return await self._shown(hook_id, rows)

    async def after(self, hook_id: str, attempt_id: str, limit: int) -> list[dict[str, Any]]:
        """Return attempts, oldest first, newer than an attempt; ``0-0`` is before all."""
        rows = await self._client.xrange(self._key(hook_id), min=f"({attempt_id}", count=limit)
        return await self._shown(hook_id, rows)

    async def get(self, hook_id: str, attempt_id: str) -> dict[str, Any] | None:
        rows = await self._client.xrange(self._key(hook_id), min=attempt_id, max=attempt_id)
        return (await self._shown(hook_id, rows))[0] if rows else None

    def _key(self, hook_id: str) -> str:
        return HookKeys(hook_id, self._partitions).attempts

    async def _shown(self, hook_id: str, rows: list[tuple[bytes, Mapping[bytes, bytes]]]) -> list[dict[str, Any]]:
        found = [{"id": row_id.decode(), **json.loads(fields[b"attempt"])} for row_id, fields in rows]
        entries = await self._log.entries(hook_id, [each["sequence"] for each in found])
        for each in found:
            if (entry := entries.get(each["sequence"])) is not None:
                each |= {"uri": entry.uri or None, "version": entry.version or None, "type": entry.type}
            for name in ("at", "next_at"):
                if (ms := each.pop(f"{name}_ms", None)) is not None:
                    each[name] = to_iso(from_ms(ms))
        return [{name: value for name, value in each.items() if value is not None} for each in found]
