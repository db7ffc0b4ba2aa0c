"""Chance against the rules of the webhooks' queue: settings, pauses, circuits, replays, dead workers, all at once.

``NEWSWIRE_CHANCE_SEEDS`` says how many seeds, 6 by default; a seed takes some seconds.
"""

import contextlib
import os
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.hook_bench import Bench, opened
from support.hook_model import HOOK, KEYS, Model
from support.waiting import until

from newswire_publisher.webhooks.pushes import Leased
from newswire_publisher.webhooks.queue import SameReplayError, SupersededError, TooManyReplaysError
from newswire_runtime.client import Client

SEEDS = range(int(os.environ.get("NEWSWIRE_CHANCE_SEEDS", "6")))


@pytest.fixture
async def bench(redis_url: str) -> AsyncIterator[Bench]:
    async with opened(redis_url) as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
async def test_chance_with_all_that_may_happen_breaks_no_rule(client: Client, seed: int) -> None:
    dice = random.Random(seed)
    model = Model(client, dice)
    await model.configure(concurrency=3)

    async def act() -> None:
        what = dice.choices(
            [
                "append",
                "notice",
                "take",
                "settle",
                "again",
                "configure",
                "replay",
                "resend",
                "resume",
                "leases",
                "kill",
            ],
            [30, 3, 25, 25, 4, 4, 2, 4, 1, 1, 3],
        )[0]
        key = f"k{dice.randrange(12)}"
        match what:
            case "append":
                how = dice.choices(["push", "keep", "skip"], [94, 2, 4])[0]
                kill = dice.random() < 0.15
                await model.append(key, kill=kill, how=how, lane=dice.randint(1, 4), old=dice.random() < 0.2)
            case "notice":
                await model.append("-")
            case "take":
                await model.take(dice.choice([1, 2, 4, 100]))
            case "settle" if model.out:
                await model.settle(dice.sample(model.out, dice.randint(1, len(model.out))), [])
            case "again" if model.settled:
                some = dice.sample(model.settled[-40:], min(3, len(model.settled[-40:])))
                some = [
                    row
                    for row in some
                    if all(each.lease != row.lease or each.sequence != row.sequence for each in model.out)
                ]
                await model.settle(model.out[: dice.randint(0, 2)], list(dict.fromkeys(some)))
            case "configure":
                name = dice.choice(["concurrency", "ordered", "rate", "max_age", "enabled"])
                values: dict[str, list[Any]] = {
                    "concurrency": [1, 2, 3, 10],
                    "ordered": [True, False, False],
                    "rate": [None, None, 300, 2_000],
                    "max_age": [None, None, 3],
                    "enabled": [True, True, False],
                }
                await model.configure(**{name: dice.choice(values[name])})
            case "replay":
                first = dice.randint(1, 200)
                try:
                    await model.queues.replay(HOOK, first, first + dice.randint(0, 60), only_failed=dice.random() < 0.5)
                    model.trace.append(("replay", first))
                except (SameReplayError, TooManyReplaysError):
                    pass
            case "resend":
                number = dice.randint(1, max(1, len(model.key_of)))
                model.trace.append(("resend", number))
                with contextlib.suppress(SupersededError):
                    await model.queues.resend(HOOK, number)
            case "resume":
                model.trace.append(("resume",))
                await model.queues.resume(HOOK)
            case "leases":
                await model.end_leases()
            case "kill":
                (counts,) = await model.queues.counts([HOOK])
                bound = 1 if model.settings.get("ordered") else model.settings["concurrency"]
                fits = counts.in_flight + await client.zcard(KEYS.kills) < bound and model.settings.get("enabled", True)
                is_out = any(model.key_of[each.sequence] == key for each in model.out)
                fits = fits and not is_out
                in_flight = f"\n{key} " in (await client.hget(KEYS.state, "flight") or b"").decode()
                number = await model.append(key, kill=True)
                if number and fits and not in_flight:
                    assert number in {each.sequence for each in await model.take()}, "a kill has to wait"

    try:
        for _ in range(400):
            await act()
            await model.check()
        if not model.settings.get("enabled", True):
            await model.configure(enabled=True)
        for push in list(model.out):
            if dice.random() < 0.7:
                await model.settle([push], [])
        await model.end_leases()

        async def idle() -> bool:
            leased = await model.take()
            await model.check()
            if leased:
                await model.settle(leased, [])
                return False
            turn = await client.zscore(KEYS.turns, HOOK)
            return turn is None or turn > await model.now() + 20_000  # the end of a lease that is settled

        await until(idle, what="nothing is due any more", seconds=20)
        (counts,) = await model.queues.counts([HOOK])
        assert (counts.waiting, counts.in_flight, counts.last_sequence) == (0, 0, len(model.key_of))
        for name in ("kills", "express", "retry", "replaying", "replays", "items", "ahead"):
            assert not await client.exists(getattr(KEYS, name)), name
        accounted = await model.accounted()
        assert not set(model.newest.values()) - accounted, "a newest version was lost"
        assert not {number for number, key in model.key_of.items() if key == "-"} - accounted, "a notice was lost"
    except BaseException:
        for step in model.trace[-60:]:
            print(step)
        raise


@pytest.mark.parametrize("seed", range(12))
async def test_chance_with_two_workers_of_which_one_dies_breaks_no_rule(bench: Bench, seed: int) -> None:
    """Versions, kills, two workers, faults and dead workers, in a random order."""
    dice = random.Random(seed)
    ordered = seed % 4 == 3
    await bench.set(concurrency=3, ordered=ordered)
    logged: dict[int, str] = {}
    versions: dict[str, int] = {}
    taken: dict[str, list[int]] = {}
    out: list[Leased] = []
    dead: set[tuple[int, str]] = set()

    async def act() -> None:
        nonlocal out
        match dice.choice(["append", "append", "take", "settle", "settle"]):
            case "append":
                key = f"k{dice.randrange(12)}"
                versions[key] = versions.get(key, 0) + 1
                kill = dice.random() < 0.15 and versions[key] > 1
                number = await bench.append(key, versions[key], lane=dice.randint(1, 4), kill=kill)
                logged[number] = key
            case "take":
                lease = f"w{dice.random()}"
                leased = await bench.take(dice.randint(1, 4), 1 if dice.random() < 0.1 else 60_000, lease)
                out += leased
                if dice.random() < 0.1:
                    dead.update((each.sequence, each.lease) for each in leased)
            case "settle" if out:
                push = out.pop(dice.randrange(len(out)))
                if (push.sequence, push.lease) in dead:
                    return  # its worker is gone; a lease of 60 s is made to end below
                what = dice.choice(
                    ["delivered", "delivered", "retry", "exhausted"] if push.kind == "live" else ["delivered", "retry"]
                )
                is_held = await bench.holds(push)
                await bench.settle([push], what, at=0)  # type: ignore[arg-type]
                if what == "delivered" and is_held:
                    taken.setdefault(logged[push.sequence], []).append(push.sequence)

    for _ in range(400):
        await act()
        assert (await bench.queues.counts([HOOK]))[0].in_flight <= (1 if ordered else 3)
    for push in out:
        await bench.settle([push], "retry", at=0)
    await bench.end_leases()
    while (rest := await bench.take()) or await bench.wait() == 0:
        for push in rest:
            taken.setdefault(logged[push.sequence], []).append(push.sequence)
        await bench.settle(rest)
    counts = (await bench.queues.counts([HOOK]))[0]
    assert (counts.waiting, counts.in_flight, counts.last_sequence) == (0, 0, len(logged))
    exhausted = {int(number) for number in await bench.client.zrange(KEYS.failed, 0, -1)}
    for key in versions:
        sent = taken.get(key, [])
        assert sent == sorted(set(sent)), "an article's versions went backwards, or twice"
        newest = max(number for number, of in logged.items() if of == key)
        assert newest in sent or newest in exhausted, "the newest version was lost"
    state = await bench.client.hgetall(KEYS.items)
    assert state == {}
    assert not await bench.client.exists(KEYS.ahead)
