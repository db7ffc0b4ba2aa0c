"""The disk of `newswire up` fills: what was accepted comes out once, what was not is refused in plain words.

``NEWSWIRE_CHAOS_DISK`` says how many MB the disk takes before it is full (2 by default).
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.accounts import discrepancies
from support.book import Faulty, faulty_receiver
from support.pushing import SHORT_LEASES, faulty_hook, idle, numbered, pages, submit
from support.small_disk import Disk, FileLimit, TmpfsDisk, children
from support.wire import OPERATOR, SECRET_KEY, Wire, until

TEXT = "The ferry is back. " * 1_000
REFUSALS = 8
RETRY = [1.0] * 40
KINDS = [
    pytest.param(FileLimit, id="a-file-limit"),
    pytest.param(TmpfsDisk, id="a-file-system", marks=pytest.mark.mount),
]


@dataclass
class Everything:
    """A `newswire up` on a small disk, and what it answered."""

    process: asyncio.subprocess.Process
    wire: Wire
    accepted: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    async def ready(self) -> None:
        async def answers() -> bool:
            assert self.process.returncode is None
            with suppress(httpx.TransportError):
                return (await self.wire.http.get("/readyz")).status_code == 200
            return False

        await until(answers, 90, "everything is ready")

    async def take(self, story: dict[str, Any]) -> httpx.Response:
        answer = await self.wire.http.post("/v1/articles", json=story)
        (self.accepted if answer.status_code == 202 else self.refused).append(story)
        return answer


@asynccontextmanager
async def everything(disk: Disk, folder: Path) -> AsyncIterator[Everything]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {
        "NEWSWIRE_OPERATOR_TOKEN": OPERATOR,
        "NEWSWIRE_SECRET_KEY": SECRET_KEY,
        "NEWSWIRE_SSRF_ALLOW": "127.0.0.1/32",
        "NEWSWIRE_CLAIM_IDLE": "0.5",
        "NEWSWIRE_MAX_DELIVERIES": "1000",
    }
    with (folder / "up.txt").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *disk.command("up", "--no-demo", "--port", str(port), "--data-dir", str(disk.data_dir)),
            env=os.environ | environment,
            stdout=said,
            stderr=said,
        )
    wire = Wire(f"http://127.0.0.1:{port}", "redis://127.0.0.1:1")  # only by HTTP, as everybody
    try:
        yield Everything(process, wire)
    finally:
        await wire.close()
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_accepted_before_the_disk_was_full_comes_out_once_and_what_was_refused_may_be_sent_again(
    tmp_path: Path, kind: type[FileLimit | TmpfsDisk]
) -> None:
    disk: Disk = kind(tmp_path, before=SHORT_LEASES)
    async with AsyncExitStack() as stack:
        receiver: Faulty = await stack.enter_async_context(faulty_receiver(tmp_path))
        it = await stack.enter_async_context(everything(disk, tmp_path))
        wire, pid = it.wire, it.process.pid
        await it.ready()
        assert (await wire.http.put("/v1/feeds/wide", json={"title": "Wide", "limit": 500})).status_code == 201
        hook = await faulty_hook(wire, receiver, "hook", plan={"chances": {"204": 0.7, "500": 0.3}}, retry=RETRY)

        disk.shrink(pid)
        answers: list[httpx.Response] = []
        servers: set[int] = set()
        watching = asyncio.create_task(_watch(pid, servers))
        stack.callback(watching.cancel)
        while len(it.refused) < REFUSALS:
            answers.append(await it.take(numbered(len(answers), body_text=TEXT)))
            if len(it.refused) == 2:
                disk.fill(pid)
        for answer in answers:
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 503:
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["type"] == "/problems/broker-unavailable"
                assert "disk" in answer.json()["detail"]
                assert answer.headers["retry-after"]
        assert answers[-1].status_code == 503
        assert len(it.accepted) > 3
        # The server ends rather than answer for what it could not write, and is started again and again.
        assert len(servers) > 2
        assert (await wire.http.get("/healthz")).status_code == 200

        disk.make_room(pid)
        await until(lambda: _out(wire, it.accepted), 60, "what was accepted is in the feed")
        await submit(wire, it.refused)
        everything_sent = {story["uri"] for story in (*it.accepted, *it.refused)}
        await until(lambda: _out(wire, [*it.accepted, *it.refused]), 60, "the rest is in the feed, too")
        await it.ready()
        await idle([hook], 60)
        guids = await wire.guids("wide")
        assert len(guids) == len(everything_sent)
        assert set(guids) == everything_sent
        events, attempts, seen = await pages(hook, "events"), await pages(hook, "attempts"), receiver.book.at("hook")
        assert sorted(event["uri"] for event in events) == sorted(everything_sent)
        assert not discrepancies(events, attempts, seen, RETRY, killed=True)
        assert {each.uri for each in seen if each.took} == everything_sent
        assert not (await wire.http.get("/v1/status")).json()["dead_letters"]

        it.process.send_signal(signal.SIGTERM)
        assert await it.process.wait() == 0


async def _watch(pid: int, servers: set[int]) -> None:
    """Note every server that lives, however short."""
    while True:
        servers.update(children(pid))
        await asyncio.sleep(0.01)


async def _out(wire: Wire, stories: list[dict[str, Any]]) -> bool:
    answer = await wire.anyone.get("/feeds/wide.rss")
    return answer.status_code == 200 and all(f">{story['uri']}<" in answer.text for story in stories)
