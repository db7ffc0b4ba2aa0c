"""Whatever order and however often the publisher reads its stream, the outputs end the same."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.wire import URI, Hook, Receiver, Wire, running, story, until

from newswire_publisher.app import build as build_publisher
from newswire_publisher.feeds.sink import FeedSinks
from newswire_publisher.webhooks.sink import HookSinks
from newswire_runtime.client import Client
from newswire_runtime.groups import ensure_group
from newswire_schemas.article import Act, Article, PubStatus, key_of
from newswire_schemas.events import ArticleEnriched
from newswire_schemas.streams import PUBLISHER, FeedKeys

STARTED = datetime(2025, 11, 12, 8, tzinfo=UTC)
KILLED = "urn:newsml:test.example:killed"
BASE = "http://wire.test.example"


def event(uri: str, version: int, act: Act = Act.NEW) -> str:
    article = Article(
        uri=uri,
        version=version,
        version_created=STARTED + timedelta(minutes=version),
        first_created=STARTED,
        headline=f"{uri} {version}",
        pub_status=PubStatus.CANCELED if act is Act.KILL else PubStatus.USABLE,
    )
    return ArticleEnriched(trace_id="t", act=act, article=article, received_at=datetime.now(UTC)).model_dump_json()


EVENTS = [
    event(URI, 1),
    event(KILLED, 1),
    event("urn:newsml:test.example:3", 1),
    event(URI, 2, Act.CORRECTION),
    event(KILLED, 2, Act.KILL),
    event(URI, 3, Act.CORRECTION),
]
SHOWN = {URI: 3, "urn:newsml:test.example:3": 1}


@pytest.fixture
async def publisher(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    async with running(redis_url, [build_publisher], base_url=BASE) as wire:
        yield wire


async def publish(wire: Wire, events: Sequence[str]) -> None:
    async with wire.broker.pipeline(transaction=False) as pipeline:
        for each in events:
            pipeline.xadd(wire.keys[0].enriched, {"event": each})
        await pipeline.execute()
    await wire.settled()


async def replay(wire: Wire) -> None:
    """Lose the group, as an operator's slip or a restored backup does, and have it made at the stream's start."""
    await wire.broker.xgroup_destroy(wire.keys[0].enriched, PUBLISHER)
    await ensure_group(wire.broker, wire.keys[0].enriched, PUBLISHER)
    await wire.settled()


async def outputs(wire: Wire, *hooks: Hook) -> dict[str, Any]:
    feed = await wire.feed()
    listed = await wire.anyone.get("/v1/articles")
    return {
        "feed": feed.content,
        "etag": feed.headers["etag"],
        "modified": await wire.broker.hget(FeedKeys("all", 1).state, "modified"),
        "list": listed.json(),
        "logs": [await hook.log() for hook in hooks],
    }


def check_log(entries: Sequence[dict[str, Any]]) -> None:
    assert [entry["sequence"] for entry in entries] == list(range(1, len(entries) + 1)), "the log has a gap"
    for uri in {entry["uri"] for entry in entries}:
        versions = [entry["version"] for entry in entries if entry["uri"] == uri]
        assert versions == sorted(set(versions)), "a version came twice, or after a newer one"


def shuffled(seed: int) -> list[str]:
    mixed = EVENTS * 2
    random.Random(seed).shuffle(mixed)
    return mixed


@pytest.mark.parametrize(
    "order",
    [
        EVENTS,
        [each for each in EVENTS for _ in range(2)],
        EVENTS[::-1],
        [EVENTS[4], *EVENTS[:4], EVENTS[5]],
        shuffled(1),
        shuffled(2),
    ],
    ids=["in order", "each twice", "reversed", "kill first", "shuffled", "shuffled again"],
)
async def test_any_order_ends_with_the_newest_versions_and_a_replay_changes_nothing(
    publisher: Wire, order: list[str]
) -> None:
    hooks = [await publisher.hook(), await publisher.hook(filter={"words": ["killed"]})]
    await publish(publisher, order)
    before = await outputs(publisher, *hooks)
    assert {item["uri"]: item["version"] for item in before["list"]["items"]} == SHOWN
    assert set(await publisher.guids()) == set(SHOWN)
    assert f">{KILLED}</guid>".encode() not in before["feed"]
    for entries in before["logs"]:
        check_log(entries)
    assert {entry["uri"]: entry["version"] for entry in before["logs"][0] if entry["uri"] in SHOWN} == SHOWN
    got = [entry["type"] for entry in before["logs"][1]]
    assert got in ([], ["article.new", "article.killed"])

    await replay(publisher)
    await publish(publisher, EVENTS)
    await publish(publisher, EVENTS[::-1])
    assert await outputs(publisher, *hooks) == before


async def test_two_publishers_agree_to_the_byte(quick: None, redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        start = stack.enter_async_context
        first, second = [
            await start(running(redis_url, [build_publisher], base_url=BASE, batch=3, partitions=1)) for _ in range(2)
        ]
        hook = await first.hook()
        uris = [f"urn:newsml:test.example:{number}" for number in range(40)]
        events = [event(uri, version, Act.CORRECTION) for version in (1, 2, 3) for uri in uris]
        random.Random(5).shuffle(events)
        await publish(first, events)
        one, other = await outputs(first, hook), await outputs(second, hook)
        assert one == other
        assert {item["version"] for item in one["list"]["items"]} == {3}
        assert set(await first.guids()) == set(uris)
        check_log(one["logs"][0])
        await replay(second)
        assert await outputs(second, hook) == one


@pytest.mark.parametrize("sinks", [FeedSinks, HookSinks])
async def test_a_crash_between_claim_and_delivery_ends_right(
    publisher: Wire, monkeypatch: pytest.MonkeyPatch, sinks: type[Any]
) -> None:
    hook = await publisher.hook()
    deliver, left = sinks.deliver, [2]

    async def crash(self: Any, dispatches: Any) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise ConnectionError("the worker died here")
        await deliver(self, dispatches)

    monkeypatch.setattr(sinks, "deliver", crash)
    await publish(publisher, EVENTS)
    assert left[0] < 0
    assert {item["uri"]: item["version"] for item in (await outputs(publisher))["list"]["items"]} == SHOWN
    assert set(await publisher.guids()) == set(SHOWN)
    check_log(await hook.log())
    assert {entry["uri"]: entry["version"] for entry in await hook.log() if entry["uri"] in SHOWN} == SHOWN


async def test_a_version_whose_delivery_was_cut_short_goes_out_though_the_next_is_held(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await wire.hook()
    deliver, dead = FeedSinks.deliver, [True]

    async def crash(self: FeedSinks, dispatches: Any) -> None:
        if dead[0]:
            raise ConnectionError("the worker died here")
        await deliver(self, dispatches)

    monkeypatch.setattr(FeedSinks, "deliver", crash)
    await wire.submit(story())
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await hook.logged(1)
    await wire.submit(story(headline="Not yet", embargoed_until=later))
    broker: Client = wire.broker
    await until(lambda: broker.hexists(wire.keys[0].article(key_of(URI)), "held"))
    dead[0] = False
    await wire.settled()
    assert [entry.title for entry in await wire.entries()] == ["Ferry returns"]
    check_log(await hook.log())


async def test_an_older_version_is_a_no_op_everywhere(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story(version=7))
    await receiver.got("hook", 1)
    await wire.out(version=7)
    before = await outputs(wire, hook)
    answer = await wire.http.post("/v1/articles", json=story(version=6, headline="Old"))
    assert answer.json()["items"][0]["outcome"] == "stale"
    await publish(wire, [event(URI, 6), event(URI, 5, Act.KILL)])
    assert await outputs(wire, hook) == before
    await hook.drained()
    assert len(receiver.pushes) == 1
