"""What a news wire alone needs: order, urgency, kills, age and embargoes, as the receiver sees them."""

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from support.accounts import backwards
from support.book import Faulty, Seen
from support.pushing import done, faulty_hook, idle, numbered, pages, submit
from support.wire import Hook, Wire, until

SLOW = {"then": {"delay": 0.02}}


async def ends(hook: Hook) -> dict[int, list[str]]:
    """Return the outcomes of each entry's attempts, by its sequence."""
    found: dict[int, list[str]] = {}
    for attempt in await pages(hook, "attempts"):
        found.setdefault(attempt["sequence"], []).append(attempt["outcome"])
    return found


def uris(seen: list[Seen]) -> list[str]:
    return [each.uri for each in seen]


async def test_a_flash_passes_a_backlog_of_two_thousand(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook", plan=SLOW, concurrency=2)
    await submit(wire, [numbered(number, urgency=5) for number in range(2_000)])
    await until(lambda: _waiting(hook, 500), 60, "a backlog")
    flash = numbered(9_999, urgency=1)
    began = time.monotonic()
    await submit(wire, [flash])
    await faulty.until(lambda: flash["uri"] in uris(faulty.book.at("hook")), 10, "the flash came")
    seen = faulty.book.at("hook")
    (place,) = [number for number, each in enumerate(seen) if each.uri == flash["uri"]]
    assert seen[place].at - began < 2
    assert await _waiting(hook, 300), "the backlog was gone before the flash came: the test shows nothing"


async def test_the_more_urgent_of_those_that_wait_goes_first(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook", {"status": 503, "retry_after": 1}, concurrency=1, retry=[0.1])
    await submit(wire, [numbered(0, urgency=6)])
    await faulty.got("hook", 1)
    urgencies = [5, 3, 1, 2, 4, 1]
    await submit(wire, [numbered(number, urgency=each) for number, each in enumerate(urgencies, 1)])
    await done(hook, 7)
    order = [int(uri.rpartition(":")[2]) for uri in uris(faulty.book.at("hook"))[1:]]
    assert [number for number in order if number in (2, 3, 4, 6)] == [3, 6, 4, 2]
    assert set(order[:4]) == {2, 3, 4, 6}


async def test_an_ordered_endpoint_gets_one_at_a_time_in_the_logs_order_whatever_fails(
    wire: Wire, faulty: Faulty
) -> None:
    retry = [0.05] * 12
    plan = {"chances": {"204": 0.6, "500": 0.3, "reset": 0.1}, "seed": 3}
    hook = await faulty_hook(wire, faulty, "hook", plan=plan, ordered=True, retry=retry, concurrency=8)
    stories = [numbered(number, urgency=1 + number % 8) for number in range(40)]
    await submit(wire, stories)
    await done(hook, 40, seconds=40)
    seen = faulty.book.at("hook")
    taken = [each.sequence for each in seen if each.took]
    assert taken == list(range(1, 41))
    for before, after in pairwise(seen):
        assert after.at >= before.ended
        assert after.sequence == before.sequence + before.took


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 503, "retry_after": 3600},
        {"status": 429, "retry_date": 3600},
        {"status": 500},
    ],
    ids=["backs off", "is rate-limited", "fails"],
)
async def test_a_kill_reaches_an_endpoint_that_and_cancels_what_waits(
    wire: Wire, faulty: Faulty, trouble: dict[str, Any]
) -> None:
    hook = await faulty_hook(wire, faulty, "hook", plan={"answers": [204, trouble], "then": 204}, retry=[3600])
    await submit(wire, [numbered(1)])
    await until(lambda: _counted(hook, "delivered", 1), 10, "the first version was taken")
    await submit(wire, [numbered(1, headline="Corrected", version=2)])
    await faulty.got("hook", 2)
    await until(lambda: _counted(hook, "retry", 1), 10, "the correction waits an hour")
    await submit(wire, [numbered(number) for number in range(2, 30)] if trouble["status"] != 500 else [])
    before = len(faulty.book.at("hook"))
    began = time.monotonic()
    await wire.desk("kill", numbered(1)["uri"], "Wrong")
    seen = await faulty.got("hook", before + 1, seconds=5)
    assert seen[-1].type == "article.killed"
    assert seen[-1].at - began < 2
    await until(lambda: _counted(hook, "delivered", 2), 10, "the kill was taken")
    told = await ends(hook)
    assert told[2] == ["retry", "superseded"]
    assert told[seen[-1].sequence] == ["delivered"]
    assert not list(backwards(seen))


async def test_a_kill_overtakes_a_backlog_at_an_endpoints_rate(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook", rate=2)
    await submit(wire, [numbered(number) for number in range(200)])
    await faulty.got("hook", 1)
    (first,) = {each.uri for each in faulty.book.at("hook")[:1]}
    began = time.monotonic()
    await wire.desk("kill", first, "Wrong")
    await faulty.until(lambda: faulty.book.read()[-1].type == "article.killed", 5, "the kill came")
    assert faulty.book.read()[-1].at - began < 2
    assert await _waiting(hook, 150)


async def test_a_kill_of_what_waits_for_its_first_push_is_the_only_version_that_goes_out(
    wire: Wire, faulty: Faulty
) -> None:
    hook = await faulty_hook(wire, faulty, "hook", {"status": 503, "retry_after": 2}, retry=[0.1])
    await submit(wire, [numbered(0)])
    await faulty.got("hook", 1)
    await submit(wire, [numbered(1), numbered(2)])
    await hook.logged(3)
    await wire.desk("kill", numbered(1)["uri"], "Wrong")
    await done(hook, 4)
    of_it = [each for each in faulty.book.at("hook") if each.uri == numbered(1)["uri"]]
    assert [each.type for each in of_it] == ["article.killed"]
    assert (await ends(hook))[2] == ["superseded"]


async def test_a_kill_is_tried_until_it_is_taken(wire: Wire, faulty: Faulty) -> None:
    plan = {"answers": [204, 500], "then": 204}
    hook = await faulty_hook(wire, faulty, "hook", plan=plan, retry=[])
    await submit(wire, [numbered(1)])
    await done(hook, 1)
    await wire.desk("kill", numbered(1)["uri"], "Wrong")
    seen = await faulty.got("hook", 3, seconds=10)
    assert [each.type for each in seen] == ["article.new", "article.killed", "article.killed"]
    assert seen[1].id == seen[2].id


async def test_what_is_older_than_the_endpoint_wants_is_not_sent_and_a_kill_always_is(
    wire: Wire, faulty: Faulty
) -> None:
    plan = {"answers": [204, {"status": 503, "retry_after": 3}], "then": 204}
    hook = await faulty_hook(wire, faulty, "hook", plan=plan, max_age=1, retry=[0.1] * 3)
    await submit(wire, [numbered(1)])
    await done(hook, 1)
    await submit(wire, [numbered(2)])
    await faulty.got("hook", 2)
    await submit(wire, [numbered(3)])
    await done(hook, 3)
    await submit(wire, [numbered(4)])
    await done(hook, 4)
    await wire.desk("kill", numbered(3)["uri"], "Wrong")
    await done(hook, 5)
    seen = faulty.book.at("hook")
    assert [(each.sequence, each.type) for each in seen if each.sequence != 2] == [
        (1, "article.new"),
        (4, "article.new"),
        (5, "article.killed"),
    ]
    assert {number: said[-1] for number, said in (await ends(hook)).items()} == {
        1: "delivered",
        2: "expired",
        3: "expired",
        4: "delivered",
        5: "delivered",
    }


async def test_what_is_under_embargo_goes_out_when_it_lifts_without_any_traffic(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook")
    lift = datetime.now(UTC) + timedelta(seconds=2)
    await submit(wire, [numbered(1, embargoed_until=lift.isoformat()), numbered(2)])
    await faulty.got("hook", 1)
    assert [entry["uri"] for entry in await hook.log()] == [numbered(2)["uri"]]
    seen = await faulty.got("hook", 2)
    assert uris(seen) == [numbered(2)["uri"], numbered(1)["uri"]]
    assert lift.timestamp() <= seen[1].wall < lift.timestamp() + 1


async def test_a_killed_embargo_sends_nothing(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook")
    lift = datetime.now(UTC) + timedelta(seconds=1)
    await submit(wire, [numbered(1, embargoed_until=lift.isoformat())])
    await wire.settled()
    await wire.desk("kill", numbered(1)["uri"], "Wrong")
    after = (lift + timedelta(seconds=0.5)).isoformat()
    await submit(wire, [numbered(2, embargoed_until=after)])
    await faulty.got("hook", 1)
    assert uris(faulty.book.at("hook")) == [numbered(2)["uri"]]
    await idle([hook], 5)


async def test_410_cancels_what_waits_and_says_so_of_each(wire: Wire, faulty: Faulty) -> None:
    plan = {"answers": [500, 500, 500, 410], "then": 204}
    hook = await faulty_hook(wire, faulty, "hook", plan=plan, retry=[60], concurrency=1)
    await submit(wire, [numbered(number) for number in range(8)])
    await faulty.got("hook", 4)

    async def disabled() -> bool:
        return not (await hook.call("GET"))["enabled"]

    await until(disabled, 10, "the endpoint is disabled")
    await hook.logged(8)
    await wire.settled()
    await hook.call("POST", "/enable")
    await submit(wire, [numbered(100)])
    seen = await faulty.got("hook", 5)
    await done(hook, 9)
    assert uris(seen)[-1] == numbered(100)["uri"]
    assert len(faulty.book.at("hook")) == 5


async def _waiting(hook: Hook, count: int) -> bool:
    return bool((await hook.call("GET"))["waiting"] >= count)


async def _counted(hook: Hook, outcome: str, count: int) -> bool:
    return sum(attempt["outcome"] == outcome for attempt in await hook.attempts()) >= count
