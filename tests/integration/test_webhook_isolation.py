"""An endpoint's limits hold at the receiver, and nothing that one endpoint does reaches another.

``NEWSWIRE_CHAOS_BACKLOG`` says how many stories wait for the endpoint beside when times are taken (600 by default),
``NEWSWIRE_CHAOS_WAITING`` how many pushes do when turns are counted (10,000 by default).
"""

import asyncio
import os
import statistics
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from support.book import Faulty, most_at_once, most_within
from support.pushing import done, faulty_hook, numbered, submit
from support.wire import Hook, Receiver, Wire, until

from newswire_publisher.webhooks.log import NO_KEY, notice_of
from newswire_publisher.webhooks.pushes import Appending
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues

BACKLOG = int(os.environ.get("NEWSWIRE_CHAOS_BACKLOG", "600"))
WAITING = int(os.environ.get("NEWSWIRE_CHAOS_WAITING", "10000"))
GERMAN = {"languages": ["de"]}
ENGLISH = {"languages": ["en"]}


async def latencies(wire: Wire, faulty: Faulty, name: str, first: int, count: int) -> list[float]:
    """Submit stories one after the other; return the seconds from each one's submission to its arrival."""
    found = []
    for number in range(first, first + count):
        began = time.monotonic()
        before = len(faulty.book.at(name))
        await submit(wire, [numbered(number)])
        seen = await faulty.got(name, before + 1)
        found.append(seen[-1].at - began)
    return found


def _quick(times: list[float]) -> float:
    return statistics.quantiles(times, n=5)[0]


@pytest.mark.parametrize("fault", ["hang", {"status": 503, "retry_after": 600}, 500], ids=["hangs", "pauses", "fails"])
async def test_an_endpoint_with_thousands_waiting_delays_no_other(wire: Wire, faulty: Faulty, fault: Any) -> None:
    await faulty_hook(wire, faulty, "quick", filter=ENGLISH)
    alone = await latencies(wire, faulty, "quick", 0, 30)
    full: Hook = await faulty_hook(wire, faulty, "full", plan={"then": fault}, filter=GERMAN, concurrency=8)
    await submit(wire, [numbered(number, language="de") for number in range(10_000, 10_000 + BACKLOG)])

    async def waits() -> bool:
        shown = await full.call("GET")
        return bool(shown["waiting"] + shown["in_flight"] >= BACKLOG)

    await faulty.until(waits, 30 + BACKLOG / 20, f"{BACKLOG} pushes wait")
    beside = await latencies(wire, faulty, "quick", 100, 30)
    # Of each the quicker ones: what else the machine does hits the slower ones.
    assert _quick(beside) < 2 * _quick(alone) + 0.02
    assert max(beside) < max(alone) + 1


async def append(wire: Wire, hook: Hook, count: int) -> None:
    """Put notices into a webhook's log: they carry their data, and need no story each."""
    now = datetime.now(UTC)
    entry = notice_of("webhook.failing", now, now, "{}")
    one = Appending(hook.id, "push", NO_KEY, "0:0", False, IN_TURN, entry)
    await HookQueues(wire.broker, 1).append([one] * count)


@pytest.mark.parametrize("fault", [{"delay": 0.01}, 500, "hang"], ids=["is-slow", "fails", "hangs"])
async def test_an_endpoint_with_ten_thousand_waiting_is_no_turn_ahead_of_another(
    wire: Wire, faulty: Faulty, fault: Any
) -> None:
    """Counted in pushes and not in seconds: of the full one go out what was just taken, and one more turn of it."""
    at_once, pushes = 8, 50
    full: Hook = await faulty_hook(wire, faulty, "full", plan={"then": fault}, concurrency=at_once)
    quick: Hook = await faulty_hook(wire, faulty, "quick")
    await append(wire, full, WAITING)
    await faulty.got("full", at_once)
    ahead, began = [], time.monotonic()
    for number in range(pushes):
        before = time.monotonic()
        await append(wire, quick, 1)
        arrived = (await faulty.got("quick", number + 1))[-1].at
        ahead.append(sum(before <= each.at <= arrived for each in faulty.book.at("full")))
    assert max(ahead) <= 2 * at_once
    shown = await full.call("GET")
    assert shown["waiting"] > WAITING // 2
    # The slow one had its turns all the time, beside those of the quick one if not before them.
    turns = sum(began <= each.at <= arrived for each in faulty.book.at("full"))
    assert fault != {"delay": 0.01} or turns > pushes // 2


@pytest.mark.parametrize("rate", [5, 40])
async def test_no_second_has_more_pushes_than_the_rate_not_even_after_an_outage(
    wire: Wire, faulty: Faulty, rate: int
) -> None:
    hook = await faulty_hook(wire, faulty, "hook", {"status": 503, "retry_after": 1}, rate=rate, concurrency=100)
    await submit(wire, [numbered(number) for number in range(4 * rate)])
    await done(hook, 4 * rate, seconds=20)
    seen = faulty.book.at("hook")
    assert len({each.id for each in seen}) == 4 * rate
    assert most_within(seen, 1.0) <= rate
    # A limit, not a brake: it is used.
    assert seen[-1].at - seen[1].at < 4 * 1.35 + 1


async def test_no_more_are_on_their_way_at_once_than_the_endpoint_takes(wire: Wire, faulty: Faulty) -> None:
    names = {f"hook{most}": most for most in (1, 3, 20)}
    hooks = [
        await faulty_hook(
            *(wire, faulty, name),
            plan={"doomed": 0.2, "then": {"delay": 0.04 * most}},
            concurrency=most,
            retry=[0.1],
        )
        for name, most in names.items()
    ]
    await submit(wire, [numbered(number) for number in range(60)])
    for hook in hooks:
        await done(hook, 60, seconds=30)
    for name, most in names.items():
        seen = faulty.book.at(name)
        assert len({each.id for each in seen}) == 60
        assert most_at_once(seen) == most, name


async def test_of_fifty_endpoints_one_fails_in_every_way_and_the_others_get_one_request_each(
    wire: Wire, faulty: Faulty
) -> None:
    names = [f"hook{number}" for number in range(49)]
    hooks = await asyncio.gather(*[faulty_hook(wire, faulty, name) for name in names])
    faults = [500, "reset", "garbage", "redirect", "half-closed", "reset"]
    failing = await faulty_hook(wire, faulty, "failing", *faults, plan={"then": 500}, retry=[0.05] * 6)
    await submit(wire, [numbered(1)])
    for hook in (*hooks, failing):
        await done(hook, 1, seconds=20)
    assert [len(faulty.book.at(name)) for name in names] == [1] * 49
    assert not faulty.book.at("followed")
    assert [attempt["outcome"] for attempt in await failing.attempts()] == ["retry"] * 6 + ["exhausted"]
    assert len([each for each in faulty.book.at("failing") if not each.hung_up]) >= 5


async def test_what_an_endpoint_never_takes_does_not_hold_up_what_it_takes(wire: Wire, faulty: Faulty) -> None:
    """Many of its messages always fail, and often enough in a row for its circuit to open."""
    hook = await faulty_hook(wire, faulty, "hook", plan={"doomed": 0.3}, retry=[0.1] * 3, concurrency=4)
    await submit(wire, [numbered(number) for number in range(60)])
    await hook.logged(60)

    async def tried() -> bool:
        return {each.sequence for each in faulty.book.at("hook")} == set(range(1, 61))

    await faulty.until(tried, 40, "every message was tried")
    assert len({each.id for each in faulty.book.at("hook") if each.took}) >= 20


async def test_slow_endpoints_that_could_take_all_places_leave_some_to_the_others(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, receiver: Receiver
) -> None:
    """Each is within its own limits, and none fails: no circuit opens."""
    monkeypatch.setattr("newswire_publisher.webhooks.worker.MOST_IN_FLIGHT", 64)
    monkeypatch.setattr("newswire_publisher.webhooks.worker.MOST_AT_ONCE", 8)
    quick = await wire.hook(url=receiver.script("quick"), filter=ENGLISH)
    slow = [await wire.hook(url=receiver.hang(f"slow{n}"), filter=GERMAN, concurrency=10) for n in range(16)]
    await submit(wire, [numbered(number, language="de") for number in range(10)])
    for hook in slow:
        await hook.logged(10)
    await until(lambda: receiver.busy >= 32, what="the slow ones have half of the places")

    await submit(wire, [numbered(100)])

    await receiver.got("quick", 1, 5)
    assert receiver.at("quick")[0].id == f"msg_{quick.id}_1"
    assert receiver.busy >= 32
