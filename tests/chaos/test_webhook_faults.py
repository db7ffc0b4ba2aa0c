"""Thousands of deliveries to receivers that fail in every way: each is delivered or exhausted by its schedule.

``NEWSWIRE_CHAOS_DELIVERIES`` says how many (3,000 by default).
"""

import os
from collections import Counter
from pathlib import Path

from support.accounts import discrepancies
from support.pushing import idle, numbered, pages, pushing, submit
from support.servers import KillableServer

DELIVERIES = int(os.environ.get("NEWSWIRE_CHAOS_DELIVERIES", "3000"))
ENDPOINTS = 20
SECONDS = 40 + DELIVERIES / 50
SCHEDULES = ([0.1, 0.2, 0.4], [0.3], [], [0.05] * 6, [1, 1])
CHANCES = {
    "204": 0.60,
    "200": 0.10,
    "500": 0.10,
    "502": 0.03,
    "404": 0.02,
    "reset": 0.05,
    "half-closed": 0.02,
    "garbage": 0.02,
    "redirect": 0.02,
    "oversized": 0.01,
    "drip-head": 0.005,
    "drip-body": 0.01,
    "hang": 0.005,
}
GROWTH = 48_000_000
"""Bytes that a worker may grow by between its first tenth of the work and its end: caches fill, nothing piles up."""


async def test_each_of_thousands_of_deliveries_ends_by_its_schedule_whatever_receivers_do(
    server: KillableServer, tmp_path: Path
) -> None:
    async with pushing(server.url, tmp_path) as it:
        hooks = {}
        for number in range(ENDPOINTS):
            retry = SCHEDULES[number % len(SCHEDULES)]
            plan = {"chances": CHANCES, "seed": number}
            hooks[f"hook{number}"] = await it.hook(f"hook{number}", plan=plan, retry=retry, concurrency=50), retry
        stories = [numbered(number) for number in range(DELIVERIES // ENDPOINTS)]
        first = len(stories) // 10
        await submit(it.wire, stories[:first])
        for hook, _ in hooks.values():
            await hook.logged(first)
        await idle([hook for hook, _ in hooks.values()], SECONDS)
        before = it.workers[0].memory()
        await submit(it.wire, stories[first:])
        for hook, _ in hooks.values():
            await hook.logged(min(len(stories), 500))
        await idle([hook for hook, _ in hooks.values()], SECONDS)

        ends: Counter[str] = Counter()
        for name, (hook, retry) in hooks.items():
            events, attempts = await pages(hook, "events"), await pages(hook, "attempts")
            assert len(events) == len(stories)
            assert not discrepancies(events, attempts, it.receiver.book.at(name), retry), name
            ends.update(attempt["outcome"] for attempt in attempts)
        assert ends["delivered"] + ends["exhausted"] == len(stories) * ENDPOINTS
        assert min(ends["delivered"], ends["exhausted"], ends["retry"]) > 0
        assert not it.receiver.book.at("followed")
        assert it.workers[0].memory() - before < GROWTH

        # No worker is stuck: the next story goes out at once.
        for number in range(ENDPOINTS):
            await it.receiver.plan(f"hook{number}")
        sent = {name: len(it.receiver.book.at(name)) for name in hooks}
        await submit(it.wire, [numbered(len(stories))])
        for name in hooks:
            await it.receiver.got(name, sent[name] + 1)
