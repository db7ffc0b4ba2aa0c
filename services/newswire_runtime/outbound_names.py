"""Look up the names of outbound calls, without the addresses that are guarded.

A hanging name server must not delay other names, so look-ups have threads of
their own: the event loop's default executor has a handful (six on two cores),
uvloop's four. aiohttp asks once for all calls that wait for the same name.
"""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from newswire_runtime.ssrf import AddressGuard

DNS_THREADS = 32

Lookup = Callable[[str, int], Sequence[tuple[Any, ...]]]
"""``(host, port)`` to what `socket.getaddrinfo` returns; runs in a thread."""

_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class GuardedAddress(OSError):  # noqa: N818 - an outcome, not an error of ours
    """Every address of a name is guarded. An ``OSError``, because that is what aiohttp expects of a connect."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EACCES, f"the host is or resolves to a guarded address ({reason})")


class GuardedResolver(AbstractResolver):
    """Look names up in threads of its own, and leave guarded addresses out."""

    def __init__(self, guard: AddressGuard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(DNS_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses that may be connected.

        Raises:
            GuardedAddress: there are none but guarded ones.
            OSError: the name does not resolve.
        """
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        permitted: list[ResolveResult] = []
        reason: str | None = None
        for kind, _, _, _, address in found:
            if family not in {socket.AF_UNSPEC, kind}:
                continue
            literal = str(address[0])
            refused = self._guard.reason(ip_address(literal))
            if refused is None:
                permitted.append(
                    ResolveResult(hostname=host, host=literal, port=port, family=kind, proto=0, flags=_NUMERIC)
                )
            reason = reason or refused
        if permitted:
            return permitted
        if reason:
            raise GuardedAddress(reason)
        raise OSError(None, "the name has no address")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def system_lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
    """Ask the machine's resolver; blocks. ``host`` is ASCII, and goes as bytes past the codec for IDNA 2003."""
    return socket.getaddrinfo(host.encode(), port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
