"""The bytes of a request, of which almost all are the same for every call to an endpoint.

    endpoint ─▶ start (request line, Host) ─┐
    names of the headers ─▶ template ───────┴─▶ one %, one + ─▶ head; body as it is

A value is another party's text. A line break in it would become a header, or a
request: of the finished head nothing but visible ASCII, spaces and tabs may be
left beside the line ends that belong there (RFC 9110 section 5.5, RFC 9112
section 11.1). What frames the message (``Host``, lengths, ``Connection``) is set
here only. Both are misuse of this module, and a ``ValueError``.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from yarl import URL

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VISIBLE = bytes(range(0x20, 0x7F)) + b"\t"
_HOP = ("connection", "expect", "keep-alive", "proxy-connection", "te", "trailer", "upgrade")
_OURS = frozenset([*_HOP, "content-length", "host", "transfer-encoding"])


Body = bytes | Sequence[bytes]
"""A body, or its parts one after the other: what many bodies share need not be copied for each."""


class Template(NamedTuple):
    """The headers of all calls that give the same names; ``text`` takes their values and the body's length."""

    text: str
    line_ends: bytes


def start_of(method: str, url: URL) -> bytes:
    """Return the request line and ``Host`` (RFC 9112 section 3.2)."""
    start = f"{method} {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host_port_subcomponent}\r\n".encode("ascii")
    if start.translate(None, _VISIBLE) != b"\r\n" * 2 or start.count(b" ") != 3:
        raise ValueError("outbound: the URL has characters that cannot be sent; percent-encode them")
    return start


def request(start: bytes, headers: Mapping[str, str], body: Body | None, user_agent: str) -> Sequence[bytes]:
    """Return a whole request, as parts to be sent one after the other.

    Args:
        start: What `start_of` gave.
        headers: Names and values as they are sent; over our own User-Agent, Accept and Accept-Encoding.
        body: None for a request that has none, and no length either.

    Raises:
        ValueError: a name or value that is no header of HTTP, or a header that is set here only.
    """
    template = _template(tuple(headers), user_agent, body is not None)
    parts: Sequence[bytes] = () if not body else (body,) if isinstance(body, bytes) else body
    values = headers.values() if body is None else (*headers.values(), sum(map(len, parts)))
    try:
        head = (template.text % tuple(values)).encode("ascii")
    except UnicodeEncodeError as exc:
        raise ValueError("outbound: a header's value is not ASCII; encode it") from exc
    if head.translate(None, _VISIBLE) != template.line_ends:
        raise ValueError("outbound: a header's value has a line break or control character; leave it out")
    return (start + head, *parts)


@lru_cache(maxsize=1024)
def _template(names: tuple[str, ...], user_agent: str, has_body: bool) -> Template:
    for name in names:
        if not _TOKEN.match(name):
            raise ValueError(f"outbound: {name!r} is no header name")
        if name.lower() in _OURS:
            raise ValueError(f"outbound: {name!r} is set by the client itself; leave it out")
    given = {name.lower() for name in names}
    ours = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
    lines = [f"{name}: {value}".replace("%", "%%") for name, value in ours.items() if name.lower() not in given]
    lines += [f"{name.replace('%', '%%')}: %s" for name in names]
    if has_body:
        lines.append("Content-Length: %d")
    return Template("".join(f"{line}\r\n" for line in lines) + "\r\n", b"\r\n" * (len(lines) + 1))
