"""What several benches start: a Valkey that syncs every write, programs of ours, and a load of HTTP requests."""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from newswire_cli.embedded import EmbeddedServer

NEWSWIRE = str(Path(sys.executable).with_name("newswire"))
_TICKS = os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def valkey() -> AsyncIterator[str]:
    """Run an empty server with ``appendfsync always``; yield its URL."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder))
        await server.start()
        try:
            yield server.url
        finally:
            await server.stop()


@contextlib.asynccontextmanager
async def program(*arguments: str, port: int, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the block ends; it is up when its ``/readyz`` answers 200. Its log goes nowhere."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        env=os.environ | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while not await _is_ready(port):
            if process.returncode is not None:
                raise RuntimeError(f"{' '.join(arguments)} ended with status {process.returncode}")
            await asyncio.sleep(0.05)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def request(port: int, path: str, body: bytes, headers: Iterable[str] = ()) -> bytes:
    """Return the bytes of a POST of JSON."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def post_all(port: int, requests: Iterable[bytes], connections: int) -> list[float]:
    """Send each request once over kept connections, one at a time on each; return the seconds each took.

    Raises RuntimeError on an answer other than 202.
    """
    waiting = deque(requests)
    took: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while waiting:
            writer.write(waiting.popleft())
            began = time.perf_counter()
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            answer = await reader.readexactly(length)
            if not head.startswith(b"HTTP/1.1 202"):
                raise RuntimeError((head + answer).decode())
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*[client() for _ in range(connections)])
    return took


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer.startswith(b"HTTP/1.1 200")
