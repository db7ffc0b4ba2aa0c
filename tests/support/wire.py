"""The whole wire in this process, on a real server and a real port; and receivers for its pushes."""

import asyncio
import contextlib
import inspect
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import feedparser
import httpx
from aiohttp import web

from newswire_enrichment.app import build as build_enrichment
from newswire_ingest.app import build as build_ingest
from newswire_publisher.app import build as build_publisher
from newswire_runtime.broker import make_client
from newswire_runtime.server import listen, serve
from newswire_runtime.service import Service
from newswire_runtime.settings import Settings
from newswire_schemas.article import key_of
from newswire_schemas.streams import WireKeys

OPERATOR = "nw_operator_of_the_tests_0123456789"
SECRET_KEY = "a key that encrypts secrets in tests".replace(" ", "-")
URI = "urn:newsml:test.example:1"
Builder = Callable[[Settings], Service]
EVERYTHING: tuple[Builder, ...] = (build_ingest, build_enrichment, build_publisher)


async def until(
    condition: Callable[[], Any | Awaitable[Any]], seconds: float = 8, what: str = "the condition came true"
) -> Any:
    """Wait until the condition holds and return what it said; fail after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        said = condition()
        if inspect.isawaitable(said):
            said = await said
        if said:
            return said
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.01)


def story(uri: str = URI, **fields: Any) -> dict[str, Any]:
    """Return a submission in our JSON."""
    return {"uri": uri, "headline": "Ferry returns", "body_text": "The ferry is back.", "language": "en"} | fields


def settings_for(broker_url: str, **given: Any) -> Settings:
    return Settings(
        **{
            "broker_url": broker_url,
            "operator_token": OPERATOR,
            "secret_key": SECRET_KEY,
            "ssrf_allow": "127.0.0.1/32",
            "claim_idle": 0.3,
            "stop_timeout": 3,
            "port": 0,
            "poll_limit": 0,  # a test that waits polls as no reader would
            **given,
        }
    )


class Wire:
    """A running wire as its users see it, with the operator's token."""

    def __init__(self, url: str, broker_url: str, partitions: int = 1) -> None:
        self.url = url
        self.broker: Any = make_client(broker_url)
        self.keys = [WireKeys(partition) for partition in range(partitions)]
        self.http = httpx.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {OPERATOR}"}, trust_env=False, timeout=10
        )
        self.anyone = httpx.AsyncClient(base_url=url, trust_env=False, timeout=10)

    async def close(self) -> None:
        await self.http.aclose()
        await self.anyone.aclose()
        await self.broker.aclose()

    async def submit(self, item: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Submit one article that must be accepted; return its answer."""
        answer = await self.http.post("/v1/articles", json=item, headers=headers)
        assert answer.status_code == 202, answer.text
        (result,) = answer.json()["items"]
        assert result["outcome"] == "accepted", result
        found: dict[str, Any] = result
        return found

    async def desk(self, word: str, uri: str = URI, note: str | None = None) -> None:
        body = {"ed_note": note} if note else None
        answer = await self.http.post(f"/v1/articles/{key_of(uri)}/{word}", json=body)
        assert answer.status_code == 202, answer.text

    async def article(self, uri: str = URI, accept: str = "application/json") -> httpx.Response:
        return await self.anyone.get(f"/v1/articles/{key_of(uri)}", headers={"accept": accept})

    async def listed(self) -> list[str]:
        answer = await self.anyone.get("/v1/articles", params={"limit": 200})
        assert answer.status_code == 200, answer.text
        return [item["uri"] for item in answer.json()["items"]]

    async def feed(self, name: str = "all", **headers: str) -> httpx.Response:
        answer = await self.anyone.get(f"/feeds/{name}.rss", headers=headers)
        assert answer.status_code in (200, 304), answer.text
        return answer

    async def entries(self, name: str = "all") -> list[Any]:
        """Return the feed's entries as feedparser reads them; the feed must be well-formed."""
        parsed = feedparser.parse((await self.feed(name)).content)
        assert not parsed.bozo, parsed.get("bozo_exception")
        found: list[Any] = parsed.entries
        return found

    async def guids(self, name: str = "all") -> list[str]:
        return [entry.id for entry in await self.entries(name)]

    async def out(self, uri: str = URI, version: int = 1) -> None:
        """Wait until readers see at least this version."""

        async def shown() -> bool:
            answer = await self.article(uri)
            return answer.status_code == 200 and answer.json()["version"] >= version

        await until(shown, what=f"{uri} version {version} came out")
        await self.settled()

    async def settled(self) -> None:
        """Wait until every stage has finished everything that is in its stream."""

        async def quiet() -> bool:
            for keys in self.keys:
                for stream in (keys.received, keys.enriched):
                    if not await self.broker.exists(stream):
                        continue
                    last = (await self.broker.xinfo_stream(stream))["last-generated-id"]
                    for group in await self.broker.xinfo_groups(stream):
                        if group["pending"] or group["last-delivered-id"] != last:
                            return False
            return True

        await until(quiet, what="the streams are worked off")

    async def hook(self, **registration: Any) -> "Hook":
        answer = await self.http.post("/v1/webhooks", json=registration)
        assert answer.status_code == 201, answer.text
        return Hook(self, answer.json()["id"], answer.json()["secret"])


@dataclass(frozen=True)
class Hook:
    """A registered webhook."""

    wire: Wire
    id: str
    secret: str

    async def call(self, method: str, path: str = "", **request: Any) -> Any:
        answer = await self.wire.http.request(method, f"/v1/webhooks/{self.id}{path}", **request)
        assert answer.status_code in (200, 204), answer.text
        return answer.json() if answer.content else None

    async def log(self, after: int = 0) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.call("GET", f"/events?after={after}&limit=500"))["items"]
        return items

    async def types(self) -> list[str]:
        return [entry["type"] for entry in await self.log()]

    async def logged(self, count: int) -> list[dict[str, Any]]:
        """Wait until the log has this many entries, and return it."""

        async def full() -> list[dict[str, Any]] | None:
            entries = await self.log()
            return entries if len(entries) >= count else None

        found: list[dict[str, Any]] = await until(full, what=f"{count} entries in the log")
        return found

    async def attempts(self) -> list[dict[str, Any]]:
        """Return the attempts, oldest first."""
        items: list[dict[str, Any]] = (await self.call("GET", "/attempts?limit=500"))["items"]
        return items[::-1]

    async def drained_to(self, *, waiting: int, seconds: float = 8) -> None:
        """Wait until so many pushes wait and nothing is on its way."""

        async def so_many() -> bool:
            shown = await self.call("GET")
            return shown["waiting"] == waiting and not shown["in_flight"]

        await until(so_many, seconds, f"{waiting} pushes wait and nothing is on its way")

    async def disabled(self) -> None:
        """Wait until it is disabled."""

        async def is_disabled() -> bool:
            return not (await self.call("GET"))["enabled"]

        await until(is_disabled, what="the webhook is disabled")

    async def drained(self, seconds: float = 8) -> None:
        async def empty() -> bool:
            shown = await self.call("GET")
            return not shown["waiting"] and not shown["in_flight"]

        await until(empty, seconds, "nothing waits and nothing is on its way")


@dataclass(frozen=True)
class Push:
    """One request that a receiver got."""

    path: str
    id: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def version(self) -> int:
        return int(self.message["data"]["version"])


Answer = Callable[[Push], Awaitable[web.Response]]


async def accept(_: Push) -> web.Response:
    return web.Response(status=204)


@dataclass
class Receiver:
    """An integrator's server whose answers the test decides, by path."""

    url: str = ""
    pushes: list[Push] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    busiest: int = 0

    def script(self, path: str, *statuses: int, **headers: str) -> str:
        """Answer with these statuses in turn, then 204; return the address."""
        left = list(statuses)

        async def answer(_: Push) -> web.Response:
            return web.Response(status=left.pop(0), headers=headers) if left else web.Response(status=204)

        self.answers[path] = answer
        return f"{self.url}/{path}"

    def hang(self, path: str, first: int = 1_000_000) -> str:
        """Leave the first requests without an answer until `let_go` is set; return the address."""
        left = [first]

        async def answer(_: Push) -> web.Response:
            left[0] -= 1
            if left[0] >= 0:
                await self.let_go.wait()
            return web.Response(status=204)

        self.answers[path] = answer
        return f"{self.url}/{path}"

    def at(self, path: str) -> list[Push]:
        return [push for push in self.pushes if push.path == path]

    async def got(self, path: str, count: int, seconds: float = 8) -> list[Push]:
        await until(lambda: len(self.at(path)) >= count, seconds, f"{count} pushes at {path}")
        return self.at(path)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        names = {name.lower(): value for name, value in request.headers.items()}
        push = Push(request.path.lstrip("/"), names["webhook-id"], names, body, time.monotonic())
        self.pushes.append(push)
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            return await self.answers.get(push.path, accept)(push)
        finally:
            self.busy -= 1


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    receiver.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        await runner.cleanup()


@contextlib.asynccontextmanager
async def running(broker_url: str, services: Sequence[Builder] = EVERYTHING, **given: Any) -> AsyncIterator[Wire]:
    """Run services on a free port until the block ends."""
    settings = settings_for(broker_url, **given)
    sock = listen("127.0.0.1", 0)
    ready, stop = asyncio.Event(), asyncio.Event()

    async def say_ready() -> None:
        ready.set()

    built = [build(settings) for build in services]
    serving = asyncio.create_task(serve(built, sock, stop_timeout=settings.stop_timeout, ready=say_ready, stop=stop))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=20)
    waiting.cancel()
    if serving.done():
        await serving
    if not ready.is_set():
        reasons = [reason for service in built for reason in await service.unready()]
        stop.set()
        await serving
        raise AssertionError(f"the wire did not become ready: {reasons}")
    wire = Wire(f"http://127.0.0.1:{sock.getsockname()[1]}", broker_url, settings.partitions)
    try:
        yield wire
    finally:
        await wire.close()
        stop.set()
        await serving
