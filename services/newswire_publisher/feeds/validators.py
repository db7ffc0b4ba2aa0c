"""The validators of a representation: its ETag and Last-Modified (RFC 9110 section 8.8).

A feed's ETag is made of the digests of its parts. An entry is digested once,
when it is rendered, and a document of 300 kB costs the digest of some 50 short
ones instead of 0.3 ms. The parts are written one after the other in a fixed
manner, so that equal digests in equal order are equal bytes: the tag is strong.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime

from newswire_publisher.feeds.moments import rfc822

_SIZE = 16
_OURS = re.compile(r'"[0-9a-f]{32}-(\d{1,15})(?:-[a-z0-9]+)?"')


def digest_of(part: bytes) -> bytes:
    """Return what stands for a part's bytes in an ETag: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(part, digest_size=_SIZE).digest()


def etag_of(head: bytes, digests: Iterable[bytes], generation: int) -> str:
    """Return the strong ETag, quotes and all, of the document of this head and the parts with these digests.

    The same document has the same ETag on every replica. It ends with the feed's generation, from which a
    delta is made (`generation_in`). It names the bytes as they are: what is sent compressed is another
    representation and needs another ETag (RFC 9110 section 8.8.3.3), such as `variant` gives.
    """
    return f'"{digest_of(digest_of(head) + b"".join(digests)).hex()}-{generation}"'


def variant(etag: str, coding: str) -> str:
    """Return the ETag of the same document in a content coding such as ``gzip``, for one fixed way to compress it."""
    return f'{etag[:-1]}-{coding}"'


def generation_in(if_none_match: str) -> int | None:
    """Return the newest generation that the ETags of an ``If-None-Match`` name; None if none is one of a feed's."""
    found = [int(number) for number in _OURS.findall(if_none_match)]
    return max(found, default=None)


def last_modified(modified: datetime, now: datetime) -> str:
    """Return the header's value: whole seconds, and none that is yet to come (RFC 9110 section 8.8.2.1)."""
    return rfc822(min(modified, now))
