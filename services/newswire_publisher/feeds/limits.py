"""Who polls without validators, and too often, is asked to wait (429, RFC 6585 section 4).

A full answer of a document that this client has had already is waste that one header
would save (RFC 9110 section 13.1). Each client address has, for each feed, so many of
them in advance, and so many more a minute; a document that has changed costs nothing,
and a request with a validator is never counted. Nothing is shared between processes: a
limit against waste needs no exact sum.

Memory is bounded: the bucket that was used longest ago leaves first, and a bucket that
left is a full one.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil

MOST_BUCKETS = 20_000


@dataclass(slots=True)
class _Bucket:
    etag: str
    left: float
    at: float


class RepeatLimit:
    """Token buckets by client address and feed. ``per_minute`` 0 sets no limit. Not thread-safe."""

    def __init__(self, per_minute: int, most: int = MOST_BUCKETS) -> None:
        self.per_minute = per_minute
        self._most = most
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, client: str, feed: str, etag: str, now: float) -> int:
        """Count one full answer; return 0, or in how many seconds the client may ask again.

        ``now`` is in seconds of any clock that never goes back. What is refused is not counted.
        """
        if not self.per_minute:
            return 0
        place = client_of(client), feed
        bucket = self._buckets.get(place)
        if bucket is None:
            self._buckets[place] = _Bucket(etag, self.per_minute, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return 0
        self._buckets.move_to_end(place)
        rate = self.per_minute / 60
        bucket.left = min(self.per_minute, bucket.left + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.etag != etag:
            bucket.etag = etag
            return 0
        if bucket.left < 1:
            return max(1, ceil((1 - bucket.left) / rate))
        bucket.left -= 1
        return 0


def client_of(address: str) -> str:
    """Return what stands for a client: an IPv4 address, or the /64 in which an IPv6 host picks its own."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(parsed) >> 64 << 64))
