"""Calls on a webhook that are safe to repeat: the first answer to an ``Idempotency-Key`` comes again, for a day.

request ─▶ key? ─┬─ none ─▶ the call
                 └─ one of this caller, on this path ─▶ the call, or what it answered
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Request

from newswire_runtime.auth import Caller
from newswire_runtime.idempotency import REPEATED, Answers

HEADER_DOC: dict[str, Any] = {
    "parameters": [{"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}}]
}
"""What a route that honours the header has in its ``openapi_extra``."""


class Repeats:
    """Makes calls once a key."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers

    async def once(
        self, request: Request, caller: Caller, call: Callable[[], Awaitable[dict[str, Any]]]
    ) -> tuple[dict[str, Any], Mapping[str, str]]:
        """Make the call, or find what it answered, which holds no secret; return that, and headers to add.

        Raises:
            Problem: as `Answers.once`.
        """
        key = request.headers.get("idempotency-key")
        if key is None:
            return await call(), {}
        answer, repeated = await self._answers.once(_whose(request, caller), key, await request.body(), call)
        return answer, REPEATED if repeated else {}

    async def name_of(self, request: Request, caller: Caller) -> str | None:
        """Return a name for what the call makes, the same for each call with its key; None without a key."""
        key = request.headers.get("idempotency-key")
        return None if key is None else await self._answers.name_of(_whose(request, caller), key)


def _whose(request: Request, caller: Caller) -> str:
    return f"{request.url.path}:{caller.role}:{caller.name}"
