"""One document in its content codings, each with its own strong ETag (RFC 9110 section 8.8.3.3).

    identity, gzip (joined)  ── at once
    gzip, zstd, br (small)   ── once the document has rested, made by the `Shrinker`

A client gets the best of what is ready. Two representations may be of one coding, the
joined gzip and the small one, so that what a client has is looked for among the tags of
all that it takes: who has the joined one keeps it, as long as the document stays.
"""

from collections.abc import Sequence
from typing import NamedTuple

from newswire_publisher.feeds.codings import PREFERRED, Coding, Piece, Wanted, join_gzip
from newswire_publisher.feeds.conditional import none_match_fails
from newswire_publisher.feeds.validators import variant

_MARKS: dict[Coding, str] = {"gzip": "gzip6", "zstd": "zstd", "br": "br"}
"""What the small representations add to the document's ETag; it stands for one way to compress."""
_JOINED = "gzip"


class Representation(NamedTuple):
    """Bytes as they are sent, and what is told of them."""

    coding: Coding
    etag: str
    body: bytes


class Representations:
    """A document's representations."""

    __slots__ = ("__weakref__", "_joined", "_pieces", "_plain", "_small", "asked", "etag")

    def __init__(self, etag: str, pieces: Sequence[Piece]) -> None:
        self.etag = etag
        self.asked: set[Coding] = set()
        """Small representations that are on their way."""
        self._pieces = pieces
        self._plain: Representation | None = None
        self._joined: Representation | None = None
        self._small: dict[Coding, Representation] = {}

    @property
    def body(self) -> bytes:
        """The document as it is; made when it is first wanted, since documents share their pieces."""
        return self._whole().body

    def join(self) -> bytes:
        """Return the document as it is, and keep nothing of it."""
        return b"".join([piece.body for piece in self._pieces])

    def ready(self, wanted: Wanted) -> Representation | None:
        """Return the best of what there is for this client; None if it takes none of it."""
        coding = wanted.best(("identity", "gzip", *self._small))
        if coding is None:
            return None
        if coding in self._small:
            return self._small[coding]
        return self._whole() if coding == "identity" else self._join()

    def missing(self, wanted: Wanted) -> Coding | None:
        """Return which small representation would serve this client better than what there is, if one would."""
        coding = wanted.best(PREFERRED)
        return None if coding is None or coding == "identity" or coding in self._small else coding

    def add(self, coding: Coding, body: bytes) -> Representation:
        """Keep a small representation; the joined one is let go."""
        made = Representation(coding, variant(self.etag, _MARKS[coding]), body)
        self._small[coding] = made
        if coding == "gzip":
            self._joined = None
        return made

    def tag_that_matches(self, if_none_match: str, wanted: Wanted) -> str | None:
        """Return the ETag of a representation that this client has and takes, if ``If-None-Match`` names one.

        `*` names whatever there is.
        """
        tags = [self.etag] if wanted.takes("identity") else []
        if wanted.takes("gzip"):
            tags.append(variant(self.etag, _JOINED))
        tags += [variant(self.etag, mark) for coding, mark in _MARKS.items() if wanted.takes(coding)]
        if if_none_match.strip() == "*":
            ready = self.ready(wanted)
            return ready.etag if ready is not None else None
        return next((tag for tag in tags if none_match_fails(if_none_match, tag)), None)

    def _join(self) -> Representation:
        if self._joined is None:
            self._joined = Representation("gzip", variant(self.etag, _JOINED), join_gzip(self._pieces))
        return self._joined

    def _whole(self) -> Representation:
        if self._plain is None:
            self._plain = Representation("identity", self.etag, self.join())
        return self._plain
