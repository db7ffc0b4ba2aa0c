"""Peers of outbound calls on 127.0.0.1 that answer as a test says, and names that mean what a test says.

No test connects anywhere else: `Sockets` fails a test that would.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outbound_names import Target
from newswire_runtime.outcome import Outcome
from newswire_runtime.ssrf import AddressGuard

LOOPBACK = ip_network("127.0.0.0/8")
LOCAL = AddressGuard([LOOPBACK])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Sockets:
    """Opens what a test may open, and fails the test at anything else."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def __call__(self, target: Target) -> socket.socket:
        address = target.address
        self.addresses.append(address)
        if ip_address(address) not in LOOPBACK:
            raise AssertionError(f"the client was about to connect to {address}")
        return socket.socket(target.family, socket.SOCK_STREAM)


class Refusing(Sockets):
    """Stands for the internet: notes where a connect would go, and answers that nothing listens there."""

    def __call__(self, target: Target) -> socket.socket:
        address = target.address
        assert AddressGuard().permits(ip_address(address)), f"the client was about to connect to {address}"
        self.addresses.append(address)
        raise ConnectionRefusedError(111, "nothing listens")


class Names:
    """A name server: each look-up of a name takes the next of its answers."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        self.asked.append(host)
        answers = self._answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]


@dataclass
class Server:
    """One server that reads each request whole, and answers as its test says."""

    url: str
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    """One for each connection that it has."""


@contextlib.asynccontextmanager
async def serving(
    answer: Answer, *, tls: ssl.SSLContext | None = None, raw: bool = False, port: int = 0
) -> AsyncIterator[Server]:
    """Run a server that calls ``answer`` for each request; ``raw``: once a connection, which it reads by itself."""
    known = Server("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        known.tasks.add(task)
        task.add_done_callback(known.tasks.discard)
        known.connections += 1
        try:
            if raw:
                await answer(reader, writer)
                await writer.drain()
            while not raw:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                known.requests.append(head + await reader.readexactly(length))
                await answer(reader, writer)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except RuntimeError:
            if not writer.transport.is_closing():  # uvloop raises it for a write to what the caller has reset
                raise
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    known.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/hook"
    try:
        yield known
    finally:
        server.close()
        tasks = list(known.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def says(*parts: bytes) -> Answer:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(parts)

    return answer


def drips(first: bytes, drop: bytes) -> Answer:
    """Say ``first`` at once, then ``drop`` every 10 ms for ever."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.01)

    return answer


async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    raise ConnectionAbortedError


async def post(client: GuardedClient, url: str, deadline: float = 5.0) -> Outcome:
    return await client.post(url, b'{"a":1}', {"content-type": "application/json", "webhook-id": "m1"}, deadline)
