"""Look up the names of outbound calls, without the addresses that are guarded.

    (host, port) ─▶ kept? ─▶ one look-up for all who wait ─ thread ─▶ guard ─▶ Found

- a name server that hangs must not delay other names: look-ups have threads of their
  own, because the loop's are few (six on two cores; uvloop's four) and everybody's.
- a name without an address that may be connected is a failure, and is not kept.
- an answer is kept for some seconds and no longer: whoever uses a connection to a name
  asks again then, so that a name that moves, or comes to mean an inside address, is noticed.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, NamedTuple

from newswire_runtime.ssrf import Address, AddressGuard

DNS_THREADS = 32
MAX_ADDRESSES = 16
"""Addresses of one name that are tried at most."""
MAX_NAMES = 4096
"""Names that are kept at most."""

Lookup = Callable[[str, int], Sequence[tuple[Any, ...]]]
"""``(host, port)`` to what `socket.getaddrinfo` returns; runs in a thread."""


class GuardedAddress(OSError):  # noqa: N818 - an outcome, not an error of ours
    """The address, or every address of a name, is guarded."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, f"the host is or resolves to a guarded address ({reason})")


class NameFailed(OSError):  # noqa: N818 - an outcome, not an error of ours
    """A name has no address. ``passing`` if the name server could not say, and may say otherwise soon."""

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(errno.ENOENT, message)
        self.passing = passing


class Target(NamedTuple):
    """An address that may be connected."""

    family: int
    address: str
    sockaddr: tuple[Any, ...]


class Found(NamedTuple):
    """The addresses of a name, and until when that holds (`time.perf_counter`)."""

    targets: tuple[Target, ...]
    until: float


class GuardedResolver:
    """Look names up in threads of its own, and leave guarded addresses out."""

    def __init__(self, guard: AddressGuard, lookup: Lookup, seconds: float) -> None:
        self._guard = guard
        self._lookup = lookup
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")
        self._kept: dict[tuple[str, int], Found] = {}
        self._running: dict[tuple[str, int], asyncio.Task[Found]] = {}

    async def resolve(self, host: str, port: int, address: Address | None = None) -> Found:
        """Return the addresses that may be connected. ``address`` is what a literal host means; it is only judged.

        Raises:
            GuardedAddress: there are none but guarded ones.
            NameFailed: the name does not resolve.
        """
        if address is not None:
            found = [(socket.AF_INET if address.version == 4 else socket.AF_INET6, 0, 0, "", (str(address), port))]
            return Found(self._permitted(found, port), time.perf_counter() + self._seconds)
        key = host, port
        kept = self._kept.get(key)
        if kept is not None and time.perf_counter() < kept.until:
            return kept
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = asyncio.create_task(self._ask(host, port))
            running.add_done_callback(lambda task: self._asked(key, task))
        return await asyncio.shield(running)  # who gives up waiting does not end it for the others

    async def close(self) -> None:
        running = list(self._running.values())
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _asked(self, key: tuple[str, int], task: asyncio.Task[Found]) -> None:
        self._running.pop(key, None)
        self._kept.pop(key, None)
        if task.cancelled() or task.exception() is not None:
            return
        while len(self._kept) >= MAX_NAMES:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = task.result()

    async def _ask(self, host: str, port: int) -> Found:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._threads, self._lookup, host, port)
        except socket.gaierror as exc:
            passing = exc.errno == socket.EAI_AGAIN
            raise NameFailed("the name does not resolve", passing=passing) from exc
        except (OSError, UnicodeError) as exc:
            raise NameFailed("the name does not resolve", passing=True) from exc
        return Found(self._permitted(found, port), time.perf_counter() + self._seconds)

    def _permitted(self, found: Sequence[tuple[Any, ...]], port: int) -> tuple[Target, ...]:
        permitted: list[Target] = []
        reason: str | None = None
        for kind, _, _, _, sockaddr in found:
            refused = self._guard.reason(ip_address(sockaddr[0]))
            if refused is None:
                permitted.append(target(kind, str(sockaddr[0]), port))
            reason = reason or refused
        if permitted:
            return tuple(dict.fromkeys(permitted))[:MAX_ADDRESSES]
        if reason:
            raise GuardedAddress(reason)
        raise NameFailed("the name has no address")


def target(family: int, address: str, port: int) -> Target:
    """Return an address as a socket takes it, without flow and scope of IPv6."""
    return Target(family, address, (address, port, 0, 0) if family == socket.AF_INET6 else (address, port))


def system_lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """Ask the machine's resolver; blocks. ``host`` is ASCII, and goes as bytes past the codec for IDNA 2003."""
    return socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
