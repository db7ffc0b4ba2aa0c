"""Read one answer, byte by byte as it comes, and keep no more of it than is wanted.

    bytes ─ feed ─▶ None (go on) | Answer (whole, or cut) | BrokenAnswer (no HTTP)
            end  ─▶ what has come, if the status has

RFC 9112 by httptools (llhttp, strict). What the peer can do with an answer:

- 1xx after 1xx, a head without end: everything before the final head is complete counts
  against ``MAX_HEAD``; then it is no HTTP.
- a body without end, or one that breaks: the status has been said, so the answer stands;
  of the body 16 KB are kept, ``truncated`` tells that something is missing, and the
  connection cannot be used again.
- more than the answer: bytes after its end, a body where none may be (204, 304). The
  answer stands, and the connection cannot be used again.
- headers without number: some 8 KB are kept, in their order; those of the 1xx count.
"""

from typing import NamedTuple

import httptools

MAX_EXCERPT = 16_384
"""Bytes of an answer's body that are read and kept."""
MAX_HEAD = 65_536
"""Bytes before the body, 1xx answers included."""
MAX_HEADERS = 8_192
"""Bytes of an answer's headers that are kept, names and values together; the one that reaches it is kept whole."""
MOST_HEADERS = 200
MAX_RAW = 8 * MAX_EXCERPT
"""Bytes after the head: a body in chunks of one byte takes six times its size, and trailers have no end."""


Headers = tuple[tuple[bytes, bytes], ...]


class BrokenAnswer(Exception):  # noqa: N818 - it says what came
    """What came is no HTTP, and no status has come before it."""


class Answer(NamedTuple):
    """What a peer said. ``reusable`` tells whether its connection can take another request.

    ``headers``: names and values as they came, the first `MOST_HEADERS` until they reach `MAX_HEADERS`.
    """

    status: int
    retry_after: str | None
    content_type: str | None
    excerpt: bytes
    truncated: bool
    reusable: bool
    headers: Headers = ()


class AnswerReader:
    """Reads one answer, and the 1xx before it. The methods ``on_...`` are called by httptools."""

    __slots__ = (
        "_all",
        "_complete",
        "_framed",
        "_headers",
        "_parser",
        "_parts",
        "_reusable",
        "_seen",
        "_size",
        "status",
    )

    def __init__(self) -> None:
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self.status = 0
        """The status, once its head is complete; 0 until then."""
        self._seen = 0  # bytes before the head was complete; then those that came later
        self._size = 0  # bytes of headers; then those of the body
        self._headers: dict[bytes, bytes] = {}
        self._all: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._framed = self._complete = self._reusable = False

    def feed(self, data: bytes) -> Answer | None:
        """Take what came; return the answer if no more of it is wanted.

        Raises:
            BrokenAnswer: it is no HTTP, or its head is too long. The status has not come.
        """
        if self._parser is None:
            raise ValueError("outbound: this answer has ended; take a new reader")
        self._seen += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._reusable = False
        except httptools.HttpParserError as exc:
            if not self.status:
                self._parser = None
                raise BrokenAnswer(f"the answer is no HTTP ({type(exc).__name__})") from exc
            self._reusable = False
            return self.end()
        if not self.status:
            if self._seen > MAX_HEAD:
                self._parser = None
                raise BrokenAnswer(f"the head of the answer is longer than {MAX_HEAD:,} bytes")
            return None
        if self._complete or self._size > MAX_EXCERPT or self._seen > MAX_RAW or self.status == 101:
            return self.end()
        return None

    def end(self, *, by_peer: bool = False) -> Answer | None:
        """Return what has come; None if that is no status. Nothing can be fed after it.

        Args:
            by_peer: The peer has ended the connection, which is how a body without a length ends.
        """
        self._parser = None  # it holds this reader, and this reader it: together they would wait for the collector
        if not self.status:
            return None
        body = b"".join(self._parts)
        missing = not self._complete and not (by_peer and not self._framed)
        return Answer(
            self.status,
            _text(self._headers.get(b"retry-after")),
            _text(self._headers.get(b"content-type")),
            body[:MAX_EXCERPT],
            missing or len(body) > MAX_EXCERPT,
            self._reusable,
            tuple(self._all),
        )

    def on_message_begin(self) -> None:
        if self._complete:
            self._reusable = False  # a second answer, which nobody asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:  # a trailer, or the second answer's
            return
        if self._size < MAX_HEADERS and len(self._all) < MOST_HEADERS:
            self._all.append((name, value))
        self._size += len(name) + len(value)
        if len(name) not in _LENGTHS:
            return
        name = name.lower()
        if name in _KEPT:
            self._headers[name] = value
        elif name in _FRAMING:
            self._framed = self._framed or value != b"0"

    def on_headers_complete(self) -> None:
        if self.status or self._parser is None:
            return
        if self._size > MAX_HEAD:
            raise ValueError("the head is too long")
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            self._headers.clear()
            self._all.clear()
            self._framed = False
            return
        self.status = status
        self._seen = self._size = 0

    def on_body(self, body: bytes) -> None:
        if self._complete or not self.status:
            return
        if self._size <= MAX_EXCERPT:
            self._parts.append(body)
        self._size += len(body)

    def on_message_complete(self) -> None:
        if self._complete or not self.status or self._parser is None:
            return
        self._complete = True
        # Asked here, because the parser forgets it with the message. A body where none may be would come next.
        self._reusable = self._parser.should_keep_alive() and not (self._framed and self.status in (204, 304))


_KEPT = frozenset([b"retry-after", b"content-type"])
_FRAMING = frozenset([b"content-length", b"transfer-encoding"])
_LENGTHS = frozenset(map(len, _KEPT | _FRAMING))  # most names are known by their length to be none of them


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
