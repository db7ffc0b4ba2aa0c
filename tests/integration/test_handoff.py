"""The hand-off on a real server: XACK is the commit, and it acts once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_runtime.groups import ensure_group
from newswire_runtime.handoff import Commit, Done, Effect, Handoff, HandoffError
from newswire_schemas.article import Rank
from newswire_schemas.streams import ENRICHMENT, WireKeys

KEYS = WireKeys(0)
MARKS = KEYS.marks(ENRICHMENT)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    async with make_client(redis_url) as client:
        await ensure_group(client, KEYS.received, ENRICHMENT)
        yield client


def handoff(client: Client) -> Handoff:
    return Handoff(client, KEYS.received, ENRICHMENT, MARKS)


async def delivered(client: Client, count: int = 1) -> list[bytes]:
    """Put so many entries into the stream and read them; return their ids."""
    for number in range(count):
        await client.xadd(KEYS.received, {"event": str(number)})
    rows = await client.xreadgroup(ENRICHMENT, "reader", {KEYS.received: ">"}, count=count)
    entries = rows[0][1] if isinstance(rows, list) else rows[KEYS.received.encode()][0]
    return [entry_id for entry_id, _ in entries]


def passing_on(entry_id: bytes, *, mark: tuple[str, Rank] | None = None) -> Commit:
    effect = Effect("XADD", KEYS.enriched, ("*", "event", entry_id))
    return Commit(entry_id, (effect,), mark)


async def handed_on(client: Client) -> list[bytes]:
    return [fields[b"event"] for _, fields in await client.xrange(KEYS.enriched)]


async def pending(client: Client) -> dict[bytes, int]:
    rows = await client.xpending_range(KEYS.received, ENRICHMENT, "-", "+", 1_000)
    return {row["message_id"]: row["times_delivered"] for row in rows}


async def test_a_commit_acknowledges_and_writes_its_effects(client: Client) -> None:
    [entry] = await delivered(client)
    counted = Effect("HINCRBY", KEYS.index, ("seen", 1))
    commit = Commit(entry, (*passing_on(entry).effects, counted), ("a", Rank(1, 5)))
    assert await handoff(client).commit([commit]) == [Done.APPLIED]
    assert await handed_on(client) == [entry]
    assert await client.hgetall(KEYS.index) == {b"seen": b"1"}
    assert await client.hgetall(MARKS) == {b"a": b"1:5"}
    assert await pending(client) == {}


async def test_an_empty_batch_asks_the_server_nothing(client: Client) -> None:
    await client.aclose()
    assert await handoff(client).commit([]) == []


async def test_a_second_commit_of_an_entry_writes_nothing(client: Client, redis_url: str) -> None:
    [entry] = await delivered(client)
    await handoff(client).commit([passing_on(entry)])
    async with make_client(redis_url) as other:
        late = passing_on(entry, mark=("a", Rank(9, 0)))
        assert await handoff(other).commit([late]) == [Done.LOST]
    assert await handed_on(client) == [entry]
    assert not await client.exists(MARKS)


async def test_an_entry_that_was_never_delivered_cannot_be_committed(client: Client) -> None:
    entry = await client.xadd(KEYS.received, {"event": "unread"})
    assert await handoff(client).commit([passing_on(entry)]) == [Done.LOST]
    assert await handed_on(client) == []


@pytest.mark.parametrize(
    ("before", "rank", "done"),
    [
        (Rank(2, 50), Rank(2, 50), Done.STALE),
        (Rank(2, 50), Rank(1, 99), Done.STALE),
        (Rank(2, 50), Rank(2, 49), Done.STALE),
        (Rank(2, 50), Rank(2, 51), Done.APPLIED),
        (Rank(9, 50), Rank(10, 0), Done.APPLIED),
        (Rank(2, -50), Rank(2, -49), Done.APPLIED),
        (Rank(2**53 - 2, 0), Rank(2**53 - 1, 0), Done.APPLIED),
    ],
)
async def test_only_a_rank_above_the_mark_is_handed_on(client: Client, before: Rank, rank: Rank, done: Done) -> None:
    first, second = await delivered(client, 2)
    await handoff(client).commit([passing_on(first, mark=("a", before))])
    assert await handoff(client).commit([passing_on(second, mark=("a", rank))]) == [done]
    assert await handed_on(client) == ([first, second] if done is Done.APPLIED else [first])
    assert await client.hget(MARKS, "a") == str(max(before, rank)).encode()
    assert await pending(client) == {}, "a stale entry is acknowledged"


@pytest.mark.parametrize("older", [None, Rank(1, 5)])
async def test_a_refused_effect_leaves_its_entry_pending_and_its_mark_as_it_was(
    client: Client, older: Rank | None
) -> None:
    if older is not None:
        await client.hset(MARKS, "a", str(older))
    await client.set(KEYS.enriched, "no stream")
    before, bad, after = await delivered(client, 3)
    harmless = [Commit(each, (Effect("HINCRBY", KEYS.index, ("done", 1)),)) for each in (before, after)]
    with pytest.raises(HandoffError, match="WRONGTYPE"):
        await handoff(client).commit([harmless[0], passing_on(bad, mark=("a", Rank(2, 5))), harmless[1]], {bad: 4})
    assert await pending(client) == {bad: 4}, "the others are done, and the bad one wears out"
    assert await client.hget(KEYS.index, "done") == b"2"
    assert await client.hget(MARKS, "a") == (str(older).encode() if older else None)

    await client.delete(KEYS.enriched)
    assert await handoff(client).commit([passing_on(bad, mark=("a", Rank(2, 5)))]) == [Done.APPLIED]
    assert await handed_on(client) == [bad]


async def test_no_effect_follows_one_that_was_refused(client: Client) -> None:
    await client.set(KEYS.enriched, "no stream")
    [entry] = await delivered(client)
    counted = Effect("HINCRBY", KEYS.index, ("done", 1))
    with pytest.raises(HandoffError):
        await handoff(client).commit([Commit(entry, (*passing_on(entry).effects, counted))])
    assert not await client.exists(KEYS.index)


async def test_a_server_out_of_memory_refuses_a_commit_whole(client: Client) -> None:
    entries = await delivered(client, 3)
    commits = [passing_on(entry, mark=(entry.decode(), Rank(1, 1))) for entry in entries]
    await client.config_set("maxmemory", 1)
    try:
        with pytest.raises(OutOfMemoryError):
            await handoff(client).commit(commits)
        assert list(await pending(client)) == entries
        assert not await client.exists(MARKS, KEYS.enriched)
    finally:
        await client.config_set("maxmemory", 0)
    assert await handoff(client).commit(commits) == [Done.APPLIED] * 3


async def test_a_batch_of_a_hundred_is_one_step_in_order(client: Client) -> None:
    entries = await delivered(client, 100)
    marked = [passing_on(entry, mark=(f"a{i % 10}", Rank(1 + i // 10, 0))) for i, entry in enumerate(entries)]
    assert await handoff(client).commit(marked) == [Done.APPLIED] * 100
    assert await handed_on(client) == entries
    assert await client.hgetall(MARKS) == {f"a{i}".encode(): b"10:0" for i in range(10)}


async def test_effects_of_one_batch_may_touch_many_keys(client: Client) -> None:
    entries = await delivered(client, 100)
    commits = [Commit(e, (Effect("SET", KEYS.article(str(i)), (e,)),)) for i, e in enumerate(entries)]
    assert await handoff(client).commit(commits) == [Done.APPLIED] * 100
    assert [await client.get(KEYS.article(str(i))) for i in range(100)] == entries


async def test_of_four_that_commit_the_same_entries_each_entry_is_acted_on_once(client: Client, redis_url: str) -> None:
    entries = await delivered(client, 200)

    async def worker(other: Redis, offset: int) -> list[Done]:
        mine, done = handoff(other), []
        turned = entries[offset:] + entries[:offset]
        for start in range(0, 200, 10):
            done += await mine.commit([passing_on(entry) for entry in turned[start : start + 10]])
        return done

    clients = [make_client(redis_url) for _ in range(4)]
    try:
        outcomes = await asyncio.gather(*[worker(each, 5 * i) for i, each in enumerate(clients)])
    finally:
        for each in clients:
            await each.aclose()
    assert Counter(await handed_on(client)) == Counter(entries)
    assert Counter(done for each in outcomes for done in each) == {Done.APPLIED: 200, Done.LOST: 600}


async def test_a_script_that_the_server_forgot_is_loaded_again(client: Client) -> None:
    first, second = await delivered(client, 2)
    await handoff(client).commit([passing_on(first)])
    await client.script_flush()
    assert await handoff(client).commit([passing_on(second)]) == [Done.APPLIED]
