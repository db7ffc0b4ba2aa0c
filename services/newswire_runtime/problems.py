"""Errors on HTTP: RFC 9457 problem documents, one ``type`` a cause."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is not a success.

    ``slug`` names the cause and ends the document's ``type``; ``detail`` says what is
    wrong and what to do; ``errors`` holds ``{"pointer", "detail"}`` for bad fields, the
    pointer being a JSON pointer (RFC 6901) into the request's body.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.extensions = extensions

    def response(self) -> Response:
        body: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": self.slug.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            **self.extensions,
        }
        if self.errors:
            body["errors"] = [dict(error) for error in self.errors]
        return Response(
            json.dumps(body, ensure_ascii=False),
            status_code=self.status,
            media_type="application/problem+json",
            headers=self.headers,
        )


def not_found(what: str) -> Problem:
    """Return the 404 that also hides what a caller may not see."""
    return Problem(404, "not-found", f"there is no {what}, or it is not yours to see")


def unauthorized(detail: str) -> Problem:
    """Return the 401 of RFC 9110 section 15.5.2."""
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": 'Bearer realm="newswire"'})


def pointer(parts: Sequence[str | int]) -> str:
    """Return the JSON pointer of a path (RFC 6901 section 3)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
