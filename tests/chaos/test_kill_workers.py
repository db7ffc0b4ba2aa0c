"""Workers and the server are killed with -9 while articles flow: each accepted article comes out once."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from support.servers import KillableServer
from support.waiting import until

from newswire_ingest.app import build as build_ingest
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_runtime.dead import DeadLetters
from newswire_runtime.groups import ensure_group
from newswire_runtime.http import build_app
from newswire_runtime.settings import Settings
from newswire_schemas.article import key_of
from newswire_schemas.events import ArticleEnriched, ArticleReceived
from newswire_schemas.streams import ENRICHMENT, WireKeys, partition_of

TOKEN = "an-operator-token"
WORKER = """
import asyncio
from newswire_enrichment.app import build
from newswire_runtime.logs import configure
from newswire_runtime.server import listen, serve
from newswire_runtime.settings import Settings

settings = Settings(port=0)
configure("ERROR")
asyncio.run(serve([build(settings)], listen("127.0.0.1", 0), stop_timeout=5))
"""


class Worker:
    """An enrichment process of its own, to be killed and started again."""

    def __init__(self, url: str, partitions: int) -> None:
        self._env = {
            **os.environ,
            "NEWSWIRE_BROKER_URL": url,
            "NEWSWIRE_PARTITIONS": str(partitions),
            "NEWSWIRE_CLAIM_IDLE": "0.5",
            "NEWSWIRE_MAX_DELIVERIES": "50",
            "NEWSWIRE_BATCH": "20",
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, env=self._env)

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        try:
            await asyncio.wait_for(self._process.wait(), 20)
        except TimeoutError:
            self._process.kill()
            raise AssertionError(f"the worker did not end on {how.name}") from None


@asynccontextmanager
async def ingest(url: str, partitions: int = 1) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings.model_validate({"broker_url": url, "partitions": partitions, "operator_token": TOKEN})
    service = build_ingest(settings)
    await service.start()
    transport = httpx.ASGITransport(build_app([service]), raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://ingest", headers=headers) as http:
            yield http
    finally:
        await service.stop()


def article(number: int) -> dict[str, object]:
    text = f"MOSCOW, February 7 (BelTA) - Story number {number} has a text of its own to be read."
    return {"uri": f"urn:test:{number}", "version": 1, "headline": f"Story {number}", "body_text": text}


async def enriched(client: Client, partitions: int) -> Counter[tuple[str, int]]:
    found: Counter[tuple[str, int]] = Counter()
    for partition in range(partitions):
        for _, fields in await client.xrange(WireKeys(partition).enriched):
            event = ArticleEnriched.model_validate_json(fields[b"event"])
            assert partition_of(event.article.key, partitions) == partition
            found[event.article.uri, event.article.version] += 1
    return found


@pytest.mark.parametrize(("partitions", "workers", "kills"), [(1, 1, 8), (2, 2, 5)])
async def test_of_killed_workers_each_article_comes_out_once(
    redis_url: str, partitions: int, workers: int, kills: int
) -> None:
    chance = random.Random(partitions)
    crew = [Worker(redis_url, partitions) for _ in range(workers)]
    total = 1_000
    async with make_client(redis_url) as client, ingest(redis_url, partitions) as http:

        async def done() -> int:
            return sum([await client.xlen(WireKeys(partition).enriched) for partition in range(partitions)])

        async def submit_up_to(first: int, last: int) -> None:
            posts = [http.post("/v1/articles", json=[article(n) for n in range(first, last)][i::5]) for i in range(5)]
            assert [answer.status_code for answer in await asyncio.gather(*posts)] == [202] * 5

        try:
            for worker in crew:
                await worker.start()
            share = total // kills
            for turn in range(kills):
                before = await done()
                await submit_up_to(turn * share, (turn + 1) * share)
                # Kill in the middle of the work: after some articles of this turn, before the last of them.
                target = before + chance.randrange(1, share // 3)
                await until(lambda target=target: _reached(done, target), f"{target} articles out")
                victim = chance.choice(crew)
                await victim.kill()
                await victim.start()
            await until(lambda: _reached(done, total), "all articles out", 30)
            await until(lambda: _nothing_pending(client, partitions), "nothing pending", 30)
        finally:
            for worker in crew:
                await worker.kill(signal.SIGTERM)
        assert await enriched(client, partitions) == {(f"urn:test:{number}", 1): 1 for number in range(total)}
        assert await DeadLetters(client, partitions).count() == 0


async def _reached(count: Callable[[], Awaitable[int]], target: int) -> bool:
    return await count() >= target


async def _nothing_pending(client: Client, partitions: int) -> bool:
    for partition in range(partitions):
        for group in await client.xinfo_groups(WireKeys(partition).received):
            if group["pending"] or group["lag"]:
                return False
    return True


async def test_every_article_that_was_accepted_outlives_the_server(server: KillableServer) -> None:
    accepted: set[str] = set()
    refused: Counter[int] = Counter()
    stop = asyncio.Event()
    async with ingest(server.url) as http:

        async def source(name: int) -> None:
            number = 0
            while not stop.is_set():
                number += 1
                uri = f"urn:test:{name}:{number}"
                answer = await http.post("/v1/articles", json={**article(number), "uri": uri})
                if answer.status_code == 202:
                    accepted.add(uri)
                else:
                    assert answer.status_code == 503, answer.text
                    assert answer.headers["content-type"] == "application/problem+json"
                    refused[answer.status_code] += 1
                    await asyncio.sleep(0.01)

        async def more(than: int) -> bool:
            return len(accepted) > than

        sources = [asyncio.create_task(source(name)) for name in range(8)]
        try:
            for _ in range(4):
                before = len(accepted) + 50
                await until(lambda before=before: more(before), "submissions to be accepted")
                await server.kill()
                seen = refused.total()
                await until(lambda seen=seen: _more_refused(refused, seen), "a refusal while the server is away")
                await server.restart()
            before = len(accepted) + 50
            await until(lambda: more(before), "submissions to be accepted again")
        finally:
            stop.set()
            await asyncio.gather(*sources)
        await server.kill()
        await server.restart()
        async with make_client(server.url) as client:
            entries = await client.xrange(WireKeys(0).received)
            came = Counter(ArticleReceived.model_validate_json(fields[b"event"]).article.uri for _, fields in entries)
            assert accepted <= came.keys()
            assert set(came.values()) == {1}
            for uri in accepted:
                assert await client.exists(WireKeys(0).desk(key_of(uri)))
    assert refused.total() > 0


async def _more_refused(refused: Counter[int], than: int) -> bool:
    return refused.total() > than


async def test_a_worker_finds_its_way_back_to_a_server_that_was_killed(server: KillableServer) -> None:
    worker = Worker(server.url, 1)
    async with make_client(server.url) as client:
        await ensure_group(client, WireKeys(0).received, ENRICHMENT)
    await worker.start()
    try:
        async with ingest(server.url) as http:
            for turn in range(2):
                batch = [article(number) for number in range(turn * 50, turn * 50 + 50)]
                assert (await http.post("/v1/articles", json=batch)).status_code == 202
                await server.restart()
        async with make_client(server.url) as client:

            async def out() -> bool:
                return len(await enriched(client, 1)) == 100

            await until(out, "all articles out", 30)
            assert set((await enriched(client, 1)).values()) == {1}
    finally:
        await worker.kill(signal.SIGTERM)
