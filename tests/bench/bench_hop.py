"""One hop, stream to stream: our batch reader and hand-off, beside FastStream as its manual shows it.

    in ──read──▶ ArticleReceived ──write──▶ out        appendfsync always, the same messages, one process

Both parse the same pydantic event and publish it again. Ours commits with the acknowledgement
in one atomic step; FastStream's own way acknowledges after it has published, so that a crash
in between doubles the message. It gets a group made at 0, as else it would not see what waits.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import uvloop
from faststream.redis import RedisBroker, StreamSub

from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.client import Client
from newswire_runtime.groups import ensure_group
from newswire_runtime.handoff import Commit, Effect
from newswire_runtime.hop import Delivery, Hop
from newswire_runtime.settings import Settings
from newswire_schemas.article import Act
from newswire_schemas.events import ArticleReceived
from newswire_schemas.streams import WireKeys
from tests.bench.harness import Row, show
from tests.bench.processes import valkey
from tests.bench.stories import NOON, stories

OURS, THEIRS, ROUNDS = 2_000, 300, 3
Way = Callable[[str, Client], Awaitable[RedisBroker]]


async def main_loop() -> None:
    bodies = [
        ArticleReceived(trace_id="bench", act=Act.NEW, article=story, received_at=NOON).model_dump_json(
            exclude_defaults=True
        )
        for story in stories(200)
    ]
    figures: dict[str, list[tuple[float, float]]] = {"FastStream, one by one": [], "ours": []}
    async with valkey() as url:
        client = make_client(url)
        for _ in range(ROUNDS):
            figures["FastStream, one by one"].append(await _measure(_theirs, url, client, bodies, THEIRS))
            figures["ours"].append(await _measure(_ours, url, client, bodies, OURS))
        await client.aclose()
    show(
        "One hop of a 400-word article, appendfsync always",
        [Row(name, median(wall for wall, _ in each), median(cpu for _, cpu in each)) for name, each in figures.items()],
        unit="message",
    )


async def _measure(way: Way, url: str, client: Client, bodies: Sequence[str], count: int) -> tuple[float, float]:
    """Return wall and CPU microseconds a message, from the first read until all are in the next stream."""
    await client.flushall()
    await ensure_group(client, "wire:{0}:received", "bench")
    pipeline = client.pipeline(transaction=False)
    for number in range(count):
        pipeline.xadd("wire:{0}:received", {"event" if way is _ours else "__data__": bodies[number % len(bodies)]})
    await pipeline.execute()
    wall, cpu = time.perf_counter(), time.process_time()
    broker = await way(url, client)
    while not await _all_handled(client):
        await asyncio.sleep(0.01)
    figures = (time.perf_counter() - wall) / count * 1e6, (time.process_time() - cpu) / count * 1e6
    await broker.stop()  # it waits for its blocking read to end
    return figures


async def _ours(url: str, client: Client) -> RedisBroker:
    keys = WireKeys(0)

    async def stage(batch: Sequence[Delivery[ArticleReceived]]) -> list[Commit]:
        return [
            Commit(
                delivery.entry_id,
                (Effect("XADD", keys.enriched, ("*", "event", delivery.event.model_dump_json(exclude_defaults=True))),),
                mark=(delivery.event.article.key, delivery.event.article.rank),
            )
            for delivery in batch
        ]

    broker = make_broker(url)
    settings = Settings()
    hop = Hop(
        broker, client, keys, stream=keys.received, group="bench", event=ArticleReceived, stage=stage, settings=settings
    )
    await hop.prepare()
    await broker.start()
    return broker


async def _theirs(url: str, _: Client) -> RedisBroker:
    broker = RedisBroker(url, logger=None)

    @broker.subscriber(stream=StreamSub("wire:{0}:received", group="bench", consumer="bench"))
    @broker.publisher(stream="wire:{0}:enriched")
    async def handle(event: ArticleReceived) -> ArticleReceived:
        return event

    await broker.start()
    return broker


async def _all_handled(client: Client) -> bool:
    (group,) = await client.xinfo_groups("wire:{0}:received")
    return bool(group["lag"] == 0 and group["pending"] == 0)


def main() -> None:
    """Print what one message costs each way."""
    logging.disable(logging.INFO)
    uvloop.run(main_loop())
