"""Workers scale out by starting more, and none sends what another has in hand, however slow the receiver is."""

import re
import signal
from pathlib import Path

import httpx
from support.accounts import discrepancies
from support.book import most_at_once, most_within
from support.processes import Process
from support.pushing import SHORT_LEASES, Pushing, done, idle, numbered, pages, pushing, submit
from support.servers import KillableServer

STORIES = 120


async def deliveries(worker: Process) -> float:
    """Return how many deliveries a worker counts."""
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{worker.url}/metrics")).text
    found = re.search(r'^newswire_webhook_attempts_total\{outcome="delivered"\} (\S+)$', text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_of_two_workers_both_deliver_and_limits_hold_over_both(server: KillableServer, tmp_path: Path) -> None:
    async with pushing(server.url, tmp_path, workers=2) as it:
        hooks = {
            "free": await it.hook("free", plan={"then": {"delay": 0.02}}, concurrency=50),
            "narrow": await it.hook("narrow", plan={"then": {"delay": 0.02}}, concurrency=3),
            "paced": await it.hook("paced", rate=30, concurrency=50),
            "ordered": await it.hook("ordered", ordered=True),
        }
        await submit(it.wire, [numbered(number) for number in range(STORIES)])
        for hook in hooks.values():
            await done(hook, STORIES, seconds=40)
        counted = [await deliveries(worker) for worker in it.workers]
        assert min(counted) > 0, counted
        assert sum(counted) == STORIES * len(hooks)
        for name, hook in hooks.items():
            seen = it.receiver.book.at(name)
            assert len(seen) == STORIES
            assert not discrepancies(await pages(hook, "events"), await pages(hook, "attempts"), seen, [5]), name
        assert most_at_once(it.receiver.book.at("narrow")) == 3
        assert most_within(it.receiver.book.at("paced"), 1.0) <= 30
        assert [each.sequence for each in it.receiver.book.at("ordered")] == list(range(1, STORIES + 1))


async def test_a_delivery_that_lasts_as_long_as_it_may_is_never_sent_twice_at_once(
    server: KillableServer, tmp_path: Path
) -> None:
    """The receiver answers just before the deadline of 15 s, and hangs past it; two workers look on."""
    async with pushing(server.url, tmp_path, workers=2) as it:
        late = await it.hook("late", plan={"then": {"delay": 13.5}}, concurrency=20, retry=[1])
        over = await it.hook("over", "hang", plan={"by": "id"}, concurrency=20, retry=[0.5])
        await submit(it.wire, [numbered(number) for number in range(10)])
        await late.logged(10)
        await idle([late, over], 40)
        await _nothing_twice(it, "late", requests=1)
        await _nothing_twice(it, "over", requests=2)


async def test_a_worker_that_stands_still_past_its_leases_settles_nothing_and_repeats_nothing(
    server: KillableServer, tmp_path: Path
) -> None:
    """A stopped worker's pushes go out again by the other, once; when it goes on, it sends none of them."""
    async with pushing(server.url, tmp_path, workers=2, before=SHORT_LEASES) as it:
        hook = await it.hook("hook", plan={"then": {"delay": 0.4}}, concurrency=40, retry=[30])
        await submit(it.wire, [numbered(number) for number in range(40)])
        await it.receiver.got("hook", 40)
        stopped = it.workers[0]
        stopped.signal(signal.SIGSTOP)
        await idle([hook], 30)
        stopped.signal(signal.SIGCONT)
        before = len(it.receiver.book.at("hook"))
        await submit(it.wire, [numbered(100)])
        await it.receiver.got("hook", before + 1)
        await idle([hook], 30)
        again = it.receiver.book.by_id("hook")
        assert len(again) == 41
        assert max(len(each) for each in again.values()) <= 2
        assert len(it.receiver.book.at("hook")) == before + 1
        # What the stopped worker comes to think of its own attempts is told, and changes nothing.
        ends = {attempt["sequence"] for attempt in await pages(hook, "attempts") if attempt["outcome"] == "delivered"}
        assert ends == set(range(1, 42))


async def _nothing_twice(it: Pushing, name: str, *, requests: int) -> None:
    for message, seen in it.receiver.book.by_id(name).items():
        assert len(seen) == requests, message
        assert most_at_once(seen) == 1, message
