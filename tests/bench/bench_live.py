"""2,000 open live streams on one process: its memory, and how long an event takes to its readers.

Ours is `newswire run publisher`; the baseline is what one writes first: Starlette's StreamingResponse over
a queue a stream, and each stream asks its own filter and renders for itself. Both read the same articles from
the publisher's stream on the same Valkey, over real sockets, and answer the same number of events. The latency
is from just before an article enters that stream to when a reader has its bytes; ours has the claim, the ledger and
the log with their syncs in it, the baseline keeps nothing. Called with ``naive PORT URL`` this module is the baseline.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from newswire_publisher.articles.message import Format, build, render
from newswire_publisher.live.log import rows_of
from newswire_publisher.routing.facts import facts_of
from newswire_publisher.routing.shape import compile_filter
from newswire_publisher.routing.topics import load_topic_tree
from newswire_runtime.broker import make_client
from newswire_schemas.article import Act
from newswire_schemas.events import ArticleEnriched
from newswire_schemas.filters import Filter
from newswire_schemas.streams import EVENT_FIELD, WireKeys
from tests.bench.harness import Row, show
from tests.bench.processes import NEWSWIRE, cpu_seconds, free_port, program, valkey
from tests.bench.stories import stories, subscriptions

STREAMS, EVENTS, PAUSE, AT_ONCE = 2_000, 40, 0.1, 100
ENRICHED = WireKeys(0).enriched
_URI = re.compile(rb'"uri":"(urn:newsml:[^"]+)"')


@dataclass
class Readers:
    """All clients; ``ages`` are the seconds of each event to each reader."""

    sent: dict[bytes, float] = field(default_factory=dict)
    ages: list[float] = field(default_factory=list)
    opened: int = 0


class Reader(asyncio.Protocol):
    """One client: it asks once, and notes when each event comes."""

    def __init__(self, readers: Readers, path: str) -> None:
        self._readers = readers
        self._path = path
        self._opened = False
        self._rest = b""

    def connection_made(self, transport: Any) -> None:
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self._opened:
            if not data.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(data.decode())
            self._opened = True
            self._readers.opened += 1
        whole, _, self._rest = (self._rest + data).rpartition(b"\n\n")
        now = time.perf_counter()
        for uri in _URI.findall(whole):
            self._readers.ages.append(now - self._readers.sent[uri])


async def main_loop() -> None:
    filters = list(subscriptions(STREAMS).values())
    for title, wanted in (("of different filters", filters), ("that all take everything", [Filter()] * STREAMS)):
        rows = []
        for name in ("StreamingResponse, a filter and a render a stream", "newswire, durable"):
            async with valkey() as url:
                port = free_port()
                naive = (sys.executable, "-m", "tests.bench.bench_live", "naive", str(port), url)
                ours = (NEWSWIRE, "run", "publisher", "--port", str(port))
                arguments = ours if name.startswith("newswire") else naive
                async with program(*arguments, port=port, NEWSWIRE_BROKER_URL=url) as process:
                    rows.append(await _measure(name, process.pid, port, url, wanted))
        show(f"Entered to received, p50: {STREAMS:,} open streams {title}", rows, unit="event")


async def _measure(name: str, pid: int, port: int, url: str, wanted: list[Filter]) -> Row:
    readers = Readers()
    empty = _rss(pid)
    loop = asyncio.get_running_loop()
    transports = []
    for start in range(0, len(wanted), AT_ONCE):
        for each in wanted[start : start + AT_ONCE]:
            path = f"/v1/live?filter={quote(each.model_dump_json(exclude_defaults=True))}"
            made = await loop.create_connection(lambda path=path: Reader(readers, path), "127.0.0.1", port)  # type: ignore[misc]
            transports.append(made[0])
        while readers.opened < min(start + AT_ONCE, len(wanted)):
            await asyncio.sleep(0.01)
    opened = _rss(pid)
    articles = stories(EVENTS)
    topics = load_topic_tree()
    tests = [compile_filter(each) for each in wanted]
    due = sum(test(facts) for facts in (facts_of(article, topics) for article in articles) for test in tests)
    client = make_client(url)
    used, peak = cpu_seconds(pid), opened
    for article in articles:
        event = ArticleEnriched(
            trace_id="bench", act=Act.NEW, article=article, received_at=datetime.now(UTC), owner="bench"
        )
        readers.sent[article.uri.encode()] = time.perf_counter()
        await client.xadd(ENRICHED, {EVENT_FIELD: event.encode()})
        await asyncio.sleep(PAUSE)
        peak = max(peak, _rss(pid))
    end = time.perf_counter() + 60
    while len(readers.ages) < due and time.perf_counter() < end:
        await asyncio.sleep(0.05)
    cpu = (cpu_seconds(pid) - used) / max(1, len(readers.ages))
    for transport in transports:
        transport.abort()
    await client.aclose()
    ages = sorted(readers.ages) or [float("inf")]
    p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
    memory = f"{empty:.0f} MB empty, {opened:.0f} open, {peak:.0f} peak"
    came = f"{len(ages):,} of {due:,} came"
    return Row(name, p50 * 1e6, cpu * 1e6, f"p99 {p99 * 1e3:,.0f} ms, {memory}, {came}")


def _rss(pid: int) -> float:
    """Return a process's resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4_096 / 1e6


class _Naive:
    """The baseline."""

    def __init__(self, url: str) -> None:
        self._client = make_client(url)
        self._topics = load_topic_tree()
        self._queues: set[asyncio.Queue[tuple[int, bytes]]] = set()

    async def read(self) -> None:
        last, number = "0-0", 0
        while True:
            answer = await self._client.xread({ENRICHED: last}, block=1_000)
            for entry_id, fields in rows_of(answer):
                last, number = entry_id, number + 1
                for queue in self._queues:
                    queue.put_nowait((number, fields[EVENT_FIELD]))

    async def ready(self, _: Request) -> Response:
        return PlainTextResponse("ready")

    async def live(self, request: Request) -> Response:
        wanted = compile_filter(Filter.model_validate(json.loads(request.query_params["filter"])))

        async def body() -> AsyncIterator[bytes]:
            queue: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
            self._queues.add(queue)
            yield b":\n\n"
            try:
                while True:
                    number, event = await queue.get()
                    article = ArticleEnriched.model_validate_json(event).article
                    if wanted(facts_of(article, self._topics)):
                        data = build("article.new", datetime.now(UTC), number, render(article, Format.ARTICLE, ""))
                        yield b"id: %d\nevent: article.new\ndata: %b\n\n" % (number, data)
            finally:
                self._queues.discard(queue)

        return StreamingResponse(body(), media_type="text/event-stream")


async def _serve_naive(port: int, url: str) -> None:
    naive = _Naive(url)
    app = Starlette(routes=[Route("/readyz", naive.ready), Route("/v1/live", naive.live)])
    reading = asyncio.create_task(naive.read())
    await uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="critical", access_log=False, timeout_graceful_shutdown=1)
    ).serve()
    reading.cancel()


def main() -> None:
    """Print memory and latencies, or serve the baseline."""
    if sys.argv[1:2] == ["naive"]:
        uvloop.run(_serve_naive(int(sys.argv[2]), sys.argv[3]))
    else:
        uvloop.run(main_loop())


if __name__ == "__main__":
    main()
