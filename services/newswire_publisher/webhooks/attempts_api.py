"""A webhook's attempts over HTTP: list them, look at one with its request and answer, send one again."""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import JSONResponse, Response

from newswire_publisher.webhooks.access import HookAccess, must_push
from newswire_publisher.webhooks.attempts import START, Attempts, Kept
from newswire_publisher.webhooks.delivery import message_id
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.overview import waits_for
from newswire_publisher.webhooks.queue import HookQueues, SupersededError
from newswire_publisher.webhooks.repeats import HEADER_DOC, Repeats
from newswire_publisher.webhooks.sent_requests import SentRequests
from newswire_runtime.problems import Problem, not_found

SCANNED = 2_000
"""Attempts that one call with a condition looks at, at most; the cursor goes on from there."""
_PAGE = 200

Attempt = dict[str, Any]
AttemptId = Annotated[str, Path(max_length=46)]
_ID = r"^[0-9]{1,19}-[0-9]{1,19}(\.[0-9]{1,4})?$"
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

    def __init__(
        self, *, access: HookAccess, attempts: Attempts, sent: SentRequests, queues: HookQueues, repeats: Repeats
    ) -> None:
        self._access = access
        self._attempts = attempts
        self._sent = sent
        self._queues = queues
        self._repeats = repeats

    def install(self, app: FastAPI) -> None:
        path, add = "/v1/webhooks/{hook_id}/attempts", app.add_api_route
        add(path, self.list, methods=["GET"], tags=["webhooks"])
        add(f"{path}/{{attempt_id}}", self.get, methods=["GET"], tags=["webhooks"])
        resend = f"{path}/{{attempt_id}}/resend"
        add(resend, self.resend, methods=["POST"], tags=["webhooks"], status_code=202, openapi_extra=HEADER_DOC)

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
        """Show an attempt with its `request` and its `response`: `status`, `headers`, `body`, `truncated`.

        The request is made again from the entry, the settings of that time and the keys that were live then;
        credentials in headers of one's own are hidden. What is not known any more is left out, or null. `truncated`:
        there was more of the body than is kept; `headers_truncated`: of the headers. Of a delivery without a body no
        headers are kept.
        """
        hook, attempt = await self._find(request, hook_id, attempt_id)
        shown = {name: value for name, value in attempt.shown.items() if name not in ("response", "truncated")}
        return shown | {"request": await self._request(hook, attempt), "response": _response(attempt)}

    async def resend(self, request: Request, hook_id: str, attempt_id: AttemptId) -> Response:
        """Push the attempt's entry again, under the same id, whatever came of it.

        409 if it is kept no more, or is an older version of its article, or was killed: `newest` is the entry to send.
        `waits_for` says what it waits for: `disabled`, `pending`, `paused`, `circuit`, or null if it goes out now.
        """
        caller = await self._access.caller(request)
        hook, attempt = await self._find(request, hook_id, attempt_id)
        sequence = attempt.shown["sequence"]
        said, headers = await self._repeats.once(request, caller, lambda: self._resend(must_push(hook), sequence))
        return JSONResponse(said, status_code=202, headers=dict(headers))

    async def _resend(self, hook: Webhook, sequence: int) -> dict[str, Any]:
        try:
            found = await self._queues.resend(hook.id, sequence)
        except SupersededError as exc:
            detail = f"entry {sequence} is superseded and never sent again; the article's newest is entry {exc.newest}"
            raise Problem(409, "superseded", detail, newest=exc.newest) from exc
        if not found:
            raise Problem(409, "not-possible", f"entry {sequence} is kept no more")
        (counts,) = await self._queues.counts([hook.id])
        return {"sequence": sequence, "resent": True, "waits_for": waits_for(hook, counts)}

    async def _find(self, request: Request, hook_id: str, attempt_id: str) -> tuple[Webhook, Kept]:
        _, hook = await self._access.own(request, hook_id)
        attempt = await self._attempts.get(hook.id, attempt_id) if re.match(_ID, attempt_id) else None
        if attempt is None:
            raise not_found(f"attempt {attempt_id}")
        return hook, attempt

    async def _request(self, hook: Webhook, attempt: Kept) -> dict[str, Any] | None:
        if attempt.shown.get("status") is None and attempt.shown.get("error") is None:
            return None  # superseded, too old, cancelled: it was not sent
        name = message_id(hook.id, attempt.shown["sequence"])
        return await self._sent.of_attempt(hook, attempt.entry, name, attempt.at_ms, attempt.revision)


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


def _response(attempt: Kept) -> dict[str, Any] | None:
    if attempt.shown.get("status") is None:
        return None
    answer = attempt.answer
    response = {
        "status": attempt.shown["status"],
        "headers": answer.headers,
        "body": answer.body,
        "truncated": answer.truncated,
    }
    return response | ({"headers_truncated": True} if answer.headers_truncated else {})
