"""The HTTP client of the deliveries: guarded, bounded, and silent about failure until asked.

    call(url) ─ check_url ─▶ pool ─ warm connection ──────────────▶ request ─▶ Outcome
                   │          └─ look-up ─ guard ─ connect ─ guard ─┘
                   └─ refused: Outcome(error=guarded)

A URL is another party's choice and so is what its server answers. What can go
wrong, and where it is held:

- the name means an inside address, now or after the first look (rebinding): the
  resolver drops guarded addresses, and the socket factory checks the very address
  that the socket is then connected to. Between the two nothing is looked up again;
  literal addresses, which skip the resolver, also pass the factory.
- the answer is a redirect: it is the outcome, and never followed.
- the peer is slow anywhere: look-up, connect, TLS, headers, 1xx after 1xx. One
  deadline over all of it, kept by the loop's clock; bytes that drip do not move it.
- the body is endless or drips: the status has been said, so it counts; 16 KB, or
  what comes within ``BODY_SECONDS``, is kept, and the connection closed.
- a kept connection was closed by the peer while it lay idle: the call is made
  again at once on another. The receiver knows a repeated message by its id.
- names that do not answer: look-ups run in threads of their own, and give up on
  waiting with the deadline. Cookies, proxies and netrc of the environment are not used.

A failure is an `Outcome`. Only cancellation and misuse raise.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from ipaddress import ip_address

from aiohttp import AddrInfoType, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.client_exceptions import (
    ClientConnectorError,
    ClientError,
    ClientOSError,
    ServerDisconnectedError,
)

from newswire_runtime.outbound_failures import failure_of
from newswire_runtime.outbound_names import GuardedAddress, GuardedResolver, Lookup, system_lookup
from newswire_runtime.outcome import Failure, Outcome
from newswire_runtime.ssrf import AddressGuard, ParsedUrl, RefusedUrl, check_url

MAX_EXCERPT = 16_384
"""Bytes of an answer's body that are read and kept."""
BODY_SECONDS = 5.0
"""How long the body may take after the status, within the deadline."""
DNS_SECONDS = 10
"""How long a looked-up address is kept."""

OpenSocket = Callable[[AddrInfoType], socket.socket]

_opened: ContextVar[list[AddrInfoType] | None] = ContextVar("opened", default=None)
"""The connections that the running attempt has opened; none means that a kept one was used."""


class GuardedClient:
    """POST to, and GET, addresses that strangers name. One per process; use it as an async context manager.

    ``per_host`` bounds the connections to one host and port; what is over it
    waits, within its own deadline; 0 is no bound. There is none over all hosts, so that
    slow ones cannot use it up: whoever calls bounds its concurrency.
    """

    def __init__(
        self,
        guard: AddressGuard,
        *,
        per_host: int = 16,
        dns_seconds: int = DNS_SECONDS,
        user_agent: str = "newswire",
        ssl_context: ssl.SSLContext | None = None,
        lookup: Lookup | None = None,
        open_socket: OpenSocket | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._guard = guard
        self._wall = wall
        self._open_socket = open_socket or _open_socket
        self._resolver = GuardedResolver(guard, lookup or system_lookup)
        self._check: Callable[[str], ParsedUrl] = lru_cache(maxsize=4096)(lambda url: check_url(url, guard))
        self._headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        self._ssl: ssl.SSLContext | bool = ssl_context or True
        self._per_host = per_host
        self._dns_seconds = dns_seconds
        self._session: ClientSession | None = None

    async def __aenter__(self) -> "GuardedClient":
        connector = TCPConnector(
            resolver=self._resolver,
            ttl_dns_cache=self._dns_seconds,
            limit=0,
            limit_per_host=self._per_host,
            ssl=self._ssl,
            socket_factory=self._socket,
        )
        self._session = ClientSession(
            connector=connector,
            headers=self._headers,
            cookie_jar=DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,  # 16 KB as sent can be 16 MB unpacked
            read_bufsize=MAX_EXCERPT,
            timeout=ClientTimeout(total=None, sock_connect=None),  # aiohttp rounds its own up; a call has one for all
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Calls that still run fail as ``reset``."""
        if self._session is not None:
            await self._session.close()
        await self._resolver.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], deadline: float) -> Outcome:
        """Send ``body`` once and say what became of it.

        Args:
            url: An absolute http(s) URL; checked here, whatever was checked before.
            body: What is sent, with its length.
            headers: Sent as they are, over this client's own User-Agent, Accept and Accept-Encoding.
            deadline: Seconds for all of it, the look-up and the wait for a connection included.
        """
        return await self._call("POST", url, body, headers, deadline)

    async def get(self, url: str, headers: Mapping[str, str], deadline: float) -> Outcome:
        """Ask once and say what became of it; the arguments are those of `post`."""
        return await self._call("GET", url, None, headers, deadline)

    async def _call(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], deadline: float
    ) -> Outcome:
        started_at, started = int(self._wall() * 1000), time.perf_counter()
        failed: tuple[Failure, str] | None = None
        try:
            parsed = self._check(url)
            async with asyncio.timeout(deadline):
                response = await self._send(method, parsed, body, headers)
        except RefusedUrl as exc:
            failed = Failure.GUARDED, exc.reason
        except (ClientError, OSError) as exc:  # asyncio's TimeoutError is an OSError as well
            failed = failure_of(exc, deadline)
        if failed:
            return Outcome(started_at, (time.perf_counter() - started) * 1000, error=failed[0], detail=failed[1])
        left = deadline - (time.perf_counter() - started)
        excerpt, truncated = await _excerpt(response, min(left, BODY_SECONDS))
        return Outcome(
            started_at,
            (time.perf_counter() - started) * 1000,
            status=response.status,
            retry_after=response.headers.get("Retry-After"),
            content_type=response.headers.get("Content-Type"),
            excerpt=excerpt,
            truncated=truncated,
        )

    async def _send(
        self, method: str, parsed: ParsedUrl, body: bytes | None, headers: Mapping[str, str]
    ) -> ClientResponse:
        if self._session is None:
            raise RuntimeError("outbound: enter the client with 'async with' before it calls")
        while True:
            opened: list[AddrInfoType] = []
            token = _opened.set(opened)
            try:
                return await self._session.request(
                    method, parsed.url, data=body, headers=headers, allow_redirects=False
                )
            except (ServerDisconnectedError, ClientOSError) as exc:
                # Each round uses up one kept connection, so this ends; the deadline stands over it anyhow.
                if opened or isinstance(exc, ClientConnectorError):
                    raise
            finally:
                _opened.reset(token)

    def _socket(self, info: AddrInfoType) -> socket.socket:
        """Open the socket of one connect: the last place that sees where it goes, and it sees all of them."""
        if reason := self._guard.reason(ip_address(info[4][0])):
            raise GuardedAddress(reason)
        opened = _opened.get()
        if opened is not None:
            opened.append(info)
        return self._open_socket(info)


def _open_socket(info: AddrInfoType) -> socket.socket:
    return socket.socket(family=info[0], type=info[1], proto=info[2])


async def _excerpt(response: ClientResponse, seconds: float) -> tuple[bytes, bool]:
    """Read at most 16 KB; return them, and whether anything is missing. What is not whole closes its connection."""
    content = response.content
    if content.is_eof() and content.total_bytes <= MAX_EXCERPT:  # it came with the headers, as short answers do
        excerpt = content.read_nowait()
        response.release()
        return excerpt, False
    parts: list[bytes] = []
    size, whole = 0, False
    try:
        async with asyncio.timeout(seconds):
            while size <= MAX_EXCERPT and not whole and response.status != 101:
                part = await content.readany()
                whole = not part
                parts.append(part)
                size += len(part)
    except (ClientError, OSError):
        pass  # the status is the answer; of the body it is only told that something is missing
    finally:
        if whole:
            response.release()
        else:
            response.close()
    return b"".join(parts)[:MAX_EXCERPT], not whole
