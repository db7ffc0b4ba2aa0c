"""What operators ask: tokens, dead letters, status."""

import asyncio
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from newswire_publisher.webhooks.unsigned import Unsigned
from newswire_runtime.auth import Name, Role, Token, Tokens
from newswire_runtime.client import Client
from newswire_runtime.dead import DeadLetter, DeadLetters, UnknownDeadLetterError
from newswire_runtime.http import now, require
from newswire_runtime.problems import Problem, not_found
from newswire_schemas.article import Utc, from_ms, to_iso
from newswire_schemas.entitlements import Entitlement
from newswire_schemas.streams import ConfKeys, WireKeys, hook_turns


class NewToken(BaseModel):
    """The body of ``POST /v1/tokens``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    name: Name
    expires: Utc | None = None
    entitlement: Entitlement | None = None


class OperatingApi:
    """The operators' routes."""

    def __init__(
        self, *, client: Client, tokens: Tokens, dead: DeadLetters, unsigned: Unsigned, partitions: int
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._dead = dead
        self._unsigned = unsigned
        self._keys = [WireKeys(partition) for partition in range(partitions)]

    def install(self, app: FastAPI) -> None:
        for method, path, call in (
            ("POST", "/v1/tokens", self.create_token),
            ("GET", "/v1/tokens", self.list_tokens),
            ("GET", "/v1/tokens/self", self.own_token),
            ("DELETE", "/v1/tokens/{token_id}", self.revoke_token),
            ("GET", "/v1/status", self.status),
            ("GET", "/v1/dead-letters", self.list_dead),
            ("GET", "/v1/dead-letters/{letter_id}", self.show_dead),
            ("POST", "/v1/dead-letters/{letter_id}/replay", self.replay_dead),
            ("DELETE", "/v1/dead-letters/{letter_id}", self.drop_dead),
        ):
            app.add_api_route(path, call, methods=[method], tags=["operating"])

    async def create_token(self, request: Request, body: NewToken) -> Response:
        """Make a token; the answer shows it, this once. A subscriber's may have an entitlement."""
        await require(request, self._tokens, Role.OPERATOR)
        if body.entitlement is not None and body.role is not Role.SUBSCRIBER:
            at = {
                "pointer": "/entitlement",
                "detail": f"a token of role {body.role} has none; only a subscriber's does",
            }
            raise Problem(422, "invalid-fields", f"{at['pointer']}: {at['detail']}", errors=[at])
        secret, token = await self._tokens.create(body.role, body.name, now(), body.expires, body.entitlement)
        return JSONResponse({"token": secret, **_shown_token(token)}, status_code=201)

    async def list_tokens(self, request: Request) -> dict[str, Any]:
        """List the tokens, without their secrets."""
        await require(request, self._tokens, Role.OPERATOR)
        return {"items": [_shown_token(token) for token in await self._tokens.all()]}

    async def own_token(self, request: Request) -> dict[str, str]:
        """Tell the role and the name of the token that this call is made with."""
        caller = await require(request, self._tokens, *Role)
        return {"role": caller.role, "name": caller.name}

    async def revoke_token(self, request: Request, token_id: str) -> Response:
        """Revoke a token; it is refused from the next call on."""
        await require(request, self._tokens, Role.OPERATOR)
        if not await self._tokens.revoke(token_id, now()):
            raise not_found(f"token {token_id}")
        return Response(status_code=204)

    async def status(self, request: Request) -> dict[str, Any]:
        """Show the streams and their groups, what is scheduled, what waits, and which webhooks cannot be signed."""
        await require(request, self._tokens, Role.OPERATOR)
        streams = [name for keys in self._keys for name in (keys.submitted, keys.received, keys.enriched)]
        scheduled = await asyncio.gather(*[self._client.zcard(keys.schedule) for keys in self._keys])
        due = await asyncio.gather(*[self._client.zcard(hook_turns(keys.partition)) for keys in self._keys])
        return {
            "streams": await asyncio.gather(*[self._stream(name) for name in streams]),
            "schedules": {"articles": sum(scheduled)},
            "webhooks": {
                "registered": await self._client.hlen(ConfKeys.table("webhooks")),
                "active": sum(due),
                "unsigned": await self._unsigned.ids(),
            },
            "accounts": {"registered": await self._client.hlen(ConfKeys.table("accounts"))},
            "dead_letters": await self._dead.count(),
        }

    async def _stream(self, name: str) -> dict[str, Any]:
        if not await self._client.exists(name):
            return {"name": name, "length": 0, "groups": []}
        groups = [
            {"name": group["name"].decode(), "pending": group["pending"], "lag": group["lag"]}
            for group in await self._client.xinfo_groups(name)
        ]
        return {"name": name, "length": await self._client.xlen(name), "groups": groups}

    async def list_dead(
        self, request: Request, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=500)] = 100
    ) -> dict[str, Any]:
        """List what could not be processed, newest first, refused submissions among it."""
        await require(request, self._tokens, Role.OPERATOR)
        try:
            letters = await self._dead.newest(limit, cursor)
        except UnknownDeadLetterError as exc:
            raise Problem(422, "unknown-cursor", "the cursor is not one of ours; start without it") from exc
        answer: dict[str, Any] = {"items": [_shown_letter(letter) for letter in letters]}
        if len(letters) == limit:
            answer["cursor"] = letters[-1].id
        return answer

    async def show_dead(self, request: Request, letter_id: str) -> dict[str, Any]:
        """Show a dead letter with its bytes as text."""
        await require(request, self._tokens, Role.OPERATOR)
        try:
            letter = await self._dead.get(letter_id)
        except UnknownDeadLetterError as exc:
            raise not_found(f"dead letter {letter_id}") from exc
        return _shown_letter(letter) | {"event": letter.event.decode(errors="replace")}

    async def replay_dead(self, request: Request, letter_id: str) -> Response:
        """Put a dead letter back into the stream it came from, once."""
        await require(request, self._tokens, Role.OPERATOR)
        try:
            await self._dead.replay(letter_id)
        except UnknownDeadLetterError as exc:
            raise not_found(f"dead letter {letter_id}") from exc
        except ValueError as exc:
            raise Problem(409, "not-possible", str(exc)) from exc
        return JSONResponse({"id": letter_id, "replayed": True}, status_code=202)

    async def drop_dead(self, request: Request, letter_id: str) -> Response:
        """Drop a dead letter for good."""
        await require(request, self._tokens, Role.OPERATOR)
        try:
            await self._dead.drop(letter_id)
        except UnknownDeadLetterError as exc:
            raise not_found(f"dead letter {letter_id}") from exc
        return Response(status_code=204)


def _shown_token(token: Token) -> dict[str, Any]:
    return token.model_dump(mode="json", exclude_none=True)


def _shown_letter(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "stage": letter.stage,
        "reason": letter.reason,
        "detail": letter.detail,
        "attempts": letter.attempts,
        "at": to_iso(from_ms(letter.at)),
        "origin": letter.origin,
        "replayable": letter.replayable,
        "size": len(letter.event),
    }
