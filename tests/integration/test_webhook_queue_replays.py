"""Replays and resends of a subscription's log, beside live traffic."""

from collections.abc import AsyncIterator

import pytest
from support.hook_bench import HOOK, Bench, opened
from support.waiting import until

from newswire_publisher.webhooks.queue import SameReplayError, SupersededError, TooManyReplaysError


@pytest.fixture
async def bench(redis_url: str) -> AsyncIterator[Bench]:
    async with opened(redis_url) as made:
        yield made


async def test_a_replay_comes_after_all_live_traffic(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for number in range(4):
        await bench.append(f"k{number}")
    while leased := await bench.take():
        await bench.settle(leased)
    assert await bench.queues.replay(HOOK, 1, 3, only_failed=False) == 3
    for number in range(4, 7):
        await bench.append(f"k{number}")
    sent = []
    while leased := await bench.take():
        sent += [(each.sequence, each.kind) for each in leased]
        await bench.settle(leased)
    assert sent == [(5, "live"), (6, "live"), (7, "live"), (1, "replay"), (2, "replay"), (3, "replay")]


async def test_only_what_failed_is_replayed_if_asked(bench: Bench) -> None:
    for number in range(5):
        await bench.append(f"k{number}")
    leased = await bench.take()
    await bench.settle(leased[1:3], "exhausted")
    await bench.settle([leased[0], *leased[3:]])
    assert await bench.queues.replay(HOOK, 1, 99, only_failed=True) == 2
    replayed = await bench.take()
    assert [each.sequence for each in replayed] == [2, 3]
    await bench.settle(replayed)
    assert (await bench.queues.counts([HOOK]))[0].given_up == 0
    assert await bench.queues.replay(HOOK, 1, 99, only_failed=True) == 0


async def test_a_replay_never_sends_what_a_newer_version_has_replaced(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take())
    await bench.append("a", 2, kill=True)
    await bench.settle(await bench.take())
    await bench.queues.replay(HOOK, 1, 2, only_failed=False)
    assert await bench.numbers() == [2]


async def test_what_failed_and_was_replaced_is_given_up_no_more_after_a_replay(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take(), "exhausted")
    await bench.append("a", 2)
    await bench.settle(await bench.take())
    assert (await bench.queues.counts([HOOK]))[0].given_up == 1
    await bench.queues.replay(HOOK, 1, 9, only_failed=True)
    assert await bench.take() == []
    assert (await bench.queues.counts([HOOK]))[0].given_up == 0


async def test_one_entry_is_sent_again_and_one_that_waits_is_tried_now(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    leased = await bench.take()
    await bench.settle(leased[:1])
    await bench.settle(leased[1:], "retry", at=2**44)
    assert await bench.take() == []
    assert await bench.queues.resend(HOOK, 1)
    assert await bench.queues.resend(HOOK, 2)
    assert not await bench.queues.resend(HOOK, 3)
    again = await bench.take()
    assert [(each.sequence, each.attempt, each.kind) for each in again] == [(2, 2, "live"), (1, 1, "replay")]


async def test_replays_without_end_are_refused(bench: Bench) -> None:
    await bench.set(enabled=False)
    await bench.append("a")
    for version in range(2, 16):
        await bench.append("a", version)
    ranges = [(first, last) for first in range(1, 16) for last in range(first, 16)]
    for first, last in ranges[:100]:
        await bench.queues.replay(HOOK, first, last, only_failed=False)
    with pytest.raises(TooManyReplaysError):
        await bench.queues.replay(HOOK, *ranges[100], only_failed=False)


async def test_the_same_replay_is_not_queued_twice_until_it_has_begun(bench: Bench) -> None:
    await bench.set(enabled=False)
    for key in ("a", "b"):
        await bench.append(key)
    assert await bench.queues.replay(HOOK, 1, 2, only_failed=False) == 2
    with pytest.raises(SameReplayError) as told:
        await bench.queues.replay(HOOK, 1, 99, only_failed=False)
    assert told.value.entries == 2
    assert await bench.queues.replay(HOOK, 2, 2, only_failed=False) == 1

    await bench.set(enabled=True)
    while leased := await bench.take():
        await bench.settle(leased)

    assert await bench.queues.replay(HOOK, 1, 2, only_failed=False) == 2


async def test_a_resend_does_not_put_a_kill_beside_the_story_that_is_on_its_way(bench: Bench) -> None:
    await bench.append("a")
    (story,) = await bench.take()
    await bench.append("a", 2, kill=True)
    assert await bench.take() == []
    with pytest.raises(SupersededError) as told:
        await bench.queues.resend(HOOK, 1)
    assert told.value.newest == 2
    await bench.queues.replay(HOOK, 1, 2, only_failed=False)
    assert await bench.take() == []
    assert await bench.take() == []
    await bench.settle([story])
    assert await bench.numbers() == [2]


async def test_a_replay_of_an_ordered_endpoint_is_in_order_too(bench: Bench) -> None:
    await bench.set(ordered=True)
    for key in ("a", "b"):
        await bench.append(key)
    while leased := await bench.take():
        await bench.settle(leased)
    await bench.queues.replay(HOOK, 1, 2, only_failed=False)
    first = await bench.take()
    await bench.settle(first, "retry", at=await bench.now() + 50)
    assert await bench.take() == []
    again = await until(bench.take, what="the first is due again")
    assert [each.sequence for each in again] == [1]
    await bench.settle(again)
    assert await bench.numbers() == [2]
