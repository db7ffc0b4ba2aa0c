"""The type of a Redis client in signatures.

redis-py 8 types every reply as a union of bytes, str and None, whatever the client
was told about decoding; ours always answers bytes. Until its types know that, replies
are untyped where they come in, and typed by the function that returns them.
"""

from typing import Any, TypeAlias

from redis.asyncio.cluster import RedisCluster

Client: TypeAlias = Any

MOST_IN_BATCH = 256
"""Commands of one `batch` at most: the server answers nobody else while it runs them."""


def batch(client: Client) -> Any:
    """Return a pipeline for up to `MOST_IN_BATCH` independent commands that are to cost one sync.

    With ``appendfsync always`` the server syncs after each turn of its loop, and a turn reads no
    more than 16 KB of a connection: a plain pipeline of articles is synced every second or third
    article. MULTI makes one turn of it. A command that fails still fails alone, and the others act.

    On a cluster the commands may lie on several nodes, and stay a plain pipeline.
    """
    return client.pipeline(transaction=not isinstance(client, RedisCluster))
