"""Content codings: how a document made of pieces is compressed, and which coding a client gets.

    pieces ── each deflated once, kept ──▶ joined, one CRC ──▶ gzip at once (`join_gzip`)
    the whole ──▶ zlib, zstd, brotli off the loop ──▶ the small ones (`shrink`)

A deflate stream is a series of blocks, and a full flush ends a block on a byte and
forgets what was before it (RFC 1951, zlib's Z_FULL_FLUSH): blocks that were made apart
can be joined, with one header before and the CRC-32 and length of the whole behind
(RFC 1952). For 50 entries of 6 kB that takes 0.09 ms where zlib needs 10 at level 6,
for one and a half times its bytes; so that it serves while a feed is in motion, and the
small one once it rests. The two are other bytes and have other ETags.

The whole is one frame in zstd: several clients end at a second frame (RFC 8878 section
3.1 allows it), and lose what follows. Levels are where another costs much and gives
little: measured on 300 kB of RSS, ms and kB are zlib 6: 10, 56; zlib 9: 39, 53;
brotli 5: 5, 55; brotli 9: 24, 49; zstd 3: 1, 60; zstd 12: 9, 51; zstd 15: 31, 49.
"""

import struct
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import brotli
import zstandard

from newswire_publisher.feeds.weights import read_weights

Coding = Literal["identity", "gzip", "br", "zstd"]
PREFERRED: tuple[Coding, ...] = ("zstd", "br", "gzip", "identity")
"""Of equal weight, the first: the smallest document, and what is unpacked fastest."""

_GZIP_LEVEL, _ZSTD_LEVEL, _BROTLI_QUALITY = 6, 12, 5
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""Deflate, no name, no time, unknown system: the same bytes everywhere (RFC 1952 section 2.3)."""
_LAST_BLOCK = b"\x03\x00"
_STORED = 256
"""Bytes up to which a piece is stored as it is: deflating it costs more than it saves."""


@dataclass(slots=True, eq=False)
class Piece:
    """A part of a document. Keep the object: it is deflated once, when it is first wanted."""

    body: bytes
    _deflated: bytes | None = field(default=None, repr=False)

    @property
    def deflated(self) -> bytes:
        """The same as deflate blocks that end on a byte and refer to nothing before."""
        if self._deflated is None:
            self._deflated = deflate(self.body)
        return self._deflated


def deflate(body: bytes) -> bytes:
    """Return the deflate blocks of a part of a document, for `join_gzip`."""
    if len(body) <= _STORED:
        return struct.pack("<BHH", 0, len(body), len(body) ^ 0xFFFF) + body
    engine = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return engine.compress(body) + engine.flush(zlib.Z_FULL_FLUSH)


def join_gzip(pieces: Sequence[Piece]) -> bytes:
    """Return the document of these pieces as gzip, of one member."""
    check, size = 0, 0
    for piece in pieces:
        check = zlib.crc32(piece.body, check)
        size += len(piece.body)
    end = struct.pack("<II", check, size & 0xFFFFFFFF)
    return b"".join((_GZIP_HEAD, *[piece.deflated for piece in pieces], _LAST_BLOCK, end))


def shrink(body: bytes, coding: Coding) -> bytes:
    """Compress a whole document well; takes milliseconds, mostly without the interpreter's lock."""
    if coding == "gzip":
        return join_gzip([Piece(body)])
    if coding == "zstd":
        return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(body)
    if coding == "br":
        small: bytes = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_BROTLI_QUALITY)
        return small
    return body


class Wanted:
    """What a client takes, as its ``Accept-Encoding`` says (RFC 9110 section 12.5.3)."""

    def __init__(self, accept_encoding: str | None) -> None:
        given: dict[str, float] = {}
        for value, weight in read_weights(accept_encoding or ""):
            given.setdefault("gzip" if value == "x-gzip" else value, weight)
        rest = given.get("*")
        # By the letter, who sends no such header or a bare `*` takes anything; who does often knows gzip at most.
        self._weights: dict[Coding, float] = {
            "zstd": given.get("zstd", 0.0),
            "br": given.get("br", 0.0),
            "gzip": given.get("gzip", 0.0 if rest is None else rest),
            # Not named, it is acceptable, but what is named comes first.
            "identity": given.get("identity", 0.0001 if rest is None else min(rest, 0.0001)),
        }

    def takes(self, coding: Coding) -> bool:
        return self._weights[coding] > 0

    def best(self, offered: Collection[Coding]) -> Coding | None:
        """Return which of these codings the client wants most; None if it takes none of them."""
        taken = [coding for coding in PREFERRED if coding in offered and self.takes(coding)]
        return max(taken, key=self._weights.__getitem__, default=None)
