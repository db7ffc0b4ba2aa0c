"""What the log of attempts keeps of an answer, and what is shown of it: pure decisions.

    Outcome ─ kept ─▶ members of the attempt's record ─ taken ─▶ the answer as an owner sees it

A failure is what somebody will look into: its body is kept whole, as far as it was read. A success says
nothing but thanks, and there are a thousand to each failure: 30 days of whole ones would fill the server.

What an answer may bring, and what becomes of it:

- another charset: read by the one that its Content-Type names, if it is one of `_CHARSETS`; bytes that it
  has not, and control characters (no terminal shall obey them), become U+FFFD;
- a cut inside a character: the cut is before it;
- a long body: it lies deflated in the record, because an endpoint that fails repeats its page at each attempt;
- cookies: their names stay, their values are the peer's secrets and are left out.
"""

import binascii
import codecs
import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from newswire_runtime.outbound_answers import MOST_HEADERS, Headers
from newswire_runtime.outcome import Outcome

MAX_FAILED = 16_384
"""Bytes of the body of a failure, as UTF-8, in the log of attempts."""
MAX_THANKS = 2_000
"""Characters of the body of a 2xx; so many of any answer are in a list of attempts."""
MAX_HEADERS = 4_096
"""Bytes of an answer's headers, names and values together."""
MAX_VALUE = 1_000
"""Characters of one header's value."""
LEFT_OUT = "(left out)"
REMEMBERED = 64
"""Answers that are at hand as text: most of a peer's are the same."""

_CHARSETS = re.compile(
    r"utf-?8|us-ascii|iso-8859-[0-9]{1,2}|windows-125[0-8]|koi8-[ru]|shift_jis|euc-jp|euc-kr|gb(2312|k|18030)|big5"
)
_SECRET = frozenset(["set-cookie", "set-cookie2"])
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MOST_BYTES = 4
"""Of one character, in any of these charsets."""
_MEMBERS = ("response", "deflated", "truncated", "headers", "headers_truncated")


class Taken(NamedTuple):
    """What is known of an answer. ``truncated``: there was more of the body; ``headers_truncated``: of the headers."""

    body: str
    truncated: bool
    headers: Mapping[str, str]
    headers_truncated: bool


def shown(outcome: Outcome) -> Taken:
    """Return what is kept of an answer: of a 2xx `MAX_THANKS` characters of its body, of others `MAX_FAILED` bytes."""
    body, truncated = _body(outcome.excerpt, outcome.truncated, outcome.content_type, outcome.ok)
    return Taken(body, truncated, *headers_of(outcome.headers))


def kept(outcome: Outcome) -> dict[str, Any]:
    """Return what the record of an attempt has of its answer: JSON, without what is empty."""
    answer = shown(outcome)
    record: dict[str, Any] = {}
    if len(answer.body) > MAX_THANKS:
        record["deflated"] = _deflated(answer.body)
    elif answer.body:
        record["response"] = answer.body
    if answer.truncated:
        record["truncated"] = True
    if answer.headers:
        record["headers"] = answer.headers
    if answer.headers_truncated:
        record["headers_truncated"] = True
    return record


def taken(record: Mapping[str, Any]) -> Taken:
    """Return the answer in a record."""
    body = record.get("response", "")
    if "deflated" in record:
        body = zlib.decompress(binascii.a2b_base64(record["deflated"])).decode()
    return Taken(
        body, record.get("truncated", False), record.get("headers", {}), record.get("headers_truncated", False)
    )


def listed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with as much of the answer as a list has: the start of the body as ``response``."""
    brief = {name: value for name, value in record.items() if name not in _MEMBERS}
    answer = taken(record)
    if answer.body:
        brief["response"] = answer.body[:MAX_THANKS]
    if answer.truncated or len(answer.body) > MAX_THANKS:
        brief["truncated"] = True
    return brief


@lru_cache(maxsize=REMEMBERED)
def headers_of(headers: Headers) -> tuple[Mapping[str, str], bool]:
    """Return an answer's headers as text, and whether something is missing.

    Names are in lower case; what came more than once is joined by commas (RFC 9110 section 5.2). What does not fit
    in `MAX_HEADERS` is left out, one header at a time; a long value is cut.
    """
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name = raw_name.decode("latin-1").lower()
        value = LEFT_OUT if name in _SECRET else _header_text(raw_value)
        joined[name] = f"{joined[name]}, {value}" if name in joined and name not in _SECRET else value
    found: dict[str, str] = {}
    room, cut = MAX_HEADERS, len(headers) >= MOST_HEADERS
    for name, value in joined.items():
        text = value if len(value) <= MAX_VALUE else f"{value[:MAX_VALUE]}…"
        size = len(name.encode()) + len(text.encode())
        cut = cut or text != value or size > room
        if size <= room:
            found[name] = text
            room -= size
    return found, cut


@lru_cache(maxsize=REMEMBERED)
def _body(excerpt: bytes, truncated: bool, content_type: str | None, thanks: bool) -> tuple[str, bool]:
    """Return the body as text, and whether it is not all."""
    read = excerpt[: _MOST_BYTES * (MAX_THANKS + 1)] if thanks else excerpt
    # Of a body that goes on, the last character may have come in part: it is left out.
    text = _plain(_decoder(content_type).decode(read, final=len(read) == len(excerpt) and not truncated))
    body = text[:MAX_THANKS] if thanks else text.encode()[:MAX_FAILED].decode(errors="ignore")
    return body, truncated or len(body) < len(text)


@lru_cache(maxsize=REMEMBERED)
def _deflated(body: str) -> str:
    return binascii.b2a_base64(zlib.compress(body.encode(), 1), newline=False).decode()


def _decoder(content_type: str | None) -> codecs.IncrementalDecoder:
    _, _, named = (content_type or "").lower().partition("charset=")
    charset = named.partition(";")[0].strip(" \t\"'")
    try:
        return codecs.getincrementaldecoder(charset if _CHARSETS.fullmatch(charset) else "utf-8")("replace")
    except LookupError:
        return codecs.getincrementaldecoder("utf-8")("replace")


def _plain(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)


def _header_text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return _plain(text)
