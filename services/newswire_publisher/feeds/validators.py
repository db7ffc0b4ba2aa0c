"""The validators of a representation: its ETag and Last-Modified (RFC 9110 section 8.8)."""

import hashlib
from datetime import datetime

from newswire_publisher.feeds.moments import rfc822


def etag_of(body: bytes) -> str:
    """Return a strong ETag, quotes and all: the same bytes have the same one on every replica.

    Take it of the bytes as sent: a compressed representation is another one (RFC 9110 section 8.8.3.3).
    """
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def last_modified(moment: datetime) -> str:
    """Return the header's value; HTTP knows whole seconds."""
    return rfc822(moment)
