"""Idempotency-Key: the first answer to a key is repeated for a day.

    key + body ─▶ begin ─┬─ new      ─▶ the call runs ─▶ finish (its answer is kept) or forget (it failed)
                         ├─ repeated ─▶ the answer that is kept
                         └─ refused  ─▶ 409 while the first call runs, 422 with another body

As the IETF's draft has it (draft-ietf-httpapi-idempotency-key-header-07, section 2). A call that
fails leaves no trace, so that it can be tried again. A call that died holds its key for
``pending_seconds``; after that it runs anew, so a call must bear being made twice: what it makes it
makes under the `name_of` its key, and finds it there.
"""

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from newswire_runtime.client import Client
from newswire_runtime.problems import Problem
from newswire_schemas.streams import WireKeys, partition_of

KEEP_SECONDS = 86_400
REPEATED = {"Idempotent-Replayed": "true"}
"""The header of an answer that is repeated."""
_MAX_KEY = 255


@dataclass(frozen=True, slots=True)
class Slot:
    """The place where the answer to one key is kept, and the fingerprint of what was sent with it."""

    redis_key: str
    fingerprint: str


class Answers:
    """Remembered answers. ``pending_seconds`` must outlast any call."""

    def __init__(self, client: Client, partitions: int, *, pending_seconds: int = 10) -> None:
        self._client = client
        self._partitions = partitions
        self._pending_seconds = pending_seconds

    async def once(
        self, caller: str, key: str, body: bytes, call: Callable[[], Awaitable[dict[str, Any]]]
    ) -> tuple[dict[str, Any], bool]:
        """Make the call, or find what it answered; return the answer, and whether it is a repeated one.

        Args:
            caller: Whose key it is: two callers may use the same.
            key: The header's value.
            body: What the caller sent.
            call: Makes the call. What it answers is kept as JSON, so it holds no secret.

        Raises:
            Problem: 422 for a key that is none, or that came with another body; 409 while the first call runs.
        """
        slot, kept = await self.begin(caller, key, body)
        if kept is not None:
            return kept, True
        try:
            answer = await call()
        except BaseException:
            await self.forget(slot)
            raise
        await self.finish(slot, answer)
        return answer, False

    async def begin(self, caller: str, key: str, body: bytes) -> tuple[Slot, dict[str, Any] | None]:
        """Take the key; return the first answer if there is one. Raises a 409 or 422 problem."""
        if not 0 < len(key) <= _MAX_KEY:
            raise Problem(422, "invalid-idempotency-key", f"Idempotency-Key needs 1 to {_MAX_KEY} characters")
        digest = digest_of(caller, key)
        redis_key = WireKeys(partition_of(digest, self._partitions)).answer(digest)
        slot = Slot(redis_key, hashlib.sha256(body).hexdigest())
        # One command: between two, the first call could end and its answer be forgotten.
        found = await self._client.set(
            redis_key, json.dumps([slot.fingerprint]), nx=True, get=True, ex=self._pending_seconds
        )
        if found is None:
            return slot, None
        kept = json.loads(found)
        if kept[0] != slot.fingerprint:
            raise Problem(422, "idempotency-key-reused", "this Idempotency-Key was used with another body")
        if len(kept) == 1:
            detail = "the first call with this Idempotency-Key still runs; try again"
            raise Problem(409, "in-progress", detail, headers={"Retry-After": "1"})
        return slot, kept[1]

    async def name_of(self, caller: str, key: str) -> str:
        """Return a random name of 16 hexadecimal digits: the same one for all calls with this key within a day.

        Not one that follows from the key, which would be taken again by who uses the key again later.
        """
        digest, name = digest_of(caller, key), secrets.token_hex(8)
        redis_key = WireKeys(partition_of(digest, self._partitions)).named(digest)
        found = await self._client.set(redis_key, name, nx=True, get=True, ex=KEEP_SECONDS)
        return name if found is None else found.decode()

    async def finish(self, slot: Slot, answer: dict[str, Any]) -> None:
        await self._client.set(slot.redis_key, json.dumps([slot.fingerprint, answer]), ex=KEEP_SECONDS)

    async def forget(self, slot: Slot) -> None:
        await self._client.delete(slot.redis_key)


def digest_of(caller: str, key: str) -> str:
    """Return what stands for a caller's key: a hexadecimal SHA-256."""
    return hashlib.sha256(f"{caller}\n{key}".encode()).hexdigest()
