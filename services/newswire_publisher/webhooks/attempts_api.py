"""A webhook's attempts over HTTP: list them, look at one with its request and answer, send one again."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse, Response

from newswire_publisher.webhooks.access import HookAccess, must_push
from newswire_publisher.webhooks.attempts import START, Attempts
from newswire_publisher.webhooks.delivery import message_id
from newswire_publisher.webhooks.headers import headers as headers_of
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.problems import Problem, not_found

SCANNED = 2_000
"""Attempts that one call with a condition looks at, at most; the cursor goes on from there."""
_PAGE = 200

Attempt = dict[str, Any]
AttemptId = Annotated[str, Path(max_length=46)]
_ID = r"^[0-9]{1,20}-[0-9]{1,20}(\.[0-9]{1,4})?$"
_Id = Annotated[str, StringConstraints(pattern=_ID)]
Outcome = Literal["delivered", "retry", "exhausted", "gone", "superseded", "expired", "cancelled"]


class Asked(BaseModel):
    """Which attempts a list is to have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: _Id | None = Field(None, description="The id of an attempt: those since, oldest first.")
    cursor: _Id | None = None
    outcome: Outcome | None = None
    sequence: int | None = Field(None, ge=1, le=2**53, description="Of this entry alone.")
    limit: int = Field(100, ge=1, le=500)


class AttemptsApi:
    """The routes of the attempts."""

    def __init__(self, *, access: HookAccess, attempts: Attempts, log: HookLog, queues: HookQueues) -> None:
        self._access = access
        self._attempts = attempts
        self._log = log
        self._queues = queues

    def install(self, app: FastAPI) -> None:
        path, add = "/v1/webhooks/{hook_id}/attempts", app.add_api_route
        add(path, self.list, methods=["GET"], tags=["webhooks"])
        add(f"{path}/{{attempt_id}}", self.get, methods=["GET"], tags=["webhooks"])
        add(f"{path}/{{attempt_id}}/resend", self.resend, methods=["POST"], tags=["webhooks"], status_code=202)

    async def list(self, request: Request, hook_id: str, asked: Annotated[Asked, Query()]) -> dict[str, Any]:
        """List the attempts that are kept, newest first; with `after`, those since that attempt, oldest first.

        `cursor` is there while there may be more: give it back as it is, with the same conditions; a page of a
        list with conditions may have few items, or none, and still a cursor.
        """
        _, hook = await self._access.own(request, hook_id)

        def wanted(attempt: Attempt) -> bool:
            return asked.outcome in (None, attempt["outcome"]) and asked.sequence in (None, attempt.get("sequence"))

        async def newer(start: str | None, count: int) -> list[Attempt]:
            return await self._attempts.after(hook.id, start or START, count)

        async def older(start: str | None, count: int) -> list[Attempt]:
            return await self._attempts.newest(hook.id, count, start)

        read = older if asked.after is None else newer
        items, place = await _page(read, asked.cursor or asked.after, wanted, asked.limit)
        return {"items": items} | ({"cursor": place} if place else {})

    async def get(self, request: Request, hook_id: str, attempt_id: AttemptId) -> dict[str, Any]:
        """Show an attempt with its `request` (the body byte for byte; not the signature) and its `response`.

        The address and the headers of one's own are those that the webhook has now.
        """
        _, hook, attempt = await self._find(request, hook_id, attempt_id)
        entry = await self._log.entry(hook.id, attempt["sequence"])
        body = None if entry is None else await self._log.body(hook, entry)
        shown = {name: value for name, value in attempt.items() if name not in ("response", "truncated")}
        sent = attempt.get("status") is not None or attempt.get("error") is not None
        return shown | {
            "request": _request(hook, attempt, body) if sent else None,
            "response": {
                "status": attempt["status"],
                "body": attempt.get("response") or "",
                "truncated": bool(attempt.get("truncated")),
            }
            if attempt.get("status") is not None
            else None,
        }

    async def resend(self, request: Request, hook_id: str, attempt_id: AttemptId) -> Response:
        """Push the attempt's entry again, under the same id, whatever came of it; 409 if it is kept no more."""
        _, hook, attempt = await self._find(request, hook_id, attempt_id)
        if not await self._queues.resend(must_push(hook).id, attempt["sequence"]):
            detail = f"entry {attempt['sequence']} is kept no more, or is on its way already"
            raise Problem(409, "not-possible", detail)
        return JSONResponse({"sequence": attempt["sequence"], "resent": True}, status_code=202)

    async def _find(self, request: Request, hook_id: str, attempt_id: str) -> tuple[object, Webhook, Attempt]:
        caller, hook = await self._access.own(request, hook_id)
        attempt = await self._attempts.get(hook.id, attempt_id) if re.match(_ID, attempt_id) else None
        if attempt is None:
            raise not_found(f"attempt {attempt_id}")
        return caller, hook, attempt


async def _page(
    read: Callable[[str | None, int], Any], place: str | None, wanted: Callable[[Attempt], bool], limit: int
) -> tuple[list[Attempt], str | None]:
    """Read on from a place until there are ``limit`` wanted attempts; return them, and where to go on if anywhere."""
    found: list[Attempt] = []
    looked_at = 0
    while looked_at < SCANNED:
        rows: list[Attempt] = await read(place, _PAGE)
        for row in rows:
            place = row["id"]
            if wanted(row):
                found.append(row)
                if len(found) == limit:
                    return found, place
        looked_at += len(rows)
        if len(rows) < _PAGE:
            return found, None
    return found, place


def _request(hook: Webhook, attempt: Attempt, body: bytes | None) -> dict[str, Any]:
    timestamp = int(datetime.fromisoformat(attempt["at"]).timestamp())
    headers = headers_of(message_id(hook.id, attempt["sequence"]), timestamp, "", hook.headers)
    del headers["webhook-signature"]
    return {"method": "POST", "url": hook.url, "headers": headers, "body": None if body is None else body.decode()}
