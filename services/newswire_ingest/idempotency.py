"""Idempotency-Key: the first answer to a key is repeated for a day.

While the first call runs, a second one gets 409; the same key with another body
gets 422. A call that fails leaves no trace, so that it can be tried again.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from newswire_runtime.client import Client
from newswire_runtime.problems import Problem
from newswire_schemas.streams import WireKeys, partition_of

KEEP_SECONDS = 86_400
PENDING_SECONDS = 10
"""How long a call that died holds its key; accepting twice is harmless, so that this may be short."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The place where the answer to one key is kept, and the fingerprint of what was sent with it."""

    redis_key: str
    fingerprint: str


class Answers:
    """Remembered answers."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def begin(self, caller: str, key: str, body: bytes) -> tuple[Slot, dict[str, Any] | None]:
        """Take the key; return the first answer if there is one. Raises a 409 or 422 problem."""
        if len(key) > 255:
            raise Problem(422, "invalid-idempotency-key", "Idempotency-Key has more than 255 characters")
        digest = hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()
        redis_key = WireKeys(partition_of(digest, self._partitions)).answer(digest)
        slot = Slot(redis_key, hashlib.sha256(body).hexdigest())
        # One command: between two, the first call could end and its answer be forgotten.
        found = await self._client.set(redis_key, json.dumps([slot.fingerprint]), nx=True, get=True, ex=PENDING_SECONDS)
        if found is None:
            return slot, None
        kept = json.loads(found)
        if kept[0] != slot.fingerprint:
            raise Problem(422, "idempotency-key-reused", "this Idempotency-Key was used with another body")
        if len(kept) == 1:
            raise Problem(409, "in-progress", "the first call with this Idempotency-Key still runs; try again")
        return slot, kept[1]

    async def finish(self, slot: Slot, answer: dict[str, Any]) -> None:
        await self._client.set(slot.redis_key, json.dumps([slot.fingerprint, answer]), ex=KEEP_SECONDS)

    async def forget(self, slot: Slot) -> None:
        await self._client.delete(slot.redis_key)
