"""Make connections: guard, socket, connect, TLS.

    addresses ─ race ─▶ guard ─▶ socket ─▶ that very address ─▶ TLS ─▶ protocol

The guard is asked last where the socket is opened, with the address that is then
connected: between the two nothing is looked up again, and no way leads past it.

A name can have several addresses, and the first can hang: the next is tried after
``NEXT_SECONDS`` or when one fails, IPv6 and IPv4 by turns (RFC 8305), and the first
that connects is taken. If all fail, the failure of the first is told.
"""

import asyncio
import functools
import socket
import ssl
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import TypeVar

from newswire_runtime.outbound_failures import HandshakeFailed
from newswire_runtime.outbound_names import GuardedAddress, Target
from newswire_runtime.ssrf import AddressGuard

NEXT_SECONDS = 0.25
"""How long an address has before the next is tried beside it."""
HANDSHAKE_SECONDS = 600.0
"""asyncio wants a bound; the deadline of the call comes long before."""

OpenSocket = Callable[[Target], socket.socket]
Made = TypeVar("Made", bound=asyncio.Protocol)


class Dialer:
    """Connect to addresses that the guard permits."""

    def __init__(
        self, guard: AddressGuard, open_socket: OpenSocket | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self._guard = guard
        self._open_socket = open_socket or _open_socket
        self._context = context

    async def connect(self, targets: Sequence[Target], server_name: str | None, make: Callable[[str], Made]) -> Made:
        """Connect to one of the addresses, and return the protocol that ``make`` makes for it.

        Args:
            targets: At least one.
            server_name: The name that the certificate must have (RFC 9110 section 4.3.4); None for no TLS.
            make: From the address to the protocol.

        Raises:
            OSError: there is no connection (`GuardedAddress`, `HandshakeFailed`, SSL's, or the system's), and
                nothing is left open.
        """
        address, opened = await self._race(_by_turns(targets))
        try:
            return await _wrap(opened, server_name, functools.partial(make, address), self._context)
        except BaseException:
            opened.close()
            raise

    async def _race(self, targets: Sequence[Target]) -> tuple[str, socket.socket]:
        if len(targets) == 1:
            return targets[0].address, await self._open(targets[0])
        running: dict[asyncio.Task[socket.socket], Target] = {}
        failures: dict[Target, OSError] = {}
        waiting = list(reversed(targets))
        try:
            while waiting or running:
                if waiting:
                    following = waiting.pop()
                    running[asyncio.create_task(self._open(following))] = following
                done, _ = await asyncio.wait(
                    running, timeout=NEXT_SECONDS if waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in done:
                    exc = task.exception()
                    if exc is None:
                        return running.pop(task).address, task.result()
                    if not isinstance(exc, OSError):
                        raise exc
                    failures[running.pop(task)] = exc
        finally:
            await _end(running)
        raise failures[targets[0]]

    async def _open(self, target: Target) -> socket.socket:
        if reason := self._guard.reason(ip_address(target.address)):
            raise GuardedAddress(reason)
        opened = self._open_socket(target)
        try:
            opened.setblocking(False)
            await asyncio.get_running_loop().sock_connect(opened, target.sockaddr)
        except BaseException:
            opened.close()
            raise
        return opened


async def _end(running: dict[asyncio.Task[socket.socket], Target]) -> None:
    """Give up attempts; one that has connected meanwhile is closed."""
    for task in running:
        task.cancel()
    for opened in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(opened, socket.socket):
            opened.close()


async def _wrap(
    opened: socket.socket, server_name: str | None, make: Callable[[], Made], context: ssl.SSLContext | None
) -> Made:
    loop = asyncio.get_running_loop()
    if server_name is None:
        return (await loop.create_connection(make, sock=opened))[1]
    context = context or await loop.run_in_executor(None, default_context)
    try:
        _, made = await loop.create_connection(
            make, sock=opened, ssl=context, server_hostname=server_name, ssl_handshake_timeout=HANDSHAKE_SECONDS
        )
    except ssl.SSLError:
        raise
    except OSError as exc:
        raise HandshakeFailed(exc.errno, "the connection ended in the TLS handshake") from exc
    return made


@functools.cache
def default_context() -> ssl.SSLContext:
    """Return the context that trusts what this machine trusts; reading its certificates takes 30 ms."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _by_turns(targets: Sequence[Target]) -> list[Target]:
    """Order addresses so that families take turns, the first one's first (RFC 8305 section 4)."""
    first = [each for each in targets if each.family == targets[0].family]
    second = [each for each in targets if each.family != targets[0].family]
    return [each for each in chain.from_iterable(zip_longest(first, second)) if each is not None]


def _open_socket(target: Target) -> socket.socket:
    return socket.socket(target.family, socket.SOCK_STREAM)
