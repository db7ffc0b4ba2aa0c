"""A WebSub subscriber as the Recommendation describes one, on a real port, whose behaviour the test decides."""

import asyncio
import contextlib
import hmac
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import feedparser
from aiohttp import web

from newswire_schemas.streams import HubKeys
from support.wire import Wire, until

LINK = re.compile(r'<([^>]*)>;\s*rel="([a-z]+)"')


@dataclass(frozen=True)
class Asked:
    """A GET of the hub: its whole query, as pairs."""

    path: str
    query: dict[str, str]
    pairs: list[tuple[str, str]]

    @property
    def mode(self) -> str:
        return self.query["hub.mode"]


@dataclass(frozen=True)
class Sent:
    """A POST of the hub."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def links(self) -> dict[str, str]:
        return {rel: address for address, rel in LINK.findall(self.headers["link"])}

    @property
    def titles(self) -> list[str]:
        return [entry.title for entry in feedparser.parse(self.body).entries]

    def signed_with(self, secret: str) -> bool:
        method, _, digest = self.headers["x-hub-signature"].partition("=")
        return hmac.compare_digest(digest, hmac.new(secret.encode(), self.body, method).hexdigest())


Answer = Callable[[Sent], Awaitable[web.Response]]
Reply = Callable[[Asked], Awaitable[web.Response]]


@dataclass
class Subscriber:
    """Confirms what it has ``wanted`` (path to mode and topic); answers 204 to deliveries unless told otherwise."""

    url: str = ""
    wanted: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    busiest: int = 0

    def wants(self, path: str, mode: str, topic: str) -> str:
        """Expect a question; return the callback's address."""
        self.wanted[path] = mode, topic
        return f"{self.url}/{path}"

    def script(self, path: str, *statuses: int, **headers: str) -> None:
        """Answer deliveries with these statuses in turn, then 204."""
        left = list(statuses)

        async def answer(_: Sent) -> web.Response:
            return web.Response(status=left.pop(0), headers=headers) if left else web.Response(status=204)

        self.answers[path] = answer

    def hang(self, path: str, first: int = 1_000_000) -> None:
        """Leave the first deliveries without an answer until `let_go` is set."""
        left = [first]

        async def answer(_: Sent) -> web.Response:
            left[0] -= 1
            if left[0] >= 0:
                await self.let_go.wait()
            return web.Response(status=204)

        self.answers[path] = answer

    def at(self, path: str) -> list[Sent]:
        return [each for each in self.sent if each.path == path]

    def questions(self, path: str, mode: str | None = None) -> list[Asked]:
        return [each for each in self.asked if each.path == path and mode in {None, each.mode}]

    async def got(self, path: str, count: int = 1, seconds: float = 8) -> list[Sent]:
        await until(lambda: len(self.at(path)) >= count, seconds, f"{count} deliveries at {path}")
        return self.at(path)

    async def heard(self, path: str, mode: str, count: int = 1, seconds: float = 8) -> list[Asked]:
        await until(lambda: len(self.questions(path, mode)) >= count, seconds, f"{count} x {mode} at {path}")
        return self.questions(path, mode)

    async def on_get(self, request: web.Request) -> web.Response:
        asked = Asked(request.path.lstrip("/"), dict(request.query), list(request.query.items()))
        self.asked.append(asked)
        if reply := self.replies.get(asked.path):
            return await reply(asked)
        if asked.mode == "denied":
            return web.Response(status=200)
        if self.wanted.get(asked.path) != (asked.mode, asked.query["hub.topic"]):
            return web.Response(status=404)
        return web.Response(text=asked.query["hub.challenge"])

    async def on_post(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        sent = Sent(request.path.lstrip("/"), headers, body, time.monotonic())
        self.sent.append(sent)
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            if answer := self.answers.get(sent.path):
                return await answer(sent)
            return web.Response(status=204)
        finally:
            self.busy -= 1


@contextlib.asynccontextmanager
async def subscribing(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber()
    app = web.Application(client_max_size=20_000_000)
    app.router.add_get("/{path:.*}", subscriber.on_get)
    app.router.add_post("/{path:.*}", subscriber.on_post)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    sock = socket.create_server((host, port))
    await web.SockSite(runner, sock).start()
    subscriber.url = f"http://{host}:{sock.getsockname()[1]}"
    try:
        yield subscriber
    finally:
        subscriber.let_go.set()
        await runner.cleanup()


async def ask(wire: Any, mode: str, topic: str, callback: str, **more: Any) -> Any:
    """Send a request to the hub; ``lease_seconds`` and ``secret`` go as hub parameters, ``headers`` as headers."""
    headers = more.pop("headers", {})
    data = {"hub.mode": mode, "hub.topic": topic, "hub.callback": callback}
    data |= {f"hub.{name}": str(value) for name, value in more.items()}
    return await wire.anyone.post("/hub", data=data, headers=headers)


async def subscribe(wire: Any, subscriber: Subscriber, path: str, topic: str, **more: Any) -> str:
    """Subscribe, and wait until the hub shows it as confirmed; return the subscription's id."""
    callback = subscriber.wants(path, "subscribe", topic)
    answer = await ask(wire, "subscribe", topic, callback, **more)
    assert answer.status_code == 202, answer.text

    async def listed() -> str | None:
        items = (await wire.http.get("/v1/hub/subscriptions?limit=500")).json()["items"]
        return next((item["id"] for item in items if item["callback"] == callback), None)

    found: str = await until(listed, what=f"{callback} is subscribed")
    return found


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


def topic(wire: Wire, name: str = "all", extension: str = "rss") -> str:
    return f"{wire.url}/feeds/{name}.{extension}"


async def listed(wire: Wire, **params: Any) -> list[dict[str, Any]]:
    answer = await wire.http.get("/v1/hub/subscriptions", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def outcome(wire: Wire, expected: str) -> dict[str, Any]:
    """Wait until the one subscription's last delivery came to this, and return it."""

    async def said() -> dict[str, Any] | None:
        (item,) = await listed(wire)
        return item if item.get("last", {}).get("outcome") == expected else None

    found: dict[str, Any] = await until(said, what=f"the last outcome is {expected}")
    return found


async def none_left(wire: Wire) -> None:
    async def empty() -> bool:
        return not await listed(wire)

    await until(empty, what="no subscription is left")


async def token(wire: Wire, name: str = "reader", role: str = "subscriber") -> dict[str, Any]:
    answer = await wire.http.post("/v1/tokens", json={"role": role, "name": name})
    found: dict[str, Any] = answer.json()
    return found


async def private_feed(wire: Wire, name: str = "inside") -> None:
    answer = await wire.http.put(f"/v1/feeds/{name}", json={"title": "Inside", "access": "token"})
    assert answer.status_code == 201, answer.text


async def nothing_pending(wire: Wire) -> None:
    async def none() -> bool:
        return not await wire.broker.hlen(HubKeys(0).pending)

    await until(none, what="no callback is still to be asked")
