"""The HTTP face that all services share: health, metrics, problem documents, request ids, body limits."""

import base64
import contextlib
import re
import time
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from newswire_runtime.auth import Caller, Role, Tokens
from newswire_runtime.bodies import MAX_BODY, bounded_route
from newswire_runtime.openapi import DESCRIPTION, OPEN, describe
from newswire_runtime.problems import Problem, pointer, unauthorized
from newswire_runtime.service import Service
from newswire_schemas.article import from_ms
from newswire_schemas.faults import fault_of

log = structlog.get_logger()
_TRACE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")


def build_app(services: Sequence[Service], title: str = "newswire") -> FastAPI:
    """Build the app that serves these services' routes on one port."""
    app = FastAPI(title=title, version="1", description=DESCRIPTION, redirect_slashes=False)
    describe(app)
    app.router.route_class = bounded_route(max((service.settings.max_body for service in services), default=MAX_BODY))
    app.add_middleware(TraceMiddleware)
    _install_health(app, services)
    _install_problems(app)
    for service in services:
        service.install(app)
    return app


def now() -> datetime:
    """Return the time, aware, in UTC."""
    return from_ms(time.time() * 1_000)


def trace_id(request: Request) -> str:
    """Return the request's id; the same id follows the article to its deliveries."""
    return str(request.scope["trace_id"])


class TraceMiddleware:
    """Gives each request an id (the caller's ``X-Request-ID`` if it is sane) and logs one line for it.

    The query is not logged: a feed's address may carry a token.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        scope["trace_id"] = given if _TRACE_ID.match(given) else uuid.uuid4().hex
        status, began = 0, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", scope["trace_id"].encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:
            status = status or 500
            raise
        finally:
            level = log.debug if scope["path"] in _QUIET else log.info
            level(
                "http.request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 2),
                trace_id=scope["trace_id"],
            )


_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def reader_token(authorization: str) -> str | None:
    """Return the token as readers' programs give it: Bearer, or the password of HTTP Basic (RFC 7617).

    Empty, which is nobody's, where that cannot be read; None for a header of another scheme, or none.
    """
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


async def authenticate(request: Request, tokens: Tokens) -> Caller | None:
    """Return who calls by the bearer token, None without one; raise a 401 problem for a token that is unknown."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise unauthorized("write the token as 'Authorization: Bearer TOKEN'")
    caller = await tokens.caller(secret.strip(), now())
    if caller is None:
        raise unauthorized("the token is unknown, revoked or expired")
    return caller


async def require(request: Request, tokens: Tokens, *roles: Role) -> Caller:
    """Return who calls if its role is one of ``roles``; raise a 401 or 403 problem otherwise."""
    caller = await authenticate(request, tokens)
    if caller is None:
        raise unauthorized("this call needs a token; an operator makes one with 'newswire token create ROLE NAME'")
    if caller.role not in roles:
        allowed = " or ".join(roles)
        raise Problem(403, "wrong-role", f"this call is for a token of role {allowed}; yours is {caller.role}")
    return caller


def _install_health(app: FastAPI, services: Sequence[Service]) -> None:
    @app.get("/healthz", tags=["operating"], summary="The process lives.", openapi_extra=OPEN)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz",
        tags=["operating"],
        summary="Every reader runs, the broker answers and writes, the lag is bounded.",
        openapi_extra=OPEN,
    )
    async def readyz() -> Response:
        """Answer 200 if so, 503 with the reasons if not. `degraded` tells what does not work all the same."""
        reasons = {service.name: await service.unready() for service in services}
        bad = [f"{name}: {reason}" for name, found in reasons.items() for reason in found]
        if bad:
            return Problem(503, "not-ready", "; ".join(bad), reasons=bad).response()
        names = [service.name for service in services]
        without = [f"{service.name}: {reason}" for service in services for reason in await service.degraded()]
        if without:
            # Still 200: readers must not lose the feeds because some webhooks wait.
            return JSONResponse({"status": "degraded", "services": names, "degraded": without})
        return JSONResponse({"status": "ready", "services": names})

    @app.get("/metrics", tags=["operating"], summary="Prometheus metrics.", openapi_extra=OPEN)
    async def metrics() -> Response:
        for service in services:
            with contextlib.suppress(RedisError, OSError):
                await service.unready()  # brings the gauges up to date
                await service.degraded()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _install_problems(app: FastAPI) -> None:
    async def problem(_: Request, exc: Any) -> Response:
        return exc.response()  # type: ignore[no-any-return]  # registered for Problem alone

    async def http_exception(_: Request, exc: Any) -> Response:
        slug = {404: "not-found", 405: "method-not-allowed"}.get(exc.status_code, "error")
        return Problem(exc.status_code, slug, str(exc.detail), headers=exc.headers or {}).response()

    async def invalid(_: Request, exc: Any) -> Response:
        return invalid_fields(exc.errors()).response()

    async def broker_away(request: Request, exc: Any) -> Response:
        log.warning("broker.unavailable", path=request.url.path, error=str(exc))
        detail = "the broker does not answer or cannot write (is its disk full?); try again"
        return Problem(503, "broker-unavailable", detail, headers={"Retry-After": "1"}).response()

    async def fault(request: Request, exc: Exception) -> Response:
        # Its answer goes out above the middleware that gives each its id.
        given = trace_id(request)
        log.error("request.failed", path=request.url.path, trace_id=given, exc_info=exc)
        detail = "an error of ours; the log has it under this request's id"
        return Problem(500, "internal-error", detail, headers={"X-Request-ID": given}).response()

    app.add_exception_handler(Problem, problem)
    app.add_exception_handler(HTTPException, http_exception)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(RedisError, broker_away)
    app.add_exception_handler(ConnectionError, broker_away)
    app.add_exception_handler(Exception, fault)


def invalid_fields(errors: Sequence[Any]) -> Problem:
    """Return the 422 problem for pydantic's errors, with a JSON pointer for each field of the body."""
    found = []
    for error in errors:
        if error["type"] == "json_invalid":  # its place is one in the text, and no field
            found.append({"pointer": "", "detail": f"Invalid JSON: {error['ctx']['error']}"})
            continue
        loc = [part for part in error["loc"] if part not in ("body",)]
        found.append({"pointer": pointer(loc), "detail": fault_of(error)})
    first = found[0]
    return Problem(422, "invalid-fields", f"{first['pointer'] or 'the body'}: {first['detail']}", errors=found)
