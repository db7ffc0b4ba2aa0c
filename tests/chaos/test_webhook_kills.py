"""What delivers, and what moves the schedule, is killed with -9 again and again: nothing is lost.

``NEWSWIRE_CHAOS_KILLS`` says how many kills (6 by default).
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.accounts import discrepancies
from support.book import Faulty, faulty_receiver
from support.processes import Process
from support.pushing import BASE_URL, SHORT_LEASES, faulty_hook, idle, numbered, pages, submit
from support.servers import KillableServer
from support.wire import Hook, Wire, running, until

from newswire_enrichment.app import build as build_enrichment
from newswire_ingest.app import build as build_ingest

KILLS = int(os.environ.get("NEWSWIRE_CHAOS_KILLS", "6"))
STORIES_A_KILL = 12
EMBARGO_SECONDS = 1.5
ENDPOINTS: dict[str, tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]] = {
    # name: answers, more of the plan, registration
    "quick": ((), {}, {"retry": [0.2]}),
    "slow": ((), {"then": {"delay": 0.15}}, {"retry": [0.2], "concurrency": 4}),
    "flaky": ((), {"chances": {"204": 0.6, "500": 0.3, "reset": 0.1}}, {"retry": [0.2, 0.4] * 9}),
    "doomed": ((), {"doomed": 0.08}, {"retry": [0.2, 0.3]}),
}


@pytest.fixture
async def crew(server: KillableServer, tmp_path: Path) -> AsyncIterator[list[Process]]:
    """The publisher and two webhook workers, each with a mover of the schedule; one by one they are killed."""
    async with AsyncExitStack() as stack:
        started = [
            Process(
                *("publisher", server.url, tmp_path / f"publisher{number}.log", "--only", roles),
                before=SHORT_LEASES,
                NEWSWIRE_BASE_URL=BASE_URL,
            )
            for number, roles in enumerate(("feeds,api", "webhooks", "webhooks"))
        ]
        for process in started:
            await process.start()
            stack.push_async_callback(process.kill)
        yield started


async def test_of_killed_workers_and_movers_no_delivery_and_no_retry_is_lost(
    server: KillableServer, crew: list[Process], tmp_path: Path
) -> None:
    chance = random.Random(11)
    async with AsyncExitStack() as stack:
        receiver: Faulty = await stack.enter_async_context(faulty_receiver(tmp_path))
        desk: Wire = await stack.enter_async_context(running(server.url, (build_ingest, build_enrichment)))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=5))
        await asyncio.gather(*[process.ready(http) for process in crew])
        wire = Wire(crew[0].url, server.url)
        stack.push_async_callback(wire.close)
        hooks: dict[str, Hook] = {
            name: await faulty_hook(wire, receiver, name, *answers, plan=plan, **registration)
            for name, (answers, plan, registration) in ENDPOINTS.items()
        }
        lifts: dict[str, float] = {}
        newest: dict[str, int] = {}
        for kill in range(KILLS):
            stories = [numbered(kill * STORIES_A_KILL + number) for number in range(STORIES_A_KILL)]
            lift = datetime.now(UTC) + timedelta(seconds=EMBARGO_SECONDS)
            for story in stories[::4]:
                story["embargoed_until"] = lift.isoformat()
                lifts[story["uri"]] = lift.timestamp()
            before = len(receiver.book.read())
            await submit(desk, stories)
            corrected = [story | {"headline": "Corrected", "version": 2} for story in stories[1::4]]
            await submit(desk, corrected)
            newest |= {story["uri"]: story.get("version", 1) for story in (*stories, *corrected)}
            victim = crew[kill % 3]
            # At another moment of the work each time.
            more = chance.randrange(1, STORIES_A_KILL * 2)
            await until(lambda goal=before + more: len(receiver.book.read()) >= goal, 90, f"{more} more requests")
            await victim.kill()
            await victim.start()
        await asyncio.gather(*[process.ready(http) for process in crew])
        for hook in hooks.values():

            async def whole(hook: Hook = hook) -> bool:
                return _newest(await pages(hook, "events")) == newest

            await until(whole, 60, "the newest version of every story is in the log")
        await idle(hooks.values(), 60)

        for name, hook in hooks.items():
            events, attempts = await pages(hook, "events"), await pages(hook, "attempts")
            seen, retry = receiver.book.at(name), ENDPOINTS[name][2]["retry"]
            assert not discrepancies(events, attempts, seen, retry, killed=True), name
            assert len({(event["uri"], event["version"]) for event in events}) == len(events)
            ends = {attempt["outcome"] for attempt in attempts} - {"retry", "superseded"}
            assert ends == {"delivered", "exhausted"} if name == "doomed" else {"delivered"}
            assert {each.uri for each in seen} == newest.keys()
            assert all(each.wall >= lifts.get(each.uri, 0) for each in seen)


def _newest(events: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Return each story's newest version. A first version may lack: killed with it in hand, a publisher comes to the
    second one first, and then the first is old."""
    found: dict[str, int] = {}
    for event in events:
        found[event["uri"]] = max(event["version"], found.get(event["uri"], 0))
    return found
