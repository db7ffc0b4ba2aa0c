"""Read a subscriber's request: the form of section 5.1, from bytes to values, or a problem that says what is wrong."""

from dataclasses import dataclass, field
from typing import Literal, cast
from urllib.parse import parse_qsl

from newswire_publisher.hub.model import MAX_SECRET, granted
from newswire_runtime.problems import Problem

MAX_BYTES = 10_000
MEDIA_TYPE = "application/x-www-form-urlencoded"
_KNOWN = ("hub.mode", "hub.topic", "hub.callback", "hub.lease_seconds", "hub.secret")


@dataclass(frozen=True, slots=True)
class Form:
    """A request that is in order by itself. ``lease`` is what will be granted, in seconds."""

    mode: Literal["subscribe", "unsubscribe"]
    topic: str = field(repr=False)
    callback: str
    lease: int
    secret: str | None = field(repr=False)


def read_form(body: bytes, content_type: str) -> Form:
    """Return the request; raise a 415 or 422 problem. Parameters that are not the hub's are ignored."""
    if content_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Problem(415, "unsupported-media-type", f"send the parameters as {MEDIA_TYPE}")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as exc:
        raise Problem(422, "malformed-input", "the body is no form of UTF-8 text with at most 50 fields") from exc
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in _KNOWN and given.setdefault(name, value) != value:
            raise wrong(name, "is given twice, with different values")
    mode = given.get("hub.mode")
    if mode not in {"subscribe", "unsubscribe"}:
        raise wrong("hub.mode", "write subscribe or unsubscribe; this hub learns of changes by itself")
    for name in ("hub.topic", "hub.callback"):
        if not given.get(name):
            raise wrong(name, "is missing")
    return Form(
        mode=cast(Literal["subscribe", "unsubscribe"], mode),
        topic=given["hub.topic"],
        callback=given["hub.callback"],
        lease=granted(_lease(given.get("hub.lease_seconds"))),
        secret=_secret(given.get("hub.secret")),
    )


def wrong(name: str, detail: str, slug: str = "invalid-fields", status: int = 422) -> Problem:
    """Return the problem of one parameter."""
    return Problem(status, slug, f"{name}: {detail}", errors=[{"pointer": f"/{name}", "detail": detail}])


def _lease(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not int(text[:12]):
        raise wrong("hub.lease_seconds", "write a positive number of whole seconds")
    return int(text[:12])


def _secret(text: str | None) -> str | None:
    if not text:
        return None
    if len(text.encode()) > MAX_SECRET:
        raise wrong("hub.secret", f"has more than {MAX_SECRET} bytes")
    return text
