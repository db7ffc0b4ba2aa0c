"""The whole work of webhooks, from the queue to the settled and logged push, beside clients that do less or the same.

``ours`` is a webhook worker on a real, durable server: lease, payload, signature, post, settle, log of
attempts; articles of 2 KB are queued before the clock starts. It runs once as one process, as a publisher
has it, and once as two, since workers scale out by starting more. ``httpx, same work`` signs, posts, and
writes each attempt and state to the same server. ``aiohttp`` and ``wrk`` only post (see ``delivery``). The
sink and the server share the machine with them, so that CPU is the steadier figure: that of the sending
processes, and beside it the server's. Then: a million pushes that wait, and what the server's memory holds.
"""

import asyncio
import contextlib
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import httpx
import uvloop

from newswire_cli.embedded import EmbeddedServer
from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.webhooks import headers as push_headers
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.model import DEFAULT_CONCURRENCY, Webhook
from newswire_publisher.webhooks.pushes import Appending
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues
from newswire_publisher.webhooks.signing import Secret, Signature, sign
from newswire_publisher.webhooks.vault import Vault
from newswire_runtime import logs
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_schemas.article import Article
from tests.bench.bench_delivery import BODY, COUNTS, IN_FLIGHT, Figure, Meter, plain_aiohttp, plain_wrk
from tests.bench.hook_worker import MASTER_KEY
from tests.bench.sink import HOSTS

ROUNDS = 3
MESSAGES = 20_000
PROCESSES = (1, 2)
WARM_UP = 8
"""Articles that go out before the clock starts, so that the connections are those of a wire at work."""
WAITING, OWNERS = 1_000_000, 1_000
RANK = "1:1738929600000"
Way = Callable[[list[str], int], Awaitable[Figure]]


@dataclass(frozen=True)
class Broker:
    """A durable server of this run's own."""

    url: str
    client: Client

    async def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        used = await self.client.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


@contextlib.asynccontextmanager
async def broker() -> AsyncIterator[Broker]:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder))
        await server.start()
        client = make_client(server.url)
        try:
            yield Broker(server.url, client)
        finally:
            await client.aclose()
            await server.stop()


@contextlib.asynccontextmanager
async def workers(url: str, count: int) -> AsyncIterator["Workers"]:
    """Start processes of webhook workers."""
    arguments = [sys.executable, "-m", "tests.bench.hook_worker", url]
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    processes = [await asyncio.create_subprocess_exec(*arguments, **pipes) for _ in range(count)]
    try:
        yield Workers(processes)
    finally:
        for process in processes:
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Workers:
    """Processes that wait for their orders."""

    processes: list[asyncio.subprocess.Process]

    async def drain(self, pushes: int) -> tuple[float, float]:
        """Let them settle so many pushes; return the seconds that it took, and those of CPU of all of them."""
        left, cpu, all_settled = pushes, 0.0, asyncio.Event()

        async def listen(process: asyncio.subprocess.Process) -> None:
            nonlocal left, cpu
            assert process.stdout
            async for line in process.stdout:
                word, figure = line.split()
                if word == b"stopped":
                    cpu += float(figure)
                    return
                left -= int(figure)
                if not left:
                    all_settled.set()
            raise RuntimeError("a worker has ended")

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for process in self.processes:
                group.create_task(listen(process))
            self._order(b"go\n")
            await all_settled.wait()
            took = time.perf_counter() - began
            self._order(b"stop\n")
        return took, cpu

    def _order(self, word: bytes) -> None:
        for process in self.processes:
            assert process.stdin
            process.stdin.write(word)


async def register(client: Client, keyring: Keyring, urls: list[str]) -> list[Webhook]:
    table = Table(client, "webhooks", Webhook)
    queues, now = HookQueues(client, 1), datetime.now(UTC)
    hooks = []
    concurrency = max(DEFAULT_CONCURRENCY, IN_FLIGHT // len(urls))
    for number, url in enumerate(urls):
        hook_id = f"wh_{number:016x}"
        key, _ = keyring.make(hook_id, Signature.V1, now)
        hook = Webhook(id=hook_id, owner="bench", created=now, url=url, concurrency=concurrency, keys=(key,))
        await table.put(hook_id, hook)
        await queues.apply(hook)
        hooks.append(hook)
    return hooks


async def enqueue(client: Client, hooks: list[Webhook], articles: int, first: int = 0) -> None:
    store, queues = ArticleStore(client, 1), HookQueues(client, 1)
    moment = datetime(2025, 2, 7, 12, tzinfo=UTC)
    for number in range(first, first + articles):
        article = Article(
            uri=f"urn:newsml:agency.example:20250207:{number}",
            version=1,
            language="en",
            headline="A headline",
            body_text="x" * 1_800,
            first_created=moment,
            version_created=moment,
        )
        text = article.model_dump_json(exclude_defaults=True)
        await client.hset(store.keys(article.key).article(article.key), f"v:{RANK}", text)
        entry = f"{article.key} article.new 1738929600000 1738929600000 1738929600000 {RANK} {'0' * 32} {article.uri}"
        await queues.append([Appending(hook.id, "push", article.key, RANK, False, IN_TURN, entry) for hook in hooks])


async def ours(urls: list[str], messages: int, processes: int = 1) -> tuple[Figure, float]:
    """Return what the workers cost, and the microseconds of the server's CPU a push."""
    async with broker() as server, workers(server.url, processes) as those:
        client = server.client
        hooks = await register(client, Keyring(Vault([MASTER_KEY])), urls)
        await enqueue(client, hooks, WARM_UP)
        await those.drain(WARM_UP * len(hooks))
        each = max(1, messages // len(hooks))
        await enqueue(client, hooks, each, WARM_UP)
        total = each * len(hooks)
        before = await server.cpu()
        took, cpu = await those.drain(total)
        return Figure(total / took, cpu / total * 1e6), (await server.cpu() - before) / total * 1e6


async def same_by_httpx(urls: list[str], messages: int) -> Figure:
    secret = Secret.generate()
    limits = httpx.Limits(max_connections=2 * IN_FLIGHT, max_keepalive_connections=len(urls) + IN_FLIGHT)
    async with broker() as server, httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as http:

        async def post(url: str, number: int) -> None:
            name, now = f"msg_{number}", int(time.time())
            headers = push_headers.headers(name, now, sign([secret], name, now, BODY), {})
            answer = await http.post(url, content=BODY, headers=headers)
            record = json.dumps(
                {"sequence": number, "outcome": "delivered", "at_ms": now, "status": answer.status_code}
            )
            pipeline = server.client.pipeline(transaction=True)
            pipeline.xadd(f"attempts:{url}", {"attempt": record})
            pipeline.hset(f"state:{url}", name, "delivered")
            await pipeline.execute()

        work = zip(cycle(urls), range(messages), strict=False)

        async def worker() -> None:
            for url, number in work:
                await post(url, number)

        await asyncio.gather(*(post(url, 0) for url in islice(cycle(urls), IN_FLIGHT)))
        with Meter(messages) as meter:
            await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        return meter.figure


async def compare() -> None:
    arguments = [sys.executable, "-m", "tests.bench.sink"]
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    others: dict[str, tuple[Way, int]] = {"httpx, same work": (same_by_httpx, 200), "aiohttp": (plain_aiohttp, 10_000)}
    if shutil.which("wrk"):
        others["wrk"] = (plain_wrk, 0)
    own: dict[tuple[int, int], list[tuple[Figure, float]]] = {}
    figures: dict[tuple[str, int], list[Figure]] = {}
    try:
        port = int(await process.stdout.readline())
        for number in range(ROUNDS):
            for count in COUNTS:
                urls = [f"http://{host}:{port}/hook" for host in HOSTS[:count]]
                for processes in PROCESSES if count > 1 else PROCESSES[:1]:
                    figure = await ours(urls, MESSAGES if count > 1 else MESSAGES // 20, processes)
                    own.setdefault((count, processes), []).append(figure)
                for name, (way, messages) in others.items():
                    if number == 0 or not name.startswith("httpx"):
                        figures.setdefault((name, count), []).append(await way(urls, messages))
    finally:
        process.terminate()
        await process.wait()
    for count in COUNTS:
        print(f"\npushes to {count:,} endpoint{'s' * (count > 1)}, leased, signed, settled and logged")
        rates: list[float] = []
        for processes in PROCESSES:
            if turns := own.get((count, processes)):
                rate, cpu, server = median(turns)
                rates.append(rate)
                name = f"ours, {processes} process{'es' * (processes > 1)}"
                print(f"  {name:18} {rate:8,.0f}/s {cpu:8,.1f} µs CPU a push, and {server:.1f} of the server")
        for (name, of), each in figures.items():
            if of == count:
                other = statistics.median(figure.rate for figure in each)
                other_cpu = statistics.median(figure.cpu for figure in each)
                ratios = " and ".join(f"{rate / other:.2f}" for rate in rates)
                print(f"  {name:18} {other:8,.0f}/s {other_cpu:8,.1f} µs CPU a message   ours: {ratios} x the rate")
    _, one, _ = median(own[COUNTS[0], 1])
    for count in COUNTS[1:]:
        _, cpu, _ = median(own[count, 1])
        print(f"ours, {count:,} endpoints beside one: {cpu / one:.2f} x the CPU")


def median(turns: list[tuple[Figure, float]]) -> tuple[float, float, float]:
    """Return the rate, and the microseconds of CPU of the workers and of the server a push."""
    rate, cpu, server = zip(*((figure.rate, figure.cpu, server) for figure, server in turns), strict=True)
    return statistics.median(rate), statistics.median(cpu), statistics.median(server)


async def fill() -> None:
    keyring = Keyring(Vault([MASTER_KEY]))
    async with broker() as server:
        hooks = await register(server.client, keyring, [f"http://127.0.0.1:1/{n}" for n in range(OWNERS)])
        before = int((await server.client.info("memory"))["used_memory"])
        await enqueue(server.client, hooks, WAITING // OWNERS)
        used = int((await server.client.info("memory"))["used_memory"]) - before
        print(f"\n{WAITING:,} pushes that wait for {OWNERS:,} endpoints: {used / 1e6:,.0f} MB of the server's memory")


def main() -> None:
    """Print the figures and their ratios."""
    logs.configure()
    if "fill" not in sys.argv:
        uvloop.run(compare())
    uvloop.run(fill())


if __name__ == "__main__":
    main()
