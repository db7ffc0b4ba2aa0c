"""What one poll costs: `newswire run publisher` beside nginx that serves the same document as a static file.

Both run on one core, the load (wrk) on another. nginx has the file and its gzip form on disk, keeps
them open, and writes no log: the least that it can do. Each case is a poller that sends the same
request over 32 kept connections; turns alternate, and each figure is the median of its turns.
The feed holds 50 stories of 400 words. Needs nginx and wrk (Debian: nginx-light, wrk) and two cores.
"""

import asyncio
import os
import re
import shutil
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvloop

from tests.bench.harness import Row, show
from tests.bench.processes import NEWSWIRE, cpu_seconds, free_port, post_all, program, request, valkey
from tests.bench.stories import stories

TOKEN = "nw_bench"
ENTRIES, CONNECTIONS, SECONDS, TURNS = 50, 32, 2, 5
PATH = "/feeds/all.rss"
_FIELDS = ("version", "language", "headline", "byline", "summary", "body_html", "section", "source", "urgency")
_NGINX = """
daemon off; worker_processes 1; error_log stderr crit; pid {folder}/pid; user {user};
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=100 inactive=600s; open_file_cache_valid 600s; open_file_cache_min_uses 1;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  types {{ application/rss+xml rss; }} gzip_static on; gzip_vary on;
  server {{ listen 127.0.0.1:{port}; root {folder}; add_header Cache-Control "public, no-cache"; }}
}}
"""


@dataclass
class Poll:
    """One kind of poll of one server."""

    name: str
    port: int
    pid: int
    headers: Sequence[str]
    rates: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    async def turn(self) -> None:
        arguments = [
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{SECONDS}s",
            *[word for each in self.headers for word in ("-H", each)],
        ]
        cpu = cpu_seconds(self.pid)
        process = await asyncio.create_subprocess_exec(
            *("taskset", "-c", "1", "wrk", *arguments, f"http://127.0.0.1:{self.port}{PATH}"),
            stdout=asyncio.subprocess.PIPE,
        )
        said = (await process.communicate())[0].decode()
        if "Non-2xx" in said:
            raise RuntimeError(said)
        count = int(re.search(r"(\d+) requests in", said)[1])  # type: ignore[index]
        self.rates.append(float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]))  # type: ignore[index]
        self.cpus.append((cpu_seconds(self.pid) - cpu) / count)

    def row(self, baseline: "Poll") -> Row:
        rate, cpu = statistics.median(self.rates), statistics.median(self.cpus)
        ratio = rate / statistics.median(baseline.rates)
        return Row(self.name, 1e6 / rate, cpu * 1e6, f"{rate:9,.0f}/s  {ratio:.2f} of nginx's rate")


def missing() -> str | None:
    """Return what this machine lacks, None if it can run the bench."""
    lacking = [name for name in ("nginx", "wrk", "taskset") if shutil.which(name) is None]
    if lacking:
        return f"not run: {', '.join(lacking)} missing; on Debian: apt-get install nginx-light wrk util-linux"
    return None if len(os.sched_getaffinity(0)) > 1 else "not run: needs two cores, one for the load"


async def main_loop() -> None:
    async with valkey() as url:
        port, static = free_port(), free_port()
        running = program(
            "taskset",
            *("-c", "0", NEWSWIRE, "run", "publisher", "--port", str(port)),
            port=port,
            NEWSWIRE_BROKER_URL=url,
            NEWSWIRE_OPERATOR_TOKEN=TOKEN,
        )
        async with running as ours:
            await _fill(port, url)
            with tempfile.TemporaryDirectory() as name:
                await _compare(Path(name), port, ours.pid, static)


async def _fill(port: int, url: str) -> None:
    """Publish the stories through the wire."""
    ingest, enrichment = free_port(), free_port()
    common = {"NEWSWIRE_BROKER_URL": url, "NEWSWIRE_OPERATOR_TOKEN": TOKEN}
    first = program(NEWSWIRE, "run", "ingest", "--port", str(ingest), port=ingest, **common)
    second = program(NEWSWIRE, "run", "enrichment", "--port", str(enrichment), port=enrichment, **common)
    async with first, second:
        wanted = [
            request(
                ingest,
                "/v1/articles",
                story.model_copy(update={"uri": f"urn:bench:{n}"})
                .model_dump_json(include={"uri", *_FIELDS}, exclude_unset=True)
                .encode(),
                (f"Authorization: Bearer {TOKEN}",),
            )
            for n, story in enumerate(stories(ENTRIES))
        ]
        await post_all(ingest, wanted, 4)
        async with httpx.AsyncClient(trust_env=False) as client:
            while (await client.get(f"http://127.0.0.1:{port}{PATH}")).text.count("<item>") < ENTRIES:
                await asyncio.sleep(0.1)


async def _compare(folder: Path, port: int, pid: int, static: int) -> None:
    plain, small = await _documents(port)
    file = folder / PATH.removeprefix("/")
    file.parent.mkdir()
    file.write_bytes(plain.content)
    file.with_suffix(".rss.gz").write_bytes(small[1])
    folder.chmod(0o755)
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, port=static, user="root" if os.getuid() == 0 else "nobody"))
    nginx = await asyncio.create_subprocess_exec("taskset", "-c", "0", "nginx", "-c", str(configuration))
    try:
        worker = await _worker(nginx.pid)
        async with httpx.AsyncClient(trust_env=False) as client:
            told = await client.get(f"http://127.0.0.1:{static}{PATH}", headers={"Accept-Encoding": "gzip"})
        zipped = "Accept-Encoding: gzip"
        for title, baseline_headers, our_headers in (
            ("304", [zipped, f"If-None-Match: {told.headers['etag']}"], [zipped, f"If-None-Match: {small[0]}"]),
            ("gzip 200", [zipped], [zipped, 'If-None-Match: "earlier"']),
            ("200, not compressed", [], ['If-None-Match: "earlier"']),
        ):
            polls = [
                Poll("nginx, a static file", static, worker, baseline_headers),
                Poll("newswire", port, pid, our_headers),
            ]
            for turn in range(TURNS):
                for poll in polls if turn % 2 else reversed(polls):
                    await poll.turn()
            size = {"304": 0, "gzip 200": len(small[1])}.get(title, len(plain.content))
            show(f"{title}, {size:,} bytes", [poll.row(polls[0]) for poll in polls], unit="poll")
    finally:
        nginx.terminate()
        await nginx.wait()


async def _documents(port: int) -> tuple[httpx.Response, tuple[str, bytes]]:
    """Return the document, and the ETag and bytes of its small gzip, once there is one."""
    async with httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{port}") as client:
        plain = await client.get(PATH, headers={"Accept-Encoding": "identity"})
        while True:
            async with client.stream(
                "GET", PATH, headers={"Accept-Encoding": "gzip", "If-None-Match": '"x"'}
            ) as answer:
                body = b"".join([part async for part in answer.aiter_raw()])
            if answer.headers["etag"].endswith('-gzip6"'):
                return plain, (answer.headers["etag"], body)
            await asyncio.sleep(0.1)


async def _worker(master: int) -> int:
    """Return the process of nginx that serves."""
    children = Path(f"/proc/{master}/task/{master}/children")
    while not (found := children.read_text().split()):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    return int(found[0])


def main() -> None:
    """Print what a poll costs each way. CPU is the server process's."""
    reason = missing()
    if reason is not None:
        print(f"\nPolls beside nginx: {reason}")
        return
    uvloop.run(main_loop())
