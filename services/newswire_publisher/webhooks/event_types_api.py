"""What a webhook may carry, for whoever writes a receiver; anybody may read it.

GET /v1/webhooks/event-types     {"items": [{"type", "description", "schema" or "formats", …}]}
GET /v1/webhooks/schemas/{name}  a JSON Schema
"""

import functools
import json
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse, Response

from newswire_publisher.webhooks.event_samples import sample
from newswire_publisher.webhooks.event_schemas import documents
from newswire_publisher.webhooks.event_types import CATALOGUE, EventType
from newswire_runtime.openapi import OPEN
from newswire_runtime.problems import not_found

SCHEMA_TYPE = "application/schema+json"
_CACHED = {"Cache-Control": "public, max-age=3600"}


def install(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route("/v1/webhooks/event-types", event_types, methods=["GET"], tags=["webhooks"], openapi_extra=OPEN)
    app.add_api_route("/v1/webhooks/schemas/{name}", schema, methods=["GET"], tags=["webhooks"], openapi_extra=OPEN)


async def event_types() -> Response:
    """List every type of event with its meaning, its JSON Schema and a sample in each format."""
    return JSONResponse(_listing(), headers=_CACHED)


async def schema(name: str) -> Response:
    """Return a JSON Schema by the name that the list of types gives."""
    found = _schemas().get(name)
    if found is None:
        raise not_found(f"schema {name}; GET /v1/webhooks/event-types lists them")
    return JSONResponse(found, media_type=SCHEMA_TYPE, headers=_CACHED)


@functools.cache
def _schemas() -> dict[str, dict[str, Any]]:
    return documents()


@functools.cache
def _listing() -> dict[str, Any]:
    return {"items": [_shown(kind) for kind in CATALOGUE]}


def _shown(kind: EventType) -> dict[str, Any]:
    about: dict[str, Any] = {"type": kind.name, "description": kind.description}
    if not kind.formats:
        return about | {"schema": _address(kind.schema_name()), "sample": json.loads(sample(kind.name))}
    return about | {
        "formats": {
            form.value: {
                "schema": _address(kind.schema_name(form)),
                "sample": json.loads(sample(kind.name, form)),
            }
            for form in kind.formats
        }
    }


def _address(name: str) -> str:
    return f"/v1/webhooks/schemas/{name}"
