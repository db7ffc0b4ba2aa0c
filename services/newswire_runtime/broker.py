"""The broker, chosen by its URL: a single server, Sentinel, or Redis Cluster.

    redis://user:password@host:6379/0      rediss:// for TLS, unix:///path for a socket
    redis+sentinel://[user:password@]host:26379,host2:26379/MASTER[/db]
    redis+cluster://host:6379

FastStream reads the streams through its broker; everything else goes through one
client of the same server, so that a blocking read never holds up a write.
"""

import logging
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from faststream.redis import RedisBroker, RedisClusterBroker, RedisSentinelBroker
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialBackoff

from newswire_runtime.client import Client

READ_BLOCK_MS = 1_000
"""How long one stream read waits; below redis-py's socket timeout of 5 s."""

MOST_CONNECTIONS = 100
FREE_SECONDS = 10
"""How long a call waits for a connection to come free."""

_SINGLE = ("redis", "rediss", "unix")


class BrokerUrlError(ValueError):
    """The broker's URL cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class _SentinelUrl:
    url: str
    sentinels: tuple[tuple[str, int], ...]
    master: str


def make_broker(url: str, stop_timeout: float = 10.0) -> RedisBroker:
    """Build the FastStream broker for a URL, not yet connected; raise `BrokerUrlError`.

    Handlers get what our own decoder made (``apply_types=False``): each entry is decoded
    by itself, so that a malformed one cannot take its batch along.
    """
    logger = logging.getLogger("faststream")
    kind = _kind(url)
    if kind == "sentinel":
        parsed = _parse_sentinel(url)
        return RedisSentinelBroker(
            parsed.url,
            sentinels=parsed.sentinels,
            sentinel_master_name=parsed.master,
            apply_types=False,
            graceful_timeout=stop_timeout,
            logger=logger,
            log_level=logging.DEBUG,
        )
    if kind == "cluster":
        return RedisClusterBroker(
            _plain(url), apply_types=False, graceful_timeout=stop_timeout, logger=logger, log_level=logging.DEBUG
        )
    return RedisBroker(url, apply_types=False, graceful_timeout=stop_timeout, logger=logger, log_level=logging.DEBUG)


def make_client(url: str) -> Client:
    """Build a client for the same server; it connects when it is first used, and retries a lost connection."""
    kind = _kind(url)
    if kind == "sentinel":
        parsed = _parse_sentinel(url)
        db = int(urlsplit(parsed.url).path.strip("/") or 0)
        parts = urlsplit(parsed.url)
        manager = Sentinel(list(parsed.sentinels), username=parts.username, password=parts.password, db=db)  # type: ignore[no-untyped-call]
        return manager.master_for(parsed.master)
    if kind == "cluster":
        return RedisCluster.from_url(_plain(url))
    retry = Retry(ExponentialBackoff(cap=0.5, base=0.05), 3)
    # A burst of calls waits for a connection; redis-py's other pool would fail the hundred-and-first.
    pool = BlockingConnectionPool.from_url(url, max_connections=MOST_CONNECTIONS, timeout=FREE_SECONDS, retry=retry)
    return Redis.from_pool(pool)


def _kind(url: str) -> str:
    scheme = url.partition("://")[0]
    if scheme in _SINGLE:
        return "single"
    if scheme in ("redis+sentinel", "redis+cluster"):
        return scheme.removeprefix("redis+")
    raise BrokerUrlError(
        f"NEWSWIRE_BROKER_URL: '{scheme}://' is not known;"
        " use redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"
    )


def _plain(url: str) -> str:
    return "redis://" + url.partition("://")[2]


def _parse_sentinel(url: str) -> _SentinelUrl:
    parts = urlsplit(url)
    master, _, db = parts.path.strip("/").partition("/")
    credentials, _, hosts = parts.netloc.rpartition("@")
    if not master or not hosts:
        raise BrokerUrlError("NEWSWIRE_BROKER_URL: write redis+sentinel://host:26379,host2:26379/MASTER[/db]")
    sentinels = []
    for host in hosts.split(","):
        name, _, port = host.partition(":")
        sentinels.append((name, int(port or 26379)))
    login = f"{credentials}@" if credentials else ""
    return _SentinelUrl(f"redis://{login}{sentinels[0][0]}/{db or 0}", tuple(sentinels), unquote(master))
