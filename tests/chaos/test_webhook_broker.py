"""The broker is restarted, stays away, forgets its scripts and its groups: no delivery and no retry is lost.

``NEWSWIRE_CHAOS_OUTAGE`` says for how many seconds it stays away (6 by default).
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from support.accounts import discrepancies
from support.pushing import SHORT_LEASES, idle, numbered, pages, pushing, submit
from support.servers import KillableServer
from support.wire import Hook, until

from newswire_runtime.client import Client
from newswire_schemas.streams import PUBLISHER, WireKeys

OUTAGE = float(os.environ.get("NEWSWIRE_CHAOS_OUTAGE", "6"))
STORIES = 40
RETRY = [0.5, 1, 1, 1, 1, 1]
Disturb = Callable[[KillableServer, Client], Awaitable[object]]


async def restarts(server: KillableServer, _: Client) -> None:
    await server.restart()


async def stays_away(server: KillableServer, _: Client) -> None:
    await server.kill()
    await asyncio.sleep(OUTAGE)  # what is tested is the time itself
    await server.restart()


async def forgets_its_scripts(_: KillableServer, broker: Client) -> None:
    await broker.script_flush()


async def loses_the_group(_: KillableServer, broker: Client) -> None:
    assert await broker.xgroup_destroy(WireKeys(0).enriched, PUBLISHER)


@pytest.mark.parametrize("disturb", [restarts, stays_away, forgets_its_scripts, loses_the_group])
async def test_what_waits_and_what_is_on_its_way_outlives_a_broker_that(
    server: KillableServer, tmp_path: Path, disturb: Disturb
) -> None:
    async with pushing(server.url, tmp_path, workers=2, before=SHORT_LEASES) as it:
        hooks = {
            "flaky": await it.hook("flaky", *[500] * 8, retry=RETRY),
            "slow": await it.hook("slow", plan={"then": {"delay": 0.3}}, retry=RETRY, concurrency=3),
            "quick": await it.hook("quick", retry=RETRY),
        }
        await submit(it.wire, [numbered(number) for number in range(STORIES)])
        # Some have failed and wait, some are on their way, most have not begun.
        await it.receiver.got("flaky", STORIES // 2)
        await it.receiver.got("slow", 2)
        await disturb(server, it.wire.broker)
        await submit(it.wire, [numbered(number) for number in range(STORIES, 2 * STORIES)])
        for name, hook in hooks.items():
            await until(lambda hook=hook: _whole(hook), 60, f"all stories are in the log of {name}")
        await idle(hooks.values(), 60)
        for name, hook in hooks.items():
            events, attempts = await pages(hook, "events"), await pages(hook, "attempts")
            assert len({event["uri"] for event in events}) == len(events) == 2 * STORIES
            assert not discrepancies(events, attempts, it.receiver.book.at(name), RETRY, killed=True), name
            assert sum(attempt["outcome"] == "exhausted" for attempt in attempts) == 0


async def test_retries_that_fall_due_while_the_broker_is_away_are_made_when_it_is_back_and_so_are_later_ones(
    server: KillableServer, tmp_path: Path
) -> None:
    """Each story fails at its first attempt; nothing is started anew but the broker."""
    delay = max(2.0, OUTAGE / 2)
    async with pushing(server.url, tmp_path, before=SHORT_LEASES) as it:
        hook = await it.hook("hook", 500, plan={"by": "id"}, retry=[delay, 1], concurrency=50)
        # Ten would open the circuit, which has its own time.
        await submit(it.wire, [numbered(number) for number in range(9)])
        await it.receiver.got("hook", 9)
        await hook.drained_to(waiting=9)
        await stays_away(server, it.wire.broker)
        back = time.monotonic()
        await idle([hook], 30)
        again = it.receiver.book.at("hook")[9:]
        assert min(each.at for each in again) >= back
        await submit(it.wire, [numbered(number) for number in range(9, 18)])
        await until(lambda: _whole(hook, 18), 60, "all stories are in the log")
        await idle([hook], delay + 30)
        events, attempts, seen = await pages(hook, "events"), await pages(hook, "attempts"), it.receiver.book.at("hook")
        assert not discrepancies(events, attempts, seen, [delay, 1])
        assert [len(each) for each in it.receiver.book.by_id("hook").values()] == [2] * 18


async def _whole(hook: Hook, stories: int = 2 * STORIES) -> bool:
    with suppress(httpx.TransportError, AssertionError):
        return len(await pages(hook, "events")) >= stories
    return False
