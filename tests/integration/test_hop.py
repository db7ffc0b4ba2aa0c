"""A hop on a real server: what a reader does with entries that are bad, slow, lost or interrupted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from support.waiting import until

from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.client import Client
from newswire_runtime.dead import DeadLetters, UnknownDeadLetterError
from newswire_runtime.groups import drop_idle_consumers, ensure_group, trim_handled
from newswire_runtime.handoff import Commit, Effect
from newswire_runtime.hop import Delivery, Hop, Refused, Stage
from newswire_runtime.keeper import reclaim
from newswire_runtime.service import Service
from newswire_runtime.settings import Settings
from newswire_schemas.article import Rank
from newswire_schemas.streams import ENRICHMENT, PUBLISHER, WireKeys

KEYS = WireKeys(0)


class Story(BaseModel):
    """The event of these tests."""

    name: str
    version: int = 1


def passed_on(delivery: Delivery[Story]) -> Commit:
    story = delivery.event
    effect = Effect("XADD", KEYS.enriched, ("*", "event", f"{story.name}.{story.version}"))
    return Commit(delivery.entry_id, (effect,), (story.name, Rank(story.version, 0)))


async def pass_on(batch: Sequence[Delivery[Story]]) -> list[Commit]:
    return [passed_on(delivery) for delivery in batch]


def make_service(url: str, stage: Stage[Story], **settings: float) -> Service:
    values = {"claim_idle": 0.2, "max_deliveries": 2, "stop_timeout": 5.0, **settings}
    chosen = Settings.model_validate({"broker_url": url, **values})
    broker, client = make_broker(url, chosen.stop_timeout), make_client(url)
    hop = Hop(
        broker,
        client,
        KEYS,
        stream=KEYS.received,
        group=ENRICHMENT,
        event=Story,
        stage=stage,
        settings=chosen,
        next_group=(KEYS.enriched, PUBLISHER),
    )
    return Service("test", chosen, broker, client, [hop], _no_routes)


def _no_routes(_: FastAPI) -> None: ...


Run = Callable[..., AbstractAsyncContextManager[Service]]


@pytest.fixture
def run(redis_url: str) -> Run:
    @asynccontextmanager
    async def running(stage: Stage[Story] = pass_on, **settings: float) -> AsyncIterator[Service]:
        service = make_service(redis_url, stage, **settings)
        await service.start()
        try:
            yield service
        finally:
            await service.stop()

    return running


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    async with make_client(redis_url) as client:
        yield client


async def send(client: Client, *names: str, version: int = 1) -> None:
    for name in names:
        await client.xadd(KEYS.received, {"event": Story(name=name, version=version).model_dump_json()})


async def out(client: Client) -> list[str]:
    return [fields[b"event"].decode() for _, fields in await client.xrange(KEYS.enriched)]


async def got(client: Client, count: int) -> list[str]:
    """Wait until so many entries came out, and until nothing is left to come; return them."""

    async def quiet() -> bool:
        if len(await out(client)) < count:
            return False
        [group] = await client.xinfo_groups(KEYS.received)
        return not group["pending"] and not group["lag"]

    await until(quiet, f"{count} entries out and none in hand")
    return await out(client)


async def letters(client: Client, count: int = 1) -> list[tuple[str, str, bytes]]:
    dead = DeadLetters(client, 1)

    async def enough() -> bool:
        return await dead.count() >= count

    await until(enough, f"{count} dead letters")
    return [(letter.reason, letter.stage, letter.event) for letter in await dead.newest()]


async def test_entries_come_out_in_their_order(run: Run, client: Client) -> None:
    names = [f"s{i}" for i in range(250)]
    async with run():
        await send(client, *names)
        assert await got(client, 250) == [f"{name}.1" for name in names]


async def test_what_was_sent_before_the_group_existed_is_read(run: Run, client: Client) -> None:
    await send(client, "early")
    async with run():
        assert await got(client, 1) == ["early.1"]


@pytest.mark.parametrize(
    "fields",
    [
        {b"event": b"{"},
        {b"event": b""},
        {b"event": b'{"name": 5}'},
        {b"event": b"\xff\xfe\x00"},
        {b"event": b"[" * 5_000},
        {b"unknown": b"\xff", b"other": b""},
    ],
)
async def test_a_malformed_entry_alone_becomes_a_dead_letter_with_its_bytes(
    run: Run, client: Client, fields: dict[bytes, bytes]
) -> None:
    await send(client, "before")
    await client.xadd(KEYS.received, fields)
    await send(client, "after")
    async with run():
        assert await got(client, 2) == ["before.1", "after.1"]
        [(reason, stage, event)] = await letters(client)
    assert (reason, stage) == ("malformed", ENRICHMENT)
    assert event == fields.get(b"event", repr(fields).encode())


async def test_an_entry_without_an_event_cannot_be_replayed(run: Run, client: Client) -> None:
    dead = DeadLetters(client, 1)
    async with run():
        await client.xadd(KEYS.received, {"unknown": "x"})
        await letters(client)
    [letter] = await dead.newest()
    with pytest.raises(ValueError, match="no stage to go back to"):
        await dead.replay(letter.id)
    await dead.drop(letter.id)
    assert await dead.count() == 0


async def test_a_refused_entry_becomes_a_dead_letter_at_once_and_the_others_pass(run: Run, client: Client) -> None:
    calls: Counter[str] = Counter()

    async def choosy(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        for delivery in batch:
            calls[delivery.event.name] += 1
            if delivery.event.name == "bad":
                raise Refused("never")
        return await pass_on(batch)

    await send(client, "a", "bad", "b")
    async with run(choosy):
        assert sorted(await got(client, 2)) == ["a.1", "b.1"]
        assert await letters(client) == [("refused", ENRICHMENT, b'{"name":"bad","version":1}')]
    assert calls["bad"] <= 2, "once in its batch, once by itself"


async def test_a_failing_entry_holds_no_other_comes_again_and_wears_out(run: Run, client: Client) -> None:
    seen: list[int] = []

    async def failing(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        if any(delivery.event.name == "bad" for delivery in batch):
            if len(batch) == 1:
                seen.append(batch[0].deliveries)
            raise RuntimeError("a fault of ours")
        return await pass_on(batch)

    await send(client, "a", "bad", "b")
    async with run(failing, max_deliveries=3):
        assert await letters(client) == [("exhausted", ENRICHMENT, b'{"name":"bad","version":1}')]
        assert sorted(await got(client, 2)) == ["a.1", "b.1"]
    assert seen == [1, 2, 3]
    [letter] = await DeadLetters(client, 1).newest()
    assert "3 deliveries" in letter.detail


async def test_a_failing_entry_that_recovers_is_handed_on_once(run: Run, client: Client) -> None:
    async def at_second_try(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        if any(delivery.deliveries < 2 for delivery in batch):
            raise RuntimeError("not yet")
        return await pass_on(batch)

    async with run(at_second_try):
        await send(client, "a")
        assert await got(client, 1) == ["a.1"]
    assert await DeadLetters(client, 1).count() == 0


async def test_an_entry_whose_hand_off_is_refused_wears_out_too(run: Run, client: Client) -> None:
    async def wrong(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        effect = Effect("XADD", KEYS.index, ("*", "event", "x"))
        return [Commit(each.entry_id, (effect,)) if each.event.name == "bad" else passed_on(each) for each in batch]

    await client.set(KEYS.index, "no stream")
    await send(client, "a", "bad", "b")
    async with run(wrong):
        assert [reason for reason, *_ in await letters(client)] == ["exhausted"]
        assert await got(client, 2) == ["a.1", "b.1"]


async def test_no_entry_wears_out_while_the_server_has_no_memory(client: Client, redis_url: str) -> None:
    service = make_service(redis_url, pass_on, claim_idle=0.001, max_deliveries=1)
    [hop] = service.hops
    await hop.prepare()
    await send(client, "a")
    await client.xreadgroup(ENRICHMENT, "gone", {KEYS.received: ">"})
    await client.config_set("maxmemory", 1)
    try:
        for _ in range(5):
            with pytest.raises(Exception, match="maxmemory"):
                await reclaim(hop)
    finally:
        await client.config_set("maxmemory", 0)
    [row] = await client.xpending_range(KEYS.received, ENRICHMENT, "-", "+", 10)
    assert row["times_delivered"] == 1
    await service.client.aclose()


async def test_a_replay_puts_a_letter_back_once(run: Run, client: Client) -> None:
    heal = asyncio.Event()

    async def until_healed(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        if not heal.is_set():
            raise Refused("ill")
        return await pass_on(batch)

    dead = DeadLetters(client, 1)
    async with run(until_healed):
        await send(client, "a")
        await letters(client)
        [letter] = await dead.newest()
        heal.set()
        answers = await asyncio.gather(*[dead.replay(letter.id) for _ in range(5)], return_exceptions=True)
        assert [type(each) for each in answers if each] == [UnknownDeadLetterError] * 4
        assert await got(client, 1) == ["a.1"]
    assert await dead.count() == 0
    for lost in (letter.id, "9.1-1", "nonsense", "0.-1-0"):
        with pytest.raises(UnknownDeadLetterError):
            await dead.get(lost)


async def test_letters_are_listed_newest_first_in_pages(client: Client) -> None:
    for partition in (0, 1):
        for number in range(3):
            await client.xadd(WireKeys(partition).dead, {"event": f"{partition}.{number}"}, id=f"{number + 1}-0")
    dead = DeadLetters(client, 2)
    pages, before = [], None
    while page := await dead.newest(2, before):
        pages.append([letter.event.decode() for letter in page])
        before = page[-1].id
    assert pages == [["1.2", "0.2"], ["1.1", "0.1"], ["1.0", "0.0"]]


async def test_a_group_that_vanishes_is_made_again_and_repeats_nothing(run: Run, client: Client) -> None:
    async with run():
        await send(client, "a", "b")
        await got(client, 2)
        await client.xgroup_destroy(KEYS.received, ENRICHMENT)
        await send(client, "c")
        await until(lambda: _has_group(client), "the group again")
        assert await got(client, 3) == ["a.1", "b.1", "c.1"]


async def test_a_stream_that_vanishes_is_made_again(run: Run, client: Client) -> None:
    async with run() as service:
        await send(client, "a")
        await got(client, 1)
        await client.delete(KEYS.received)
        await send(client, "b")
        await until(lambda: _has_group(client), "the group again")
        assert await got(client, 2) == ["a.1", "b.1"]
        await until(lambda: _ready(service), "ready again")


async def test_an_emptied_server_is_set_up_again(run: Run, client: Client) -> None:
    async with run() as service:
        await send(client, "a")
        await got(client, 1)
        await client.flushall()
        await until(lambda: _ready(service), "ready again")
        await send(client, "b")
        assert await got(client, 1) == ["b.1"]


async def test_a_service_without_its_group_is_not_ready(client: Client, redis_url: str) -> None:
    service = make_service(redis_url, pass_on)
    await service.start()
    try:
        assert await service.unready() == []
        await client.xgroup_destroy(KEYS.received, ENRICHMENT)
        assert await service.unready()
    finally:
        await service.stop()


async def _has_group(client: Client, stream: str = KEYS.received, group: str = ENRICHMENT) -> bool:
    if not await client.exists(stream):
        return False
    return group.encode() in [each["name"] for each in await client.xinfo_groups(stream)]


async def _ready(service: Service) -> bool:
    return not await service.unready()


async def test_a_stage_slower_than_the_claim_acts_once(run: Run, client: Client) -> None:
    second = asyncio.Event()
    calls: list[int] = []

    async def slow(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        calls.append(batch[0].deliveries)
        if len(calls) == 1:
            await second.wait()  # the reader waits until its entries were claimed and processed by another
        else:
            second.set()
        return await pass_on(batch)

    async with run(slow):
        await send(client, "a")
        await until(lambda: _true(second.is_set()), "a second delivery")
        assert await got(client, 1) == ["a.1"]
    assert await out(client) == ["a.1"]
    assert calls == [1, 2]


async def _true(value: bool) -> bool:
    return value


async def test_what_a_dead_reader_left_is_taken_over(run: Run, client: Client) -> None:
    await ensure_group(client, KEYS.received, ENRICHMENT)
    await send(client, *[f"s{i}" for i in range(150)])
    await client.xreadgroup(ENRICHMENT, "dead", {KEYS.received: ">"}, count=150)
    async with run():
        assert len(await got(client, 150)) == 150
    assert await DeadLetters(client, 1).count() == 0


async def test_an_older_version_that_arrives_late_is_dropped(run: Run, client: Client) -> None:
    async with run():
        await send(client, "a", version=3)
        await send(client, "a", version=2)
        await send(client, "a", version=3)
        await send(client, "a", version=4)
        assert await got(client, 2) == ["a.3", "a.4"]


async def test_a_stop_finishes_the_work_in_hand(client: Client, redis_url: str) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        began.set()
        await go_on.wait()
        return await pass_on(batch)

    service = make_service(redis_url, slow, claim_idle=60)
    await service.start()
    await send(client, "a", "b")
    await began.wait()
    stopping = asyncio.create_task(service.stop())
    await until(lambda: _true(not service.hops[0].subscriber.running), "the stop to begin")
    go_on.set()
    await stopping
    assert "a.1" in await out(client)
    pending = await client.xpending(KEYS.received, ENRICHMENT)
    assert pending["pending"] == 0, "nothing waits to be claimed"


async def test_a_stop_finishes_what_was_claimed_too(client: Client, redis_url: str) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def slow(batch: Sequence[Delivery[Story]]) -> list[Commit]:
        began.set()
        await go_on.wait()
        return await pass_on(batch)

    await ensure_group(client, KEYS.received, ENRICHMENT)
    await send(client, "a")
    await client.xreadgroup(ENRICHMENT, "dead", {KEYS.received: ">"})
    service = make_service(redis_url, slow)
    await service.start()
    await began.wait()
    stopping = asyncio.create_task(service.stop())
    go_on.set()
    await stopping
    assert await out(client) == ["a.1"]


class TestTrim:
    """`trim_handled` drops what every group has finished and what is older than the retention."""

    @pytest.fixture
    async def stream(self, client: Client) -> str:
        for group in (ENRICHMENT, PUBLISHER):
            await ensure_group(client, "t", group)
        for number in range(1, 11):
            await client.xadd("t", {"event": str(number)}, id=f"{number}-0")
        return "t"

    @staticmethod
    async def left(client: Client) -> list[int]:
        return [int(fields[b"event"]) for _, fields in await client.xrange("t")]

    @staticmethod
    async def read(client: Client, group: str, count: int, *, ack: Sequence[int] = ()) -> None:
        await client.xreadgroup(group, "r", {"t": ">"}, count=count)
        for number in ack:
            await client.xack("t", group, f"{number}-0")

    async def test_nothing_goes_that_a_group_has_not_read(self, client: Client, stream: str) -> None:
        await self.read(client, ENRICHMENT, 10, ack=range(1, 11))
        assert await trim_handled(client, stream, 0) == 0
        await self.read(client, PUBLISHER, 4, ack=range(1, 5))
        assert await trim_handled(client, stream, 0) == 4
        assert await self.left(client) == [5, 6, 7, 8, 9, 10]

    async def test_nothing_goes_that_is_pending(self, client: Client, stream: str) -> None:
        await self.read(client, ENRICHMENT, 10, ack=range(1, 11))
        await self.read(client, PUBLISHER, 10, ack=[1, 2, 4, 5, 6, 7, 8, 9, 10])
        assert await trim_handled(client, stream, 0) == 2
        assert 3 in await self.left(client)

    async def test_what_is_younger_than_the_retention_stays(self, client: Client, stream: str) -> None:
        await client.xadd(stream, {"event": "11"})
        for group in (ENRICHMENT, PUBLISHER):
            await self.read(client, group, 11)
            await client.xack(stream, group, *[entry_id for entry_id, _ in await client.xrange(stream)])
        assert await trim_handled(client, stream, 60_000) == 10
        assert await self.left(client) == [11]
        assert await trim_handled(client, stream, -60_000) == 1
        assert await self.left(client) == []

    async def test_a_stream_without_groups_is_left_alone(self, client: Client) -> None:
        await client.xadd("t", {"event": "1"}, id="1-0")
        assert await trim_handled(client, "t", 0) == 0

    async def test_only_idle_consumers_without_entries_are_forgotten(self, client: Client, stream: str) -> None:
        await client.xreadgroup(ENRICHMENT, "holds", {"t": ">"}, count=1)
        await client.xgroup_createconsumer(stream, ENRICHMENT, "idle")
        assert await drop_idle_consumers(client, stream, ENRICHMENT, 60_000) == 0
        assert await drop_idle_consumers(client, stream, ENRICHMENT, -1) == 1
        assert [each["name"] for each in await client.xinfo_consumers(stream, ENRICHMENT)] == [b"holds"]
