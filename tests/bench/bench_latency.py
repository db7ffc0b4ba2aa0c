"""From submission to the receivers: 50 articles a second to 20 endpoints, with and without one that hangs.

Ours does all its work: accept, enrich, fan out, sign, post, each step durable; once as `newswire up`, all of
it in one process, and once with a process for each service, as compose runs it. The baseline posts each
article straight to the endpoints with httpx, one after the other, and keeps nothing. The receivers are
addresses of this process (127.0.0.1 to .20); the one that hangs reads and never answers. What has not come
when the run ends counts with the age that it has then. Endpoints that hang are not counted themselves.
Each row is the median of turns; those with all come first, as what hung is not well at once.
"""

import asyncio
import contextlib
import itertools
import json
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvloop

from newswire_schemas.article import Draft
from tests.bench.harness import Row, show
from tests.bench.processes import NEWSWIRE, free_port, program, request, valkey
from tests.bench.stories import stories

RATE, ENDPOINTS, SECONDS, TURNS, PATIENCE = 50, 20, 3.0, 5, 1.0
HANGING = "127.0.0.10"
HOSTS = [f"127.0.0.{n}" for n in range(1, ENDPOINTS + 1)]
TOKEN = "nw_bench"
ENVIRONMENT = {
    "NEWSWIRE_OPERATOR_TOKEN": TOKEN,
    "NEWSWIRE_SSRF_ALLOW": "127.0.0.0/8",
    "NEWSWIRE_SECRET_KEY": "a-key-of-this-bench-of-more-than-32-characters",
}
_URI = re.compile(rb'"uri":\s*"urn:bench:(\w+)"')


@dataclass
class Receivers:
    """The endpoints: when what came where."""

    hangs: bool = False
    came: dict[tuple[str, str], float] = field(default_factory=dict)
    port: int = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        first = await loop.create_server(lambda: Endpoint(self), HOSTS[0], 0)
        self.port = first.sockets[0].getsockname()[1]
        await loop.create_server(lambda: Endpoint(self), HOSTS[1:], self.port)


class Endpoint(asyncio.Protocol):
    """One connection: answers 204 to each request that has come whole."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._host = transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            size = end + 4 + int(self._data[:end].lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._data) < size:
                return
            body, self._data = self._data[end + 4 : size], self._data[size:]
            if self._receivers.hangs and self._host == HANGING:
                return
            if found := _URI.search(body):
                self._receivers.came.setdefault((found[1].decode(), self._host), time.perf_counter())
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # type: ignore[attr-defined]


async def main_loop() -> None:
    receivers = Receivers()
    await receivers.start()
    rows: dict[bool, list[Row]] = {False: [], True: []}
    async with httpx.AsyncClient(timeout=15) as client:
        for receivers.hangs in (False, True):
            alone = [await _measure(receivers, _Straight(client, receivers))]
            rows[receivers.hangs].append(_row("httpx loop, nothing kept", alone))
    for name, run in (("newswire up", _in_one_process), ("newswire run, three services", _as_compose_does)):
        async with run() as (takes_articles, has_webhooks):
            receivers.hangs = False
            await _register(has_webhooks, receivers.port)
            ours = _Newswire(takes_articles)
            await _measure(receivers, ours, seconds=0.5)
            turns: dict[bool, list[_Waits]] = {False: [], True: []}
            for receivers.hangs in (False,) * TURNS + (True,) * TURNS:
                turns[receivers.hangs].append(await _measure(receivers, ours))
        for hangs, each in turns.items():
            rows[hangs].append(_row(name, each))
    for hangs, those in rows.items():
        how = "one of them hangs" if hangs else "all answer"
        show(f"Submitted to received, p50: {RATE} articles/s to {ENDPOINTS} endpoints, {how}", those, unit="delivery")


@contextlib.asynccontextmanager
async def _in_one_process() -> AsyncIterator[tuple[int, int]]:
    """Yield the port that takes articles, and the one that has the webhooks."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        arguments = ("up", "--no-demo", "--port", str(port), "--data-dir", str(Path(folder) / "var"))
        async with program(NEWSWIRE, *arguments, port=port, **ENVIRONMENT):
            yield port, port


@contextlib.asynccontextmanager
async def _as_compose_does() -> AsyncIterator[tuple[int, int]]:
    """Yield the same two ports."""
    async with valkey() as url, contextlib.AsyncExitStack() as stack:
        ports = {}
        for service in ("ingest", "enrichment", "publisher"):
            ports[service] = free_port()
            arguments = ("run", service, "--port", str(ports[service]))
            environment = {"NEWSWIRE_BROKER_URL": url, **ENVIRONMENT}
            await stack.enter_async_context(program(NEWSWIRE, *arguments, port=ports[service], **environment))
        yield ports["ingest"], ports["publisher"]


class _Straight:
    """The baseline: a queue, and one loop that posts."""

    def __init__(self, client: httpx.AsyncClient, receivers: Receivers) -> None:
        self._client = client
        self._port = receivers.port
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self) -> None:
        while True:
            body = await self._queue.get()
            for host in HOSTS:
                with contextlib.suppress(httpx.HTTPError):
                    await self._client.post(f"http://{host}:{self._port}/hook", content=body)

    async def submit(self, body: bytes) -> None:
        await self._queue.put(body)


class _Newswire:
    """A kept connection to the service."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def submit(self, body: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        headers = (f"Authorization: Bearer {TOKEN}", "Connection: close")
        writer.write(request(self._port, "/v1/articles", body, headers))
        answer = await reader.read()
        writer.close()
        if not answer.startswith(b"HTTP/1.1 202"):
            raise RuntimeError(answer.decode())


async def _register(port: int, endpoints: int) -> None:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        for host in HOSTS:
            answer = await client.post(
                f"http://127.0.0.1:{port}/v1/webhooks", json={"url": f"http://{host}:{endpoints}/hook"}
            )
            answer.raise_for_status()


@dataclass(frozen=True)
class _Waits:
    """How long deliveries took in one turn, in seconds, and the share of them that came."""

    p50: float
    p99: float
    share: float


def _row(name: str, turns: list[_Waits]) -> Row:
    p99 = statistics.median(each.p99 for each in turns) * 1e3
    worst = max(each.p99 for each in turns) * 1e3
    notes = f"p99 {p99:,.1f} ms (at worst {worst:,.1f}), {min(each.share for each in turns):.0%} came"
    return Row(name, statistics.median(each.p50 for each in turns) * 1e6, 0.0, notes)


_runs = itertools.count()


async def _measure(receivers: Receivers, way: _Straight | _Newswire, seconds: float = SECONDS) -> _Waits:
    run = f"r{next(_runs)}"
    receivers.came.clear()
    sent: dict[str, float] = {}
    drafts = [story.headline + "\n" + story.body_text for story in stories(20)]
    sending: list[asyncio.Task[None]] = []
    running = asyncio.create_task(way.run())
    began = time.perf_counter()
    for number in range(int(RATE * seconds)):
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
        text = drafts[number % len(drafts)]
        draft = Draft(uri=f"urn:bench:{run}x{number}", language="en", headline=text[:60], body_text=text)
        body = json.dumps(json.loads(draft.model_dump_json(exclude_unset=True))).encode()
        sent[f"{run}x{number}"] = time.perf_counter()
        sending.append(asyncio.create_task(way.submit(body)))
    await asyncio.gather(*sending)
    hosts = [host for host in HOSTS if not (receivers.hangs and host == HANGING)]
    end = time.perf_counter() + PATIENCE
    while len(receivers.came) < len(sent) * len(hosts) and time.perf_counter() < end:
        await asyncio.sleep(0.01)
    running.cancel()
    now = time.perf_counter()
    ages = sorted(receivers.came.get((uri, host), now) - at for uri, at in sent.items() for host in hosts)
    share = len(receivers.came) / len(ages)
    return _Waits(ages[len(ages) // 2], ages[len(ages) * 99 // 100], share)


def main() -> None:
    """Print the latencies; a run's CPU is spread over processes and not shown."""
    uvloop.run(main_loop())
