"""All origins of one client, and what is bounded over all of them.

    (scheme, host, port) ─▶ Origin, for as long as an endpoint, a call or a connection knows it

Idle connections are closed after ``idle_seconds`` by one timer. When ``max_idle`` are kept,
the next that falls idle is closed at once. Connections in use have no bound over all hosts:
slow ones could use it up. Whoever calls bounds its concurrency.
"""

import asyncio
import contextlib
import time
from weakref import WeakValueDictionary

from newswire_runtime.outbound_deadlines import Deadlines
from newswire_runtime.outbound_dial import Dialer
from newswire_runtime.outbound_names import GuardedResolver
from newswire_runtime.outbound_origin import Origin, Shared
from newswire_runtime.outbound_writes import Writes
from newswire_runtime.outcome import Failure
from newswire_runtime.ssrf import ParsedUrl

CLOSE_SECONDS = 2.0
"""How long `Pool.close` waits for sockets to be closed."""


class Pool:
    """The connections of one client. Belongs to one event loop; made inside it."""

    def __init__(
        self, dialer: Dialer, resolver: GuardedResolver, *, per_host: int, idle_seconds: float, max_idle: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.deadlines = Deadlines(self._loop)
        self._shared = Shared(
            dialer, resolver, self.deadlines, Writes(self._loop), per_host, max_idle, self._close_idle
        )
        self._origins: WeakValueDictionary[tuple[bool, str, int], Origin] = WeakValueDictionary()
        self._idle_seconds = idle_seconds
        self._timer = self._loop.call_later(idle_seconds / 2, self._sweep)

    @property
    def running_calls(self) -> int:
        return len(self.deadlines) - len(self._shared.dials)

    @property
    def open_connections(self) -> int:
        return len(self._shared.connections)

    def origin(self, parsed: ParsedUrl) -> Origin:
        """Return the one origin of a URL."""
        key = parsed.url.scheme == "https", parsed.host, parsed.port
        origin = self._origins.get(key)
        if origin is None:
            origin = Origin(self._shared, tls=key[0], host=parsed.host, port=parsed.port, address=parsed.address)
            self._origins[key] = origin
        return origin

    async def close(self) -> None:
        """Close every connection and end every dial; calls that wait or run fail as ``reset``."""
        self._timer.cancel()
        shared = self._shared
        shared.closed = True
        for origin in list(shared.waiting):
            origin.fail_waiting(Failure.RESET, "the client was closed")
        dials = [dial.task for dial in shared.dials]
        for task in dials:
            task.cancel()
        await asyncio.gather(*dials, return_exceptions=True)
        for connection in list(shared.connections):
            connection.close()
        self.deadlines.close()
        if shared.connections:
            shared.all_lost = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await shared.all_lost.wait()

    def _close_idle(self) -> None:
        for origin in list(self._origins.values()):
            origin.close_idle()

    def _sweep(self) -> None:
        since = time.perf_counter() - self._idle_seconds
        for origin in list(self._origins.values()):
            origin.close_idle(since)
        self._timer = self._loop.call_later(self._idle_seconds / 2, self._sweep)
