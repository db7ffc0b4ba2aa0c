"""From a feed's change to its WebSub subscribers: 100 callbacks on real sockets, beside a plain loop.

Ours is `newswire up --no-demo` with everything on it: accept, enrich, put into the feed, render the
document, sign it for each subscriber, send it, keep what came of it; all of it durable. The time runs
from the submission, and from the publishing: when the enriched story lay in the publisher's stream. What
is sent is the whole document once, then what has changed. The baseline has the document already, and sends
all of it with the same signatures to the same callbacks with httpx, one after the other, keeping nothing. The
callbacks are addresses of another process (127.0.0.1 to .100) that answer 204.
"""

import asyncio
import hmac
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import uvloop

from tests.bench.processes import NEWSWIRE, free_port, program, request
from tests.bench.stories import stories

CALLBACKS, ROUNDS, ENTRIES = 100, 15, 50
HOSTS = [f"127.0.0.{n}" for n in range(1, CALLBACKS + 1)]
TOKEN = "nw_bench"
SECRET = "a-secret-of-the-bench"


class Callback(asyncio.Protocol):
    """One connection: confirms what it is asked; prints when a delivery has come whole, and answers 204."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._head = b""
        self._body = 0

    def data_received(self, data: bytes) -> None:
        if not self._body:
            head, end, rest = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._head, self._body, data = head, int(length or 0), rest
        self._body -= len(data)
        if not self._body:
            head, self._head = self._head, b""
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        if head.startswith(b"GET"):
            query = dict(parse_qsl(urlsplit(head.split(b" ")[1].decode()).query))
            challenge = query["hub.challenge"].encode()
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(challenge), challenge)
        else:
            print(time.time_ns(), flush=True)
            answer = b"HTTP/1.1 204 No Content\r\n\r\n"
        self._transport.write(answer)  # type: ignore[attr-defined]


async def callbacks() -> None:
    loop = asyncio.get_running_loop()
    first = await loop.create_server(Callback, HOSTS[0], 0)
    port = first.sockets[0].getsockname()[1]
    await loop.create_server(Callback, HOSTS[1:], port)
    print(port, flush=True)
    await asyncio.Event().wait()


class Arrivals:
    """The moments that the callbacks print, in ns since the epoch."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def next(self, count: int) -> list[int]:
        async with asyncio.timeout(30):
            return [int(await self._reader.readline()) for _ in range(count)]


async def ours(arrivals: Arrivals, port: int, callback_port: int) -> tuple[list[float], list[float], bytes]:
    """Return the ms of each delivery since its submission, those since its publishing, and the last document."""
    base = f"http://127.0.0.1:{port}"
    items = _articles()
    async with httpx.AsyncClient(base_url=base, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as http:
        for _ in range(ENTRIES):
            (await http.post("/v1/articles", content=next(items))).raise_for_status()
        while (await http.get("/feeds/all.rss")).text.count("<item>") < ENTRIES:
            await asyncio.sleep(0.05)
        for host in HOSTS:
            fields = {"hub.mode": "subscribe", "hub.topic": f"{base}/feeds/all.rss", "hub.secret": SECRET}
            fields |= {"hub.callback": f"http://{host}:{callback_port}/cb"}
            (await http.post("/hub", data=fields)).raise_for_status()
        while len((await http.get("/v1/hub/subscriptions?limit=500")).json()["items"]) < CALLBACKS:
            await asyncio.sleep(0.05)
        took: list[float] = []
        out: list[float] = []
        for number in range(ROUNDS + 2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            message = request(
                port, "/v1/articles", next(items), [f"Authorization: Bearer {TOKEN}", "Connection: close"]
            )
            began = time.time_ns()
            writer.write(message)
            came = await arrivals.next(CALLBACKS)
            await reader.read()
            writer.close()
            if number >= 2:  # the first ones warm up
                took += [(at - began) / 1e6 for at in came]
                (newest,) = (await http.get("/v1/articles?limit=1")).json()["items"]
                published = datetime.fromisoformat(newest["published"]).timestamp() * 1e3
                out += [at / 1e6 - published for at in came]
            await asyncio.sleep(0.05)
        return took, out, (await http.get("/feeds/all.rss")).content


async def naive(arrivals: Arrivals, callback_port: int, document: bytes) -> list[float]:
    took: list[float] = []
    async with httpx.AsyncClient(timeout=30) as http:
        for number in range(ROUNDS // 3 + 1):
            began = time.time_ns()
            for host in HOSTS:
                digest = hmac.digest(SECRET.encode(), document, "sha256").hex()
                headers = {"Content-Type": "application/rss+xml", "X-Hub-Signature": f"sha256={digest}"}
                await http.post(f"http://{host}:{callback_port}/cb", content=document, headers=headers)
            came = await arrivals.next(CALLBACKS)
            if number:
                took += [(at - began) / 1e6 for at in came]
    return took


def _articles() -> Iterator[bytes]:
    number = 0
    while True:
        for draft in stories(500):
            number += 1
            yield json.dumps(draft.model_dump(mode="json", exclude_none=True) | {"uri": f"urn:bench:{number}"}).encode()


async def measure() -> None:
    sink = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bench_hub", "--callbacks"), stdout=asyncio.subprocess.PIPE
    )
    assert sink.stdout
    try:
        callback_port = int(await sink.stdout.readline())
        arrivals = Arrivals(sink.stdout)
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            arguments = ("up", "--no-demo", "--port", str(port), "--data-dir", str(Path(folder) / "var"))
            environment = {"NEWSWIRE_OPERATOR_TOKEN": TOKEN, "NEWSWIRE_SSRF_ALLOW": "127.0.0.0/8"}
            async with program(NEWSWIRE, *arguments, port=port, **environment):
                hub, out, document = await ours(arrivals, port, callback_port)
        loop = await naive(arrivals, callback_port, document)
    finally:
        sink.terminate()
        await sink.wait()
    print(f"\nOne change of a feed to {CALLBACKS} WebSub subscribers, {len(document) / 1000:.0f} kB")
    for name, figures in (
        ("httpx loop, from the document", loop),
        ("newswire, from the submission", hub),
        ("newswire, from the publishing", out),
    ):
        ordered = sorted(figures)
        print(f"  {name:31} p50 {_at(ordered, 0.5):7.1f} ms   p99 {_at(ordered, 0.99):7.1f} ms   ", end="")
        print(f"{_at(sorted(loop), 0.99) / _at(ordered, 0.99):5.1f} x faster at p99")


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    """Print both ways' figures and their ratio."""
    uvloop.run(callbacks() if "--callbacks" in sys.argv else measure())


if __name__ == "__main__":
    main()
