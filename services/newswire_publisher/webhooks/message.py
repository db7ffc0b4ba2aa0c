"""What a webhook push says: its body and headers.

    {"type": "article.corrected", "timestamp": "2025-02-07T12:39:00.000Z", "sequence": 7, "data": {…}}

``data`` is the same for every subscription of one format, so it is rendered once
per version (`render`), and each subscription's body only joins its own sequence
to it (`build`). Both are functions of their input alone: a retry, a replay and
``GET …/events`` carry the very same bytes (design section 7).
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

from newswire_publisher.articles.ninjs import to_ninjs
from newswire_schemas.article import Act, Article

TEST_EVENT = "webhook.test"

EVENT_TYPES: dict[Act, str] = {
    Act.NEW: "article.new",
    Act.CORRECTION: "article.corrected",
    Act.REWRITE: "article.rewritten",
    Act.KILL: "article.killed",
    Act.WITHHOLD: "article.withheld",
    Act.REINSTATE: "article.reinstated",
    Act.EXPIRE: "article.expired",
}

_EVENT_TYPE = re.compile(r"[A-Za-z0-9_.]+\Z")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?\Z")
_MAX_HEADERS, _MAX_VALUE = 20, 2_000

_OURS = frozenset(
    [
        "accept",
        "accept-encoding",
        "connection",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    ]
)
_OUR_PREFIXES = ("webhook-", "proxy-", "content-")


class Format(StrEnum):
    """How ``data`` shows an article."""

    ARTICLE = "article"
    NINJS = "ninjs"
    THIN = "thin"


class BadHeader(ValueError):  # noqa: N818 - it names what is bad
    """A custom header that an endpoint may not have."""


def render(article: Article, form: Format, link: str) -> bytes:
    """Return ``data`` as JSON.

    Args:
        article: One version.
        form: ``article`` is our JSON without what is empty or default; ``ninjs`` is ninjs 3.1;
            ``thin`` has only ``uri``, ``version`` and ``link``, for receivers that fetch.
        link: The public address of the article.
    """
    match form:
        case Format.ARTICLE:
            return article.model_dump_json(exclude_defaults=True, exclude_none=True).encode()
        case Format.NINJS:
            return _json(to_ninjs(article))
        case Format.THIN:
            return _json({"uri": article.uri, "version": article.version, "link": link})


def build(event_type: str, timestamp: datetime, sequence: int, data: bytes) -> bytes:
    """Return the body of a push.

    Args:
        event_type: One of `EVENT_TYPES`, or `TEST_EVENT`.
        timestamp: When the event happened, aware; written in UTC with milliseconds.
        sequence: The entry's number in the subscription's log, from 1.
        data: JSON, from `render`.
    """
    if not _EVENT_TYPE.match(event_type):
        raise ValueError(f"message: {event_type!r} is no event type; use letters, digits, '_' and '.'")
    if timestamp.tzinfo is None:
        raise ValueError("message: the timestamp needs a time zone")
    moment = timestamp.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return b'{"type":"%b","timestamp":"%b","sequence":%d,"data":%b}' % (
        event_type.encode(),
        moment.encode(),
        sequence,
        data,
    )


def headers(message_id: str, timestamp: int, signature: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of one attempt; ``extra`` are the endpoint's own, checked when it was registered."""
    return {
        **extra,
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature,
    }


def check_headers(extra: Mapping[str, str]) -> dict[str, str]:
    """Return an endpoint's custom headers with names in lower case and values stripped.

    Raises:
        BadHeader: a name or value that HTTP does not allow (RFC 9110 section 5), a header
            that the delivery sets itself, the same one twice, or too many.
    """
    if len(extra) > _MAX_HEADERS:
        raise BadHeader(f"headers: has {len(extra)} of them; give at most {_MAX_HEADERS}")
    checked: dict[str, str] = {}
    for given, text in extra.items():
        name, value = given.lower(), text.strip(" \t")
        if not _TOKEN.match(given):
            raise BadHeader(f"headers: {given!r} is no header name")
        if name in _OURS or name.startswith(_OUR_PREFIXES):
            raise BadHeader(f"headers: {given!r} is set by the delivery itself; leave it out")
        if name in checked:
            raise BadHeader(f"headers: {given!r} is given twice")
        if not _VALUE.match(value) or len(value) > _MAX_VALUE:
            raise BadHeader(f"headers: {given!r} needs a value of 1 to {_MAX_VALUE} visible ASCII characters")
        checked[name] = value
    return checked


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
