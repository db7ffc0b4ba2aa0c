"""A webhook's log over HTTP: read it after a number, and push a part of it again.

GET  …/events?after=N  ─▶ entries with the very bytes that pushes carry, as pages or as one stream (NDJSON)
POST …/replay          ─▶ numbers or times ─▶ first and last entry ─▶ the queue pushes them beside what is new
DELETE …/replays       ─▶ what waits of them is cancelled
"""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response, StreamingResponse

from newswire_publisher.webhooks.access import HookAccess, must_push
from newswire_publisher.webhooks.left_out import LeftOut, LeftOuts
from newswire_publisher.webhooks.log import Entry, HookLog, NoBody
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues, SameReplayError, TooManyReplaysError
from newswire_publisher.webhooks.repeats import HEADER_DOC, Repeats
from newswire_publisher.webhooks.replaying import Replay
from newswire_runtime.problems import Problem
from newswire_schemas.article import to_iso

NDJSON = "application/x-ndjson"
_BATCH = 100


class Asked(BaseModel):
    """Which entries a page is to have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: int = Field(0, ge=0, le=2**53, description="A sequence number: those after it.")
    cursor: str | None = Field(None, pattern=r"^\d{1,16}$")
    limit: int = Field(100, ge=1, le=500)


class LogApi:
    """The routes of the logs."""

    def __init__(
        self, *, access: HookAccess, log: HookLog, left_outs: LeftOuts, queues: HookQueues, repeats: Repeats
    ) -> None:
        self._access = access
        self._log = log
        self._left_outs = left_outs
        self._queues = queues
        self._repeats = repeats

    def install(self, app: FastAPI) -> None:
        add = app.add_api_route
        add("/v1/webhooks/{hook_id}/events", self.events, methods=["GET"], tags=["webhooks"], response_model=None)
        path = "/v1/webhooks/{hook_id}/replay"
        add(path, self.replay, methods=["POST"], tags=["webhooks"], status_code=202, openapi_extra=HEADER_DOC)
        add("/v1/webhooks/{hook_id}/replays", self.cancel, methods=["DELETE"], tags=["webhooks"])

    async def events(self, request: Request, hook_id: str, asked: Annotated[Asked, Query()]) -> Response:
        """Read the log after a sequence number; `payload` holds the very bytes that a push carries.

        It is null where there is none any more, and `reason` says why: `withdrawn` (the article was killed or withheld
        later) or `not-kept` (the version).
        `cursor` is there while there is more. With `Accept: application/x-ndjson` the answer is all that
        there is after the number, one entry a line. `left_out` tells of numbers after yours that have no entry, as
        the wire was restored from a backup: do not wait for them.
        """
        _, hook = await self._access.own(request, hook_id)
        start = asked.after if asked.cursor is None else int(asked.cursor)
        if NDJSON in request.headers.get("accept", ""):
            return StreamingResponse(self._lines(hook, start), media_type=NDJSON)
        items = await self._shown(hook, await self._log.after(hook.id, start, asked.limit))
        answer: dict[str, Any] = {"items": items}
        if len(items) == asked.limit:
            answer["cursor"] = str(items[-1]["sequence"])
        left_out = await self._left_outs.of(hook.id)
        if left_out is not None and start < left_out.last:
            answer["left_out"] = _shown_leap(left_out)
        return JSONResponse(answer)

    async def _lines(self, hook: Webhook, after: int) -> AsyncIterator[bytes]:
        while entries := await self._log.after(hook.id, after, _BATCH):
            for item in await self._shown(hook, entries):
                yield json.dumps(item, ensure_ascii=False).encode() + b"\n"
            after = entries[-1].sequence
            if len(entries) < _BATCH:
                return

    async def _shown(self, hook: Webhook, entries: list[Entry]) -> list[dict[str, Any]]:
        bodies = await self._log.bodies(hook.format, entries)
        return [
            {
                "sequence": entry.sequence,
                "uri": entry.uri or None,
                "version": entry.version,
                "type": entry.type,
                "time": to_iso(entry.moment),
                **({"payload": None, "reason": body} if isinstance(body, NoBody) else {"payload": body.decode()}),
            }
            for entry, body in zip(entries, bodies, strict=True)
        ]

    async def replay(self, request: Request, hook_id: str, replay: Replay) -> Response:
        """Push a part of the log again, under the same ids: after a number, or since a time, until another.

        `only: failed` leaves out what was delivered. The answer says which entries lie in that part; they go out
        beside what is new, and never ahead of it. `waits_already`: the very same replay has not begun yet, and no
        second one was made.
        """
        caller, hook = await self._access.own(request, hook_id)
        must_push(hook)
        said, headers = await self._repeats.once(request, caller, lambda: self._replay(hook, replay))
        return JSONResponse(said, status_code=202, headers=dict(headers))

    async def _replay(self, hook: Webhook, replay: Replay) -> dict[str, Any]:
        first, last = await self._range(hook, replay)
        kept = await self._log.after(hook.id, first - 1, 1)
        if not kept or kept[0].sequence > last:
            return {"first": None, "last": None, "entries": 0}
        first = kept[0].sequence
        try:
            entries = await self._queues.replay(hook.id, first, last, only_failed=replay.only == "failed")
        except SameReplayError as exc:
            return {"first": first, "last": last, "entries": exc.entries, "waits_already": True}
        except TooManyReplaysError as exc:
            detail = "a hundred replays of this webhook wait already; ask again when some are done"
            raise Problem(409, "too-many-replays", detail) from exc
        return {"first": first, "last": last, "entries": entries}

    async def cancel(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Cancel the replays that wait; `cancelled` is how many entries they had. What is on its way goes on."""
        _, hook = await self._access.own(request, hook_id)
        return {"cancelled": await self._queues.cancel_replays(hook.id)}

    async def _range(self, hook: Webhook, replay: Replay) -> tuple[int, int]:
        (counts,) = await self._queues.counts([hook.id])
        last = counts.last_sequence
        if isinstance(replay.until, int):
            last = min(last, replay.until)
        elif replay.until is not None:
            last = min(last, await self._log.at(hook.id, replay.until) - 1)
        if replay.since is not None:
            return await self._log.at(hook.id, replay.since), last
        if replay.after is None:
            raise Problem(422, "invalid-fields", "give after or since")  # the model has seen to it
        return replay.after + 1, last


def _shown_leap(left_out: LeftOut) -> dict[str, Any]:
    return {"from": left_out.first, "to": left_out.last, "restored": to_iso(left_out.restored)}
