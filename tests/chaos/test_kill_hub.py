"""The publisher is killed with -9 while its hub asks and delivers: each subscriber ends with the last state."""

from contextlib import AsyncExitStack
from typing import Any

import httpx
from aiohttp import web
from support.processes import Process
from support.servers import KillableServer
from support.subscriber import Asked, Sent, Subscriber, ask, subscribing
from support.wire import Wire, story, until

SUBSCRIBERS, KILLS = 24, 3


async def test_each_subscriber_that_was_accepted_ends_with_the_last_state(
    server: KillableServer, processes: list[Process]
) -> None:
    ingest, _, publisher = processes
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=5))
        subscriber = await stack.enter_async_context(subscribing())
        for process in processes:
            await process.ready(http)
        wire = Wire(publisher.url, server.url)
        stack.push_async_callback(wire.close)
        desk = Wire(ingest.url, server.url)
        stack.push_async_callback(desk.close)
        topic = f"{publisher.url}/feeds/all.rss"
        names = [f"cb{number}" for number in range(SUBSCRIBERS)]

        # Killed while callbacks are asked: what was answered 202 is asked again.
        first = await _accepted(wire, subscriber, names, topic)
        await publisher.kill()
        subscriber.let_go.set()
        await publisher.start()
        await publisher.ready(http)
        assert first == 202

        async def confirmed() -> bool:
            items = (await wire.http.get("/v1/hub/subscriptions?limit=500")).json()["items"]
            return len(items) == SUBSCRIBERS

        await until(confirmed, 60, "every callback was asked again and confirmed")

        # Killed while it delivers, each time after some have got it and before all have.
        for kill in range(KILLS):
            before = len(subscriber.sent)
            _hold_back(subscriber, names, count=SUBSCRIBERS // 2)
            await desk.submit(story(f"urn:test:{kill}", headline=f"Story {kill}"))
            await until(lambda before=before: len(subscriber.sent) > before + 3, 60, "some were sent the story")
            await publisher.kill()
            subscriber.let_go.set()
            await publisher.start()
            await publisher.ready(http)
        final = (await wire.feed()).content
        assert final.count(b"<item>") == KILLS
        for name in names:
            await until(
                lambda name=name: [sent.body for sent in subscriber.at(name)[-1:]] == [final],
                60,
                f"{name} has the last state",
            )


async def _accepted(wire: Wire, subscriber: Subscriber, names: list[str], topic: str) -> int:
    """Ask for all, and return once some callbacks are being asked; they answer only after `let_go`."""

    async def reply(asked: Asked) -> web.Response:
        await subscriber.let_go.wait()
        return web.Response(text=asked.query["hub.challenge"])

    codes = set()
    for name in names:
        subscriber.replies[name] = reply
        codes.add((await ask(wire, "subscribe", topic, f"{subscriber.url}/{name}")).status_code)
    await until(lambda: len(subscriber.asked) > 3, what="some callbacks are asked")
    (code,) = codes
    return int(code)


def _hold_back(subscriber: Subscriber, names: list[str], count: int) -> None:
    """Let some callbacks leave their deliveries without an answer until `let_go` is set again."""
    subscriber.let_go.clear()

    async def hold(_: Sent) -> Any:
        await subscriber.let_go.wait()
        return web.Response(status=204)

    for name in names[:count]:
        subscriber.answers[name] = hold
