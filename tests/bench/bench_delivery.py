"""Signed posts through the guard, beside plain aiohttp, plain httpx and wrk, to 1, 100 and 1,000 endpoints.

Each endpoint is an address of its own (127.x.y.z) of one sink that runs in another
process and answers 204. Each way has the same message and 100 posts on their way at any
time, connects and warms up first, and runs three times by turns; the figures are the
medians. ``ours`` is what the webhook workers do: `GuardedClient.send` with a callback, a
signature and headers for each message. The others send the same bytes unsigned and look
at no answer; wrk is C, knows one address only, and shows what the kernel and the sink
leave. CPU is that of the sending process, with the kernel's part. The sink takes the
other core, and bounds the rates. Run it by itself; it takes a minute, and longer where the cores are not its own.
"""

import asyncio
import resource
import shutil
import statistics
import sys
import tempfile
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
from newswire_runtime.outcome import Outcome
from newswire_runtime.ssrf import AddressGuard
from tests.bench.sink import HOSTS

COUNTS = (1, 100, 1000)
IN_FLIGHT = 100
ROUNDS = 3
LOCAL = AddressGuard([ip_network("127.0.0.0/8")])
BODY = message.build("article.new", datetime(2025, 2, 7, tzinfo=UTC), 1, b'{"body_text":"%b"}' % (b"x" * 2_000))
JSON = {"content-type": "application/json"}
Post = Callable[[str, int], Awaitable[object]]


@dataclass(frozen=True)
class Figure:
    """What one way cost."""

    rate: float
    """Messages a second."""
    cpu: float
    """Microseconds of the sending process a message."""


async def ours(urls: list[str], messages: int) -> Figure:
    async with GuardedClient(LOCAL, per_host=0) as client:
        return await by_callback(client, urls, messages)


async def ours_unlike(urls: list[str], messages: int) -> Figure:
    return await ours([url.replace("/hook", "/unlike") for url in urls], messages)


async def by_callback(client: GuardedClient, urls: list[str], messages: int) -> Figure:
    secret, end = Secret.generate(), asyncio.get_running_loop().create_future()
    work, left = iter([]), 0

    def send(outcome: Outcome | None = None) -> None:
        nonlocal left
        if outcome is not None:
            left -= 1
            if not outcome.ok:
                raise RuntimeError(outcome)
            if not left:
                end.set_result(None)
        for url, number in work:
            name, now = f"msg_{number}", int(time.time())
            headers = push_headers.headers(name, now, sign([secret], name, now, BODY), {})
            client.send(url, BODY, headers, 10, send)
            return

    async def run(count: int, in_flight: int) -> None:
        nonlocal work, left, end
        end = asyncio.get_running_loop().create_future()
        work, left = zip(cycle(urls), range(count), strict=False), count
        for _ in range(in_flight):
            send()
        await end

    await run(max(len(urls), IN_FLIGHT), max(len(urls), IN_FLIGHT))
    with Meter(messages) as meter:
        await run(messages, IN_FLIGHT)
    return meter.figure


async def ours_awaited(urls: list[str], messages: int) -> Figure:
    secret = Secret.generate()

    async def post(url: str, number: int) -> None:
        name, now = f"msg_{number}", int(time.time())
        headers = push_headers.headers(name, now, sign([secret], name, now, BODY), {})
        outcome = await client.post(url, BODY, headers, 10)
        if not outcome.ok:
            raise RuntimeError(outcome)

    async with GuardedClient(LOCAL, per_host=0) as client:
        return await by_workers(post, urls, messages)


async def plain_aiohttp(urls: list[str], messages: int) -> Figure:
    async def post(url: str, _: int) -> None:
        async with session.post(url, data=BODY, headers=JSON) as response:
            await response.read()

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:
        return await by_workers(post, urls, messages)


async def plain_httpx(urls: list[str], messages: int) -> Figure:
    async def post(url: str, _: int) -> None:
        await client.post(url, content=BODY, headers=JSON)

    limits = httpx.Limits(max_connections=2 * IN_FLIGHT, max_keepalive_connections=len(urls) + IN_FLIGHT)
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:
        return await by_workers(post, urls[:IN_FLIGHT], messages, warm_up=IN_FLIGHT // 2)


async def by_workers(post: Post, urls: list[str], messages: int, *, warm_up: int = 0) -> Figure:
    async def worker() -> None:
        for url, number in work:
            await post(url, number)

    for start in range(0, warm_up or max(len(urls), IN_FLIGHT), IN_FLIGHT):
        await asyncio.gather(*(post(urls[n % len(urls)], n) for n in range(start, start + (warm_up or IN_FLIGHT))))
    work = zip(cycle(urls), range(messages), strict=False)
    with Meter(messages) as meter:
        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
    return meter.figure


async def plain_wrk(urls: list[str], _: int) -> Figure:
    """Let wrk post to the first endpoint for a second and a half; its CPU includes its start."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write('wrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n')
        script.write(f'wrk.body = string.rep("x", {len(BODY)})\n')
        script.flush()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["wrk", "-t1", f"-c{IN_FLIGHT}", "-d2", "-s", script.name, urls[0]]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        said = (await process.communicate())[0].decode()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    requests = int(said.partition(" requests in")[0].split()[-1])
    rate = float(said.partition("Requests/sec:")[2].split()[0])
    return Figure(rate, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / requests * 1e6)


class Meter:
    """Takes the time of a block, and of this process."""

    figure = Figure(0, 0)

    def __init__(self, messages: int) -> None:
        self._messages = messages

    def __enter__(self) -> "Meter":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self.figure = Figure(self._messages / wall, cpu / self._messages * 1e6)


async def compare() -> None:
    ways = {
        "ours": (ours, 10_000),
        "ours, awaited": (ours_awaited, 10_000),
        "ours, unlike": (ours_unlike, 10_000),
        "aiohttp": (plain_aiohttp, 6_000),
        "httpx": (plain_httpx, 60),
    }
    if shutil.which("wrk"):
        ways["wrk"] = (plain_wrk, 0)
    arguments = [sys.executable, "-m", "tests.bench.sink"]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    own: dict[int, Figure] = {}
    try:
        port = int(await process.stdout.readline())
        for count in COUNTS:
            urls = [f"http://{host}:{port}/hook" for host in HOSTS[:count]]
            figures: dict[str, list[Figure]] = {}
            for number in range(ROUNDS):
                for name, (way, messages) in ways.items():
                    if number == 0 or name != "httpx":
                        figures.setdefault(name, []).append(await way(urls, messages))
            own[count] = show(count, {name: median(each) for name, each in figures.items()})
    finally:
        process.terminate()
        await process.wait()
    for count in COUNTS[1:]:
        print(f"ours, {count:,} endpoints beside one: {own[count].cpu / own[1].cpu:.2f} x the CPU")


def median(figures: list[Figure]) -> Figure:
    return Figure(statistics.median(each.rate for each in figures), statistics.median(each.cpu for each in figures))


def show(count: int, figures: dict[str, Figure]) -> Figure:
    """Print a table; return our own figure."""
    own = figures["ours"]
    print(f"\nsigned deliveries to {count:,} endpoint{'s' * (count > 1)}")
    for name, figure in figures.items():
        print(
            f"  {name:14} {figure.rate:8,.0f}/s {figure.cpu:8,.1f} µs CPU a message"
            f"   ours: {own.rate / figure.rate:6.2f} x the rate, {figure.cpu / own.cpu:6.2f} x less CPU",
            flush=True,
        )
    return own


def main() -> None:
    """Print the figures and their ratios."""
    uvloop.run(compare())


if __name__ == "__main__":
    main()
