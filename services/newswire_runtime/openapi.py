"""What the OpenAPI document says of every route: who may call, and how errors look.

    routes ─▶ FastAPI's document ─▶ a token needed unless a route is marked, problems for errors ─▶ /openapi.json

A route needs a token unless it is marked `OPEN` or `PUBLIC` in its ``openapi_extra``, so that one that is forgotten
is described as closed. Nothing here changes what a route does.
"""

from typing import Any

from fastapi import FastAPI

_SCHEME = "token"
OPEN: dict[str, Any] = {"security": []}
"""Anybody may call."""
PUBLIC: dict[str, Any] = {"security": [{}, {_SCHEME: []}]}
"""Anybody may call on a public wire, and then sees what is public; a token sees what it is for."""

DESCRIPTION = """\
Articles come in, are enriched, and go out to feeds, webhooks and social queues.

An operator makes tokens (`newswire token create ROLE NAME`) for the roles source, desk, integrator, subscriber and
poster. Every error is a problem document (RFC 9457); `errors` names the fields that are wrong by JSON pointers.
Times are UTC with milliseconds, and durations are in seconds where no unit is named.\
"""

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457). Some problems have members of their own, which their route names.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "The cause: `/problems/…`."},
        "title": {"type": "string"},
        "status": {"type": "integer", "description": "That of the answer."},
        "detail": {"type": "string", "description": "What is wrong, and what to do."},
        "errors": {
            "type": "array",
            "description": "The fields that are wrong.",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer (RFC 6901) into the body, or /query/….",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_ANSWER: dict[str, Any] = {
    "description": "A problem, such as 401 without a token, 403 with one of another role, 404, 422 or 503.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_FASTAPIS = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> None:
    """Let the app's OpenAPI document say so."""
    build = app.openapi

    def openapi() -> dict[str, Any]:
        document = build()  # FastAPI makes it once, and answers the same from then on
        if "Problem" not in document.get("components", {}).get("schemas", {}):
            finish(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def finish(document: dict[str, Any]) -> None:
    """Complete FastAPI's document in place."""
    parts = document.setdefault("components", {})
    schemas = parts.setdefault("schemas", {})
    for name in _FASTAPIS:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    parts["securitySchemes"] = {_SCHEME: {"type": "http", "scheme": "bearer"}}
    document["security"] = [{_SCHEME: []}]
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            answers.pop("422", None)
            answers["default"] = _ANSWER
