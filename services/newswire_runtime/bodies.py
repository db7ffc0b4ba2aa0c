"""How many bytes a request may have: read at most so many, whoever sends them.

A framework that parses a body reads it whole, before it asks who calls. So each route that is added to an app gets
its body from here: counted as it comes, and refused with a 413 problem at the first byte too many. A route that
takes more, and looks itself, is marked with `takes`.
"""

from collections.abc import Callable, Coroutine
from json import JSONDecodeError
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message

from newswire_runtime.problems import Problem
from newswire_runtime.strict_json import read_json

MAX_BODY = 10_000_000
"""Bytes, unless the settings say otherwise."""

F = TypeVar("F", bound=Callable[..., Any])
_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_MARK = "takes_bytes"


def takes(most: int) -> Callable[[F], F]:
    """Mark a route's function: its body may have so many bytes, whatever holds for the others."""

    def mark(function: F) -> F:
        setattr(function, _MARK, most)
        return function

    return mark


class _JsonRequest(Request):
    """Reads JSON as it is read everywhere here; FastAPI makes its 422 of a JSONDecodeError alone."""

    async def json(self) -> Any:
        try:
            return read_json(await self.body())
        except ValueError as exc:
            raise JSONDecodeError(str(exc), "", 0) from exc


def bounded_route(most: int) -> type[APIRoute]:
    """Return the class of routes whose bodies have at most so many bytes."""

    class BoundedRoute(APIRoute):
        """Reads the body before it is parsed."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()
            limit = getattr(self.endpoint, _MARK, most)

            async def handle_bounded(request: Request) -> Response:
                if request.method not in _WITH_BODY:
                    return await handle(request)
                body: bytes | None = await read_body(request, limit)

                async def receive() -> Message:
                    nonlocal body
                    if body is None:
                        return await request.receive()
                    message = {"type": "http.request", "body": body, "more_body": False}
                    body = None
                    return message

                return await handle(_JsonRequest(request.scope, receive))

            return handle_bounded

    return BoundedRoute


async def read_body(request: Request, limit: int) -> bytes:
    """Return the request's body; raise a 413 problem as soon as it exceeds ``limit`` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def too_large(limit: int) -> Problem:
    """Return the 413 problem."""
    return Problem(413, "too-large", f"the body has more than {limit} bytes; send fewer items in one call")
