"""The queue of a subscription on a real server: lanes, order, rate, kills, what it logs."""

from collections.abc import AsyncIterator

import pytest
from support.hook_bench import HOOK, Bench, opened
from support.waiting import until

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.webhooks.attempts import START, Attempts
from newswire_publisher.webhooks.log import HookLog
from newswire_schemas.streams import HookKeys, hook_notes


@pytest.fixture
async def bench(redis_url: str) -> AsyncIterator[Bench]:
    async with opened(redis_url) as made:
        yield made


async def test_every_key_of_the_scripts_is_one_of_the_lists(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for number in range(4):
        await bench.append(f"k{number}", lane=1 + number)
    await bench.append("k9", kill=True)
    await bench.append("k1", 2)
    await bench.append("k9", 1)
    leased = await bench.take()
    await bench.settle(leased[:1], "exhausted")
    await bench.settle(leased[1:], "retry", at=2**44, circuit=1)
    await bench.queues.replay(HOOK, 1, 9, only_failed=False)
    await bench.queues.resend(HOOK, 1)
    keys = HookKeys(HOOK, 1)
    found = {key.decode() async for key in bench.client.scan_iter("hook:*")}
    assert found <= {*keys.own, keys.turns, keys.bell, hook_notes(0)}
    await bench.queues.forget(HOOK)
    assert {key.decode() async for key in bench.client.scan_iter("*wh_0*")} == {keys.gone}
    assert await bench.client.ttl(keys.gone) > 0


async def test_entries_go_out_in_the_order_of_the_log(bench: Bench) -> None:
    for number in range(5):
        await bench.append(f"k{number}")
    assert await bench.numbers() == [1, 2, 3, 4, 5]


async def test_no_more_are_out_than_the_endpoint_allows(bench: Bench) -> None:
    await bench.set(concurrency=3)
    for number in range(7):
        await bench.append(f"k{number}")
    first = await bench.take()
    assert len(first) == 3
    assert await bench.take() == []
    await bench.settle(first[:2])
    assert [each.sequence for each in await bench.take()] == [4, 5]


async def test_kills_and_urgent_stories_pass_the_backlog(bench: Bench) -> None:
    await bench.append("killed")
    for number in range(20):
        await bench.append(f"k{number}")
    await bench.settle(await bench.take(room=1))
    await bench.append("urgent", lane=3)
    await bench.append("flash", lane=1)
    await bench.append("killed", 2, kill=True)
    assert await bench.numbers(room=5) == [24, 23, 22, 2, 3]


async def test_the_newest_version_goes_in_the_place_of_an_older_one(bench: Bench) -> None:
    for key in ("a", "b", "c"):
        await bench.append(key)
    await bench.append("a", 2)
    assert await bench.numbers() == [4, 2, 3]
    assert await bench.outcomes() == ["superseded"]
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0


async def test_a_kill_cancels_what_waits_for_another_try(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take(), "retry", at=2**44)
    await bench.append("a", 2, kill=True)
    (kill,) = await bench.take()
    assert (kill.sequence, kill.kind) == (2, "kill")
    await bench.settle([kill])
    assert await bench.take() == []
    assert await bench.outcomes() == ["retry", "superseded", "delivered"]


async def test_a_kill_waits_for_the_version_that_is_on_its_way(bench: Bench) -> None:
    await bench.append("a")
    first = await bench.take()
    await bench.append("a", 2, kill=True)
    assert await bench.take() == []
    await bench.settle(first)
    assert [(each.sequence, each.kind) for each in await bench.take()] == [(2, "kill")]


async def test_a_kill_goes_out_though_the_endpoint_pauses_and_its_rate_is_used_up(bench: Bench) -> None:
    await bench.set(rate=0.001)
    for key in ("a", "b"):
        await bench.append(key)
    (first,) = await bench.take()
    await bench.settle([first], pause=2**44)
    await bench.append("a", 2, kill=True)
    kills = await bench.take()
    assert [each.sequence for each in kills] == [3]
    await bench.settle(kills, "retry", at=0)
    assert [each.sequence for each in await bench.take()] == [3]


async def test_ordered_endpoints_wait_for_what_fails(bench: Bench) -> None:
    await bench.set(ordered=True)
    for key in ("a", "b", "c"):
        await bench.append(key, lane=1)
    first = await bench.take()
    assert [each.sequence for each in first] == [1]
    await bench.settle(first, "retry", at=await bench.now() + 100)
    assert await bench.take() == []
    again = await until(bench.take, what="the first is due again")
    assert [(each.sequence, each.attempt) for each in again] == [(1, 2)]
    await bench.settle(again)
    assert await bench.numbers() == [2]


async def test_an_ordered_endpoint_skips_what_is_superseded_and_keeps_the_order(bench: Bench) -> None:
    await bench.set(ordered=True)
    for key, version in (("a", 1), ("b", 1), ("a", 2)):
        await bench.append(key, version)
    sent = []
    while leased := await bench.take():
        sent += [each.sequence for each in leased]
        await bench.settle(leased)
    assert sent == [2, 3]


async def test_the_rate_is_a_bound_in_every_second(bench: Bench) -> None:
    await bench.set(rate=100, concurrency=100)
    for number in range(90):
        await bench.append(f"k{number}")
    taken: list[int] = []

    async def all_taken() -> bool:
        leased = await bench.take()
        now = await bench.now()
        taken.extend([now] * len(leased))
        await bench.settle(leased)
        return len(taken) == 90

    await until(all_taken, what="all are taken")
    assert max(sum(start <= moment < start + 500 for moment in taken) for start in taken) <= 53
    assert taken[-1] - taken[0] >= 800


async def test_what_is_too_old_is_not_sent(bench: Bench) -> None:
    await bench.set(max_age=60)
    now = await bench.now()
    await bench.append("old", moment=now - 61_000)
    await bench.append("new", moment=now)
    assert await bench.numbers() == [2]
    assert await bench.outcomes() == ["expired"]


async def test_an_endpoint_that_is_gone_has_nothing_waiting(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for number in range(6):
        await bench.append(f"k{number}", lane=1 + number)
    first = await bench.take()
    await bench.settle(first[:1], "gone")
    counts = (await bench.queues.counts([HOOK]))[0]
    assert (counts.waiting, counts.in_flight) == (0, 1)
    assert await bench.take() == []
    assert (await bench.outcomes()).count("cancelled") == 2  # one in a lane, and the rest of the log
    await bench.settle(first[1:], "retry", at=0)
    assert [each.sequence for each in await bench.take()] == [2]


async def test_410_of_an_address_that_was_changed_meanwhile_cancels_nothing(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    (first,) = await bench.take(room=1)
    await bench.set(url="http://other.example/")
    await bench.settle([first], "gone", revision=1)
    assert [(each.sequence, each.attempt) for each in await bench.take()] == [(1, 2), (2, 1)]


async def test_410_cancels_however_much_waits(bench: Bench) -> None:
    await bench.append("a")
    (push,) = await bench.take()
    keys = HookKeys(HOOK, 1)
    rows = {f"k{number}": f"{number} 1 live" for number in range(2, 10_000)}
    await bench.client.hset(keys.items, mapping=rows)
    await bench.client.zadd(keys.retry, {str(number): 2**44 for number in range(2, 10_000)})
    await bench.client.hset(keys.state, "lanes", 1)
    await bench.settle([push], "gone")
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0
    assert (await bench.outcomes()).count("cancelled") == 9_998


async def test_what_is_overdue_has_no_right_of_way(bench: Bench) -> None:
    past = await bench.now() - 3_600_000
    for number in range(150):
        hook_id = f"wh_{number + 10}"
        await bench.set(hook_id, concurrency=100)
        for entry in range(8):
            await bench.append(f"k{entry}", hook_id=hook_id)
    while leased := await bench.take(512):
        await bench.settle(leased, "retry", at=past)
        if all(each.attempt > 1 for each in leased):
            break
    await bench.set("wh_flash")
    await bench.append("flash", lane=1, hook_id="wh_flash")
    looks = 0
    while "wh_flash" not in {each.hook_id for each in await bench.take(512, lease=f"l{looks}")}:
        looks += 1
    assert looks <= 2


async def test_kills_do_not_use_up_the_rate(bench: Bench) -> None:
    await bench.set(rate=1)
    for number in range(8):
        await bench.append(f"k{number}")
    await bench.settle(await bench.take())
    for number in range(8):
        await bench.append(f"k{number}", 2, kill=True)
    await bench.settle(await bench.take())
    assert (await bench.wait() or 0) <= 1_000


async def test_a_shorter_pause_does_not_end_a_longer_one(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    first, second = await bench.take()
    long, short = await bench.now() + 100_000, await bench.now() + 1_000
    await bench.settle([first], "retry", at=long, pause=long)
    await bench.settle([second], "retry", at=short, pause=short)
    assert (await bench.queues.counts([HOOK]))[0].paused_until_ms == long


async def test_an_address_that_is_taken_away_cancels_what_waits_and_says_so(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    await bench.append("c", how="keep")
    assert await bench.outcomes() == ["cancelled"]


async def test_a_settling_that_is_sent_again_is_logged_once(bench: Bench) -> None:
    await bench.append("a")
    leased = await bench.take()
    await bench.settle(leased)
    await bench.settle(leased)
    assert await bench.outcomes() == ["delivered"]


async def test_who_settles_after_the_end_of_the_lease_is_logged_and_changes_nothing(bench: Bench) -> None:
    await bench.append("a")
    late = await bench.take(lease="late")
    await bench.end_leases()
    (again,) = await bench.take(lease="second")
    await bench.settle(late)
    assert (await bench.queues.counts([HOOK]))[0].in_flight == 1
    await bench.settle([again], "retry", at=2**44)
    assert await bench.outcomes() == ["delivered", "retry"]


async def test_what_is_appended_to_a_deleted_subscription_leaves_nothing(bench: Bench) -> None:
    await bench.append("a")
    await bench.queues.forget(HOOK)
    assert await bench.append("b") == 0
    assert await bench.append("c", how="skip") == 0
    keys = HookKeys(HOOK, 1)
    assert [key.decode() async for key in bench.client.scan_iter("*wh_0*")] == [keys.gone]
    await bench.set()
    assert await bench.append("b") == 1


async def test_what_one_settling_logs_is_read_page_by_page(bench: Bench) -> None:
    for number in range(7):
        await bench.append(f"k{number}")
    leased = await bench.take()
    await bench.settle(leased[:4])
    await bench.settle(leased[4:])
    attempts = Attempts(bench.client, HookLog(bench.client, ArticleStore(bench.client, 1), "http://wire.example", 1), 1)
    every = [each["id"] for each in await attempts.newest(HOOK, 99)]
    assert len(set(every)) == 7
    for size in (1, 2, 3, 5):
        down: list[str] = []
        while page := await attempts.newest(HOOK, size, down[-1] if down else None):
            down += [each["id"] for each in page]
        up: list[str] = []
        while page := await attempts.after(HOOK, up[-1] if up else START, size):
            up += [each["id"] for each in page]
        assert down == up[::-1] == every
    for attempt_id in every:
        found = await attempts.get(HOOK, attempt_id)
        assert found is not None
        assert found.shown["id"] == attempt_id


async def test_a_kill_of_what_was_never_in_the_log_is_not_in_it_either(bench: Bench) -> None:
    await bench.append("a", how="skip")
    assert await bench.append("a", 2, kill=True) == 0


async def test_an_older_revision_of_the_settings_changes_nothing(bench: Bench) -> None:
    await bench.set(concurrency=1)
    bench.revision -= 2
    await bench.set(concurrency=9)
    for key in ("a", "b"):
        await bench.append(key)
    assert await bench.numbers() == [1]


async def test_ten_thousand_that_wait_for_one_leave_the_others_their_turns(bench: Bench) -> None:
    await bench.set("wh_1")
    rows = [bench.append(f"k{number}") for number in range(300)]
    for row in rows:
        await row
    await bench.set(concurrency=100)
    await bench.append("other", hook_id="wh_1")
    assert {each.hook_id for each in await bench.take()} == {HOOK, "wh_1"}


async def test_a_subscription_without_address_only_keeps_its_log(bench: Bench) -> None:
    assert await bench.append("a", how="keep") == 1
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0
    assert await bench.append("b", how="push") == 2
    assert await bench.numbers() == [2]


async def test_what_went_ahead_is_counted_once_after_the_address_was_taken_away(bench: Bench) -> None:
    await bench.set(concurrency=1)
    for key, lane in (("a", 4), ("b", 4), ("flash", 1)):
        await bench.append(key, lane=lane)
    await bench.settle(await bench.take())
    await bench.append("c", how="keep")
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0


async def test_an_endpoint_with_its_share_on_its_way_gets_kills_alone(bench: Bench) -> None:
    await bench.set(concurrency=10)
    await bench.append("killed")
    await bench.settle(await bench.take())
    for key in "abcd":
        await bench.append(key)

    async def look(lease: str) -> list[int]:
        leased, _, _ = await bench.queues.take(0, room=100, most=2, lease=lease, lease_ms=60_000, share=2)
        return [each.sequence for each in leased]

    (first, *_) = pushes = (await bench.queues.take(0, room=2, most=2, lease="a", lease_ms=60_000, share=2))[0]
    assert [each.sequence for each in pushes] == [2, 3]
    assert await look("b") == []
    await bench.append("killed", 2, kill=True)
    assert await look("c") == [6]
    await bench.settle([first])
    assert await look("d") == []  # the kill has its place
    assert (await bench.queues.counts([HOOK]))[0].waiting == 2
    await bench.settle(pushes[1:])
    assert await look("e") == [4]
