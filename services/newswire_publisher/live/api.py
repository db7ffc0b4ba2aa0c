"""``GET /v1/live``: the wire as Server-Sent Events.

    who, which filter, from where ─▶ headers ─▶ replay ─▶ joins the hub ─▶ waits for the client to go

A bare ASGI route: an open stream is one waiting coroutine, and no task, queue or context of a framework.
A client that is new begins now; one with ``Last-Event-ID`` (or ``?last_event_id=``) begins after that entry.
An id older than what is kept is answered with an event ``gap`` and all that is left: an error would make a
browser give up for good. An id that was never given is a 400: it is of another wire, or of a lost one.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Annotated

import structlog
from fastapi import FastAPI, Header, Query
from pydantic import ValidationError
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from newswire_publisher.articles.message import Format
from newswire_publisher.live.access import ANYBODY, LiveAccess
from newswire_publisher.live.frames import opening_frame
from newswire_publisher.live.hub import LiveHub
from newswire_publisher.live.log import LiveLog
from newswire_publisher.live.stream import LiveStream
from newswire_runtime.hot_protocol import ABORT
from newswire_runtime.http import invalid_fields
from newswire_runtime.openapi import PUBLIC
from newswire_runtime.problems import Problem
from newswire_schemas.filters import Filter

log = structlog.get_logger()
MOST_STREAMS = 5_000
PATIENCE = 5.0
_EVENT_STREAM = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_CORS = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT = _CORS | {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Last-Event-ID, Cache-Control",
    "Access-Control-Max-Age": "86400",
}


class LiveApi:
    """The route, an ASGI application of its own."""

    def __init__(self, hub: LiveHub, log_of: LiveLog, access: LiveAccess, most: int = MOST_STREAMS) -> None:
        self._hub = hub
        self._log = log_of
        self._access = access
        self._most = most
        self._names = map(str, itertools.count(1))

    def install(self, app: FastAPI) -> None:
        # The bare route answers; the documented one below it is for /docs only.
        app.router.routes.append(Route("/v1/live", self, methods=["GET", "HEAD", "OPTIONS"]))
        app.add_api_route(
            "/v1/live",
            _documented,
            methods=["GET"],
            tags=["live"],
            summary="The wire as it happens.",
            openapi_extra=PUBLIC,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method == "OPTIONS":
            headers = _PREFLIGHT if self._access.public else {}
            await Response(status_code=204, headers=headers)(scope, receive, send)
            return
        try:
            stream, wanted, resumed = await self._open(request, send)
        except Problem as problem:
            if self._access.public:
                problem.headers |= _CORS
            raise
        cors = [(b"access-control-allow-origin", b"*")] if self._access.public else []
        await send({"type": "http.response.start", "status": 200, "headers": _EVENT_STREAM + cors})
        if request.method == "HEAD":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        del request
        await self._run(stream, wanted, receive, resumed=resumed)

    async def _run(self, stream: LiveStream, wanted: Filter, receive: Receive, *, resumed: bool) -> None:
        self._hub.add(stream)
        replay = asyncio.create_task(self._replay(stream, wanted, resumed=resumed))
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            replay.cancel()
            self._hub.remove(stream)

    async def _replay(self, stream: LiveStream, wanted: Filter, *, resumed: bool) -> None:
        try:
            await stream.write([(stream.position, opening_frame(None if resumed else stream.position))])
            await self._hub.replay(stream, wanted)
        except (RedisError, OSError) as exc:
            log.warning("live.replay_failed", error=str(exc))
            stream.end()  # the client comes again, and goes on where it was
        if self._hub.closed:
            stream.end()

    async def _open(self, request: Request, send: Send) -> tuple[LiveStream, Filter, bool]:
        reader = await self._access.reader(request)
        asked, form, after = _filter_of(request), _format_of(request), _after(request)
        wanted = await self._access.effective(reader, asked)
        if wanted is None:
            raise Problem(403, "not-entitled", "the token gives no right to read the live stream")
        if self._hub.closed or len(self._hub) >= self._most:
            raise _busy("there are as many open streams as this process takes; come again, or ask another one")
        try:
            async with asyncio.timeout(PATIENCE):
                await self._hub.started.wait()
                newest = await self._log.newest()
        except TimeoutError as exc:
            raise _busy("the stream has not begun to read yet; come again") from exc
        if after is not None and after > newest:
            raise Problem(
                400, "unknown-event-id", f"the newest event is {newest}, and {after} was never given; resume without it"
            )

        async def allowed() -> bool:
            return await self._access.effective(reader, asked) == wanted

        stream = LiveStream(
            name=next(self._names),
            form=form,
            position=newest if after is None else after,
            send=send,
            abort=_abort_of(request.scope),
            allowed=None if reader == ANYBODY else allowed,
        )
        return stream, wanted, after is not None


def _abort_of(scope: Scope) -> Callable[[], None]:
    abort: Callable[[], None] = scope["extensions"][ABORT]
    return abort


def _busy(detail: str) -> Problem:
    return Problem(503, "live-unavailable", detail, headers={"Retry-After": "2"})


def _filter_of(request: Request) -> Filter:
    try:
        return Filter.model_validate_json(request.query_params.get("filter", "{}"))
    except ValidationError as exc:
        raise invalid_fields(exc.errors()) from exc


def _format_of(request: Request) -> Format:
    try:
        return Format(request.query_params.get("format", Format.ARTICLE))
    except ValueError as exc:
        raise Problem(422, "unknown-format", f"format: there are {', '.join(Format)}") from exc


def _after(request: Request) -> int | None:
    # A browser that reconnects sends its header to the address it began with: the header is the newer one.
    text = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Problem(400, "unknown-event-id", "the id to resume from is the number of an event; resume without it")
    return int(text)


def _documented(
    filter: Annotated[str | None, Query(description="A filter as JSON.")] = None,
    format: Annotated[Format, Query(description="What `data.data` shows.")] = Format.ARTICLE,
    last_event_id: Annotated[int | None, Query(description="Begin after this event; so does the header.")] = None,
    header: Annotated[int | None, Header(alias="Last-Event-ID")] = None,
) -> None:
    """Follow the wire as Server-Sent Events: `id` the number, `event` the type, `data` as a webhook push.

    `gap` (`{"after", "first"}`): what came between is kept no more. `overflow` (`{"after"}`): you read too slowly;
    resume after that number. Blocks with an `id` alone say that nothing up to there was for your filter.
    """
