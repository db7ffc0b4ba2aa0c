"""Signed posts through the guard, beside plain aiohttp and plain httpx, to 100 endpoints.

Each endpoint is an address of its own (127.0.0.1 to .100) of one sink that runs in
another process and answers 204. Each way gets the same message and the same number
of workers, warms up, then posts for a fixed number of messages. CPU a message is the
steadiest figure: the sink takes the other core. Run it by itself; it takes under 10 s.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import cycle

import aiohttp
import httpx
import uvloop

from newswire_publisher.articles import message
from newswire_publisher.webhooks import headers as push_headers
from newswire_publisher.webhooks.signing import Secret, sign
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.ssrf import AddressGuard

ENDPOINTS = 100
WORKERS = 100
HOSTS = [f"127.0.0.{n}" for n in range(1, ENDPOINTS + 1)]
BODY = message.build("article.new", datetime(2025, 2, 7, tzinfo=UTC), 1, b'{"body_text":"%b"}' % (b"x" * 2_000))
Post = Callable[[str, int], Awaitable[object]]


@dataclass(frozen=True)
class Figure:
    """What one way cost."""

    rate: float
    """Messages a second."""
    cpu: float
    """Microseconds of this process a message."""


class Sink(asyncio.Protocol):
    """Answers 204 to each request that has come whole; knows nothing of HTTP but lengths."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            head = self._data[:end].lower()
            size = end + 4 + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._data) < size:
                return
            self._data = self._data[size:]
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined]


async def sink() -> None:
    loop = asyncio.get_running_loop()
    first = await loop.create_server(Sink, HOSTS[0], 0)
    port = first.sockets[0].getsockname()[1]
    await loop.create_server(Sink, HOSTS[1:], port)
    print(port, flush=True)
    await asyncio.Event().wait()


async def measure(post: Post, port: int, messages: int) -> Figure:
    urls = [f"http://{host}:{port}/hook" for host in HOSTS]
    await asyncio.gather(*(post(url, n) for n, url in enumerate(urls)))
    work = iter([*zip(cycle(urls), range(messages), strict=False)])

    async def worker() -> None:
        for url, number in work:
            await post(url, number)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(WORKERS)))
    return Figure(messages / (time.perf_counter() - wall), (time.process_time() - cpu) / messages * 1e6)


async def ours(port: int) -> Figure:
    secret = Secret.generate()

    async def post(url: str, number: int) -> None:
        name, now = f"msg_{number}", int(time.time())
        outcome = await client.post(url, BODY, push_headers.headers(name, now, sign([secret], name, now, BODY), {}), 10)
        if not outcome.ok:
            raise RuntimeError(outcome)

    async with GuardedClient(AddressGuard([ip_network("127.0.0.0/8")])) as client:
        return await measure(post, port, 12_000)


async def plain_aiohttp(port: int) -> Figure:
    async def post(url: str, _: int) -> None:
        async with session.post(url, data=BODY, headers={"content-type": "application/json"}) as response:
            await response.read()

    async with aiohttp.ClientSession() as session:
        return await measure(post, port, 12_000)


async def plain_httpx(port: int) -> Figure:
    async def post(url: str, _: int) -> None:
        await client.post(url, content=BODY, headers={"content-type": "application/json"})

    async with httpx.AsyncClient(timeout=10) as client:
        return await measure(post, port, 800)


async def compare() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, __file__, "--sink", stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    try:
        port = int(await process.stdout.readline())
        figures = {"ours": await ours(port), "aiohttp": await plain_aiohttp(port), "httpx": await plain_httpx(port)}
    finally:
        process.terminate()
        await process.wait()
    own = figures["ours"]
    print(f"signed deliveries to {ENDPOINTS} endpoints")
    for name, figure in figures.items():
        print(
            f"  {name:8} {figure.rate:8,.0f}/s {figure.cpu:8,.0f} µs CPU a message"
            f"   ours: {own.rate / figure.rate:6.2f} x the rate, {figure.cpu / own.cpu:6.2f} x less CPU"
        )


def main() -> None:
    """Print the figures and their ratios."""
    uvloop.run(sink() if "--sink" in sys.argv else compare())


if __name__ == "__main__":
    main()
