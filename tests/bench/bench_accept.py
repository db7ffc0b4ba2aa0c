"""Durable accepts a second over real HTTP: `newswire run ingest` beside a plain FastAPI route.

The plain route is what a first version would be: pydantic reads the body, one XADD is awaited,
202. It knows no token, no version, no repeat; it appends whatever comes. Both run in a process
of their own under uvicorn with uvloop and httptools, without an access log, on the same Valkey
with appendfsync always. The client and Valkey share what the server leaves of the machine.
"""

import sys
import time
from collections.abc import Sequence

import uvicorn
import uvloop
from fastapi import FastAPI

from newswire_runtime.broker import make_client
from newswire_schemas.article import Draft
from tests.bench.harness import Row, show
from tests.bench.processes import NEWSWIRE, cpu_seconds, free_port, post_all, program, request, valkey
from tests.bench.stories import stories

TOKEN = "nw_bench"
COUNTS = {1: 150, 16: 1_000, 64: 2_000}
"""Requests by concurrent connections."""
_FIELDS = ("version", "language", "headline", "byline", "summary", "body_text", "section", "source", "urgency")


async def main_loop() -> None:
    async with valkey() as url:
        plain, ours = free_port(), free_port()
        serving = program(sys.executable, "-m", "tests.bench.bench_accept", str(plain), url, port=plain)
        running = program(
            NEWSWIRE,
            *("run", "ingest", "--port", str(ours)),
            port=ours,
            NEWSWIRE_BROKER_URL=url,
            NEWSWIRE_OPERATOR_TOKEN=TOKEN,
        )
        async with serving as plain_server, running as our_server:
            for connections, count in COUNTS.items():
                rows = [
                    await _measure("FastAPI and one XADD", plain, plain_server.pid, connections, count),
                    await _measure("newswire run ingest", ours, our_server.pid, connections, count),
                ]
                show(f"Durable accepts at {connections} connections", rows, unit="accept")


async def _measure(name: str, port: int, pid: int, connections: int, count: int) -> Row:
    await post_all(port, _requests(port, f"warm-{connections}", 20), 4)
    wanted = _requests(port, f"{connections}", count)
    cpu, wall = cpu_seconds(pid), time.perf_counter()
    took = sorted(await post_all(port, wanted, connections))
    wall, cpu = time.perf_counter() - wall, cpu_seconds(pid) - cpu
    notes = f"{count / wall:6,.0f}/s  p50 {took[count // 2] * 1e3:.1f} ms  p99 {took[count * 99 // 100] * 1e3:.1f} ms"
    return Row(name, wall / count * 1e6, cpu / count * 1e6, notes)


def _requests(port: int, run: str, count: int) -> Sequence[bytes]:
    drafts = [Draft.model_validate({name: getattr(story, name) for name in _FIELDS}) for story in stories(50)]
    headers = (f"Authorization: Bearer {TOKEN}",)
    return [
        request(
            port,
            "/v1/articles",
            drafts[n % 50]
            .model_copy(update={"uri": f"urn:bench:{run}:{n}"})
            .model_dump_json(exclude_unset=True)
            .encode(),
            headers,
        )
        for n in range(count)
    ]


def plain(port: int, url: str) -> None:
    """Serve the plain route."""
    app, client = FastAPI(), make_client(url)

    @app.get("/readyz")
    async def readyz() -> None: ...

    @app.post("/v1/articles", status_code=202)
    async def submit(draft: Draft) -> dict[str, str]:
        entry = await client.xadd("plain", {"event": draft.model_dump_json()})
        return {"id": entry.decode()}

    uvicorn.run(app, port=port, access_log=False, log_config=None, server_header=False, ws="none")


def main() -> None:
    """Print what one accept costs each way. CPU is the server process's."""
    uvloop.run(main_loop())


if __name__ == "__main__":
    plain(int(sys.argv[1]), sys.argv[2])
