"""The services are killed again and again while articles come in; what was acknowledged comes out once.

Three processes and a server that lives, as compose runs them; each kill is SIGKILL.
"""

import asyncio
import random
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
from support.processes import Process
from support.servers import KillableServer
from support.wire import OPERATOR, Hook, Receiver, Wire, receiving, until

ARTICLES, KILLS = 300, 6
ADMIN = {"Authorization": f"Bearer {OPERATOR}"}


class Desk:
    """Submits until it is acknowledged, and remembers what was."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http = http
        self._url = url
        self.versions: dict[str, int] = {}
        self.killed: set[str] = set()

    async def send(self, number: int) -> None:
        uri = f"urn:newsml:test.example:{number}"
        for version in (1, 2) if number % 3 == 0 else (1,):
            await self._until_acknowledged({"uri": uri, "version": version, "headline": f"{number} v{version}"})
        if number % 10 == 0:
            await self._until_acknowledged({"uri": uri, "version": 3, "pub_status": "canceled"})
            self.killed.add(uri)

    async def _until_acknowledged(self, body: dict[str, Any]) -> None:
        async def acknowledged() -> bool:
            with suppress(httpx.TransportError):
                answer = await self._http.post(f"{self._url}/v1/articles", json=body, headers=ADMIN)
                # After a lost answer the same version again is `unchanged`: it was accepted.
                return answer.status_code in (200, 202)
            return False

        await until(acknowledged, 40, f"{body} was acknowledged")
        self.versions[body["uri"]] = body["version"]


async def listed(wire: Wire) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await wire.http.get("/v1/articles", params={"limit": "200", **cursor})).json()
        found += [(item["uri"], item["version"]) for item in page["items"]]
        if "cursor" not in page:
            return found
        cursor = {"cursor": page["cursor"]}


async def test_what_was_acknowledged_comes_out_once_in_its_newest_version(
    server: KillableServer, processes: list[Process]
) -> None:
    chance = random.Random(7)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=5))
        receiver: Receiver = await stack.enter_async_context(receiving())
        for process in processes:
            await process.ready(http)
        wire = Wire(processes[2].url, server.url)
        stack.push_async_callback(wire.close)
        assert (await wire.http.put("/v1/feeds/wide", json={"title": "Wide", "limit": 500})).status_code == 201
        hook: Hook = await wire.hook(url=receiver.script("hook"))
        desk = Desk(http, processes[0].url)

        async def submit() -> None:
            for first in range(0, ARTICLES, 10):
                await asyncio.gather(*[desk.send(number) for number in range(first, first + 10)])

        submitting = asyncio.create_task(submit())
        for turn in range(KILLS):
            goal = min(ARTICLES, (turn + 1) * ARTICLES // (KILLS + 1))
            await until(lambda goal=goal: len(desk.versions) >= goal or submitting.done(), 60)
            process = processes[chance.randrange(3)] if turn > 2 else processes[turn]
            await process.kill()
            await process.start()
        await submitting
        for process in processes:
            await process.ready(http)
        shown = {(uri, version) for uri, version in desk.versions.items() if uri not in desk.killed}

        async def complete() -> bool:
            return {
                (entry["uri"], entry["version"]) for entry in await hook.log() if entry["uri"] not in desk.killed
            } >= shown

        assert len(desk.versions) == ARTICLES
        await until(complete, 30, "every article is in the log")
        await wire.settled()

        articles = await listed(wire)
        assert len(articles) == len(set(articles))
        assert set(articles) == shown
        guids = await wire.guids("wide")
        assert len(guids) == len(set(guids))
        assert set(guids) == {uri for uri, _ in shown}
        entries = await hook.log()
        assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1))
        assert len({(entry["uri"], entry["version"]) for entry in entries}) == len(entries)
        newest = {entry["uri"]: entry["type"] for entry in entries}
        assert all(newest.get(uri, "article.killed") == "article.killed" for uri in desk.killed)
        assert not (await wire.http.get("/v1/status")).json()["dead_letters"]
