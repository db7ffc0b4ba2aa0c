"""The HTTP client of the deliveries: guarded, bounded, and silent about failure until asked.

    send(url) ─ check_url ─▶ Origin ─ kept connection ─────────────────▶ bytes ─▶ answer ─▶ done(Outcome)
                    │           └─ look-up ─ guard ─ guard ─ connect ─┘
                    └─ refused: done(Outcome(error=guarded))

A URL is another party's choice and so is what its server answers. What can go
wrong, and where it is held:

- the name means an inside address, now or after the first look (rebinding): the
  resolver drops guarded addresses (`outbound_names`), and the dialler checks the very
  address that the socket is then connected to (`outbound_dial`). Between the two nothing
  is looked up again; literal addresses go the same way. A kept connection is used for
  ``dns_seconds`` after a look-up, and then only if the name still means it (`outbound_origin`).
- the answer is a redirect: it is the outcome, and never followed.
- the peer is slow anywhere: look-up, connect, TLS, headers, 1xx after 1xx. One
  deadline over all of it (`outbound_deadlines`); bytes that drip do not move it.
- the body is endless or drips: the status has been said, so it counts; 16 KB, or what
  comes within 5 s, is kept, and the connection closed (`outbound_answers`).
- a kept connection was closed by the peer while it lay idle: the call is made
  again at once, a single time, on a new one. The receiver knows a repeated message by its id.
- a header's value is a second header or request: nothing is sent (`outbound_requests`).

There are no cookies, proxies, netrc, and nothing is unpacked. A failure is an
`Outcome`. Only cancellation and misuse raise.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

from yarl import URL

from newswire_runtime.outbound_calls import Call, Done
from newswire_runtime.outbound_dial import Dialer, OpenSocket
from newswire_runtime.outbound_names import GuardedResolver, Lookup, system_lookup
from newswire_runtime.outbound_origin import Origin
from newswire_runtime.outbound_pool import Pool
from newswire_runtime.outbound_requests import Body, request, start_of
from newswire_runtime.outcome import Failure, Outcome
from newswire_runtime.ssrf import AddressGuard, RefusedUrl, check_url

DNS_SECONDS = 10
"""How long a looked-up address is kept."""
IDLE_SECONDS = 15.0
"""How long a connection is kept that no call uses."""
MAX_IDLE = 4096
"""Connections that are kept at most, over all hosts."""
ENDPOINTS = 16_384
"""URLs whose check and first lines are kept."""


class Endpoint(NamedTuple):
    """What every call to one URL has in common."""

    start: bytes
    origin: Origin


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
        dns_seconds: float = DNS_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        max_idle: int = MAX_IDLE,
        user_agent: str = "newswire",
        ssl_context: ssl.SSLContext | None = None,
        lookup: Lookup | None = None,
        open_socket: OpenSocket | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._guard = guard
        self._wall = wall
        self._user_agent = user_agent
        self._limits = {"per_host": per_host, "max_idle": max_idle}
        self._idle_seconds = idle_seconds
        self._resolver = GuardedResolver(guard, lookup or system_lookup, dns_seconds)
        self._dialer = Dialer(guard, open_socket, ssl_context)
        self._endpoint = lru_cache(maxsize=ENDPOINTS)(self._make_endpoint)
        self._pool: Pool | None = None

    async def __aenter__(self) -> "GuardedClient":
        self._pool = Pool(self._dialer, self._resolver, idle_seconds=self._idle_seconds, **self._limits)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection. Calls that still run fail as ``reset``."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()
        await self._resolver.close()

    @property
    def running_calls(self) -> int:
        """Calls that have not ended."""
        return self._pool.running_calls if self._pool else 0

    @property
    def open_connections(self) -> int:
        """Connections whose socket is open, idle ones too."""
        return self._pool.open_connections if self._pool else 0

    def send(  # noqa: PLR0917 - a call's own
        self,
        url: str,
        body: Body,
        headers: Mapping[str, str],
        deadline: float,
        done: Done,
        wall: float | None = None,
    ) -> Call:
        """POST ``body`` once; ``done`` is told what became of it, once, and never from inside this method.

        It costs no task and no future. ``done`` runs in the event loop between the bytes of other calls, and in
        an empty context, so it must be short; it may send the next.

        Args:
            url: An absolute http(s) URL; checked here, whatever was checked before.
            body: What is sent, with its length; in one piece, or as parts that follow each other.
            headers: Sent as they are, over this client's own User-Agent, Accept and Accept-Encoding.
            deadline: Seconds for all of it, the look-up and the wait for a connection included.
            done: Takes the outcome. It is not called if the call that this returns is cancelled.
            wall: When it is made (`time.time`), if a header says so too; now otherwise.

        Raises:
            ValueError: a header that is none, or that only the client sets.
        """
        return self._start("POST", url, body, headers, deadline, done, wall)

    def head(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """Return all headers of the request that `send` makes, names in lower case; the arguments are those of `send`.

        Raises:
            ValueError: as `send`; or the URL is none.
        """
        sent = b"".join(request(start_of("POST", URL(url).with_fragment(None)), headers, body, self._user_agent))
        _, *lines = sent.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    async def post(
        self, url: str, body: Body, headers: Mapping[str, str], deadline: float, wall: float | None = None
    ) -> Outcome:
        """POST ``body`` once and return what became of it; the arguments are those of `send`."""
        return await self._call("POST", url, body, headers, deadline, wall)

    async def get(self, url: str, headers: Mapping[str, str], deadline: float) -> Outcome:
        """Ask once and return what became of it; the arguments are those of `send`."""
        return await self._call("GET", url, None, headers, deadline)

    async def _call(  # noqa: PLR0917 - a call's own
        self,
        method: str,
        url: str,
        body: Body | None,
        headers: Mapping[str, str],
        deadline: float,
        wall: float | None = None,
    ) -> Outcome:
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        call = self._start(method, url, body, headers, deadline, partial(_tell, future), wall)
        try:
            return await future
        except asyncio.CancelledError:
            call.cancel()
            raise

    def _start(  # noqa: PLR0917 - a call's own
        self,
        method: str,
        url: str,
        body: Body | None,
        headers: Mapping[str, str],
        deadline: float,
        done: Done,
        wall: float | None,
    ) -> Call:
        pool = self._pool
        if pool is None:
            raise RuntimeError("outbound: enter the client with 'async with' before it calls")
        at = int((self._wall() if wall is None else wall) * 1000)
        try:
            start, origin = self._endpoint(method, url)
        except RefusedUrl as exc:
            call = Call((), deadline, at, done, pool.deadlines)
            asyncio.get_running_loop().call_soon(call.failed, Failure.GUARDED, exc.reason)
            return call
        call = Call(request(start, headers, body, self._user_agent), deadline, at, done, pool.deadlines)
        origin.start(call)
        return call

    def _make_endpoint(self, method: str, url: str) -> Endpoint:
        assert self._pool is not None  # noqa: S101 - `_start` has looked
        parsed = check_url(url, self._guard)
        return Endpoint(start_of(method, parsed.url), self._pool.origin(parsed))


def _tell(future: asyncio.Future[Outcome], outcome: Outcome) -> None:
    if not future.done():  # its task was cancelled a moment ago, and could not cancel the call yet
        future.set_result(outcome)
