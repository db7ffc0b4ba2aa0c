"""A small webhook receiver for the demo and for trying a subscription out.

It stands for an integrator's own code, and so verifies by itself what Standard
Webhooks says, with nothing of the sender's: signature over the raw body, the
timestamp within five minutes, repeats known by their ``webhook-id``.

    POST /{path}   204 taken (a repeat too) · 401 not signed by this path's secret
                   404 unknown path · 413 too large
    GET  /         what came, newest first, as JSON

It keeps the last 1,000 deliveries in memory.
"""

import base64
import hmac
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newswire_runtime.strict_json import read_json

TOLERANCE = 300
"""Seconds that a timestamp may be off."""
MAX_BODY = 32_000_000
KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Delivery:
    """One push that was verified. ``repeated`` says that its id had come before at this path."""

    path: str
    id: str
    type: str
    sequence: int | None
    repeated: bool
    received_at: float
    """Seconds since the epoch."""
    body: Any


def build(
    secret_by_path: Mapping[str, str],
    on_event: Callable[[Delivery], None] | None = None,
    wall: Callable[[], float] = time.time,
) -> Starlette:
    """Return the receiver as an ASGI application.

    Args:
        secret_by_path: The ``whsec_…`` secret of each path, such as ``{"desk": "whsec_…"}``. It is
            read at each request, so that a path may be added while the receiver runs.
        on_event: Called with every verified delivery.
        wall: The clock, in seconds since the epoch.
    """
    kept: deque[Delivery] = deque(maxlen=KEPT)
    seen: dict[tuple[str, str], None] = {}

    async def receive(request: Request) -> Response:
        path = request.path_params["path"]
        secret = secret_by_path.get(path)
        if secret is None:
            return JSONResponse({"error": "nothing listens here"}, 404)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return JSONResponse({"error": "too large"}, 413)
        if problem := verify(secret, request.headers, bytes(body), wall()):
            return JSONResponse({"error": problem}, 401)
        try:
            message = read_json(bytes(body))
        except ValueError:
            return JSONResponse({"error": "signed, but no JSON"}, 400)
        fields = message if isinstance(message, dict) else {}
        key = path, request.headers["webhook-id"]
        repeated = key in seen
        seen[key] = None
        if len(seen) > 10 * KEPT:
            del seen[next(iter(seen))]
        delivery = Delivery(
            path, key[1], str(fields.get("type", "")), fields.get("sequence"), repeated, wall(), message
        )
        kept.appendleft(delivery)
        if on_event:
            on_event(delivery)
        return Response(status_code=204)

    async def show(_: Request) -> Response:
        return JSONResponse({"items": [asdict(delivery) for delivery in kept]})

    return Starlette(
        routes=[Route("/", show, methods=["GET"]), Route("/{path:path}", receive, methods=["POST"])],
    )


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
    """Return why a push is not to be trusted, or None if it is signed and fresh.

    Args:
        secret: ``whsec_`` and base64.
        headers: With names in lower case, or a mapping that does not mind.
        body: As it came.
        now: Seconds since the epoch.
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not (message_id and timestamp and signatures):
        return "webhook-id, webhook-timestamp or webhook-signature is missing"
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return "webhook-timestamp is no number of seconds"
    if abs(now - int(timestamp)) > TOLERANCE:
        return "webhook-timestamp is not within five minutes of now"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, sha256).digest()
    wanted = b"v1," + base64.b64encode(expected)
    if not any(hmac.compare_digest(wanted, signature.encode()) for signature in signatures.split()):
        return "no signature matches"
    return None
