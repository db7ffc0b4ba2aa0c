"""The headers of a webhook push: those of Standard Webhooks, and those that an endpoint asked for."""

import re
from collections.abc import Mapping

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


class BadHeader(ValueError):  # noqa: N818 - it names what is bad
    """A custom header that an endpoint may not have."""


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
