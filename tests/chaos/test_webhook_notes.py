"""A worker dies, or the broker goes away, after an attempt was settled and before it was told what follows from it."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.processes import Process
from support.pushing import BASE_URL, SHORT_LEASES, Pushing, numbered, pushing, submit
from support.servers import KillableServer
from support.wire import Hook, receiving, running, story, until

from newswire_publisher.webhooks.health import Health
from newswire_publisher.webhooks.notes import Note
from newswire_runtime.handoff import Commit
from newswire_runtime.hop import Delivery

DIES = """
import os, signal
from newswire_publisher.webhooks.{module} import {owner}
alive = {owner}.{name}
async def die(self, *args):
    {first}
    os.kill(os.getpid(), signal.SIGKILL)
{owner}.{name} = die
"""
UNTOLD = DIES.format(module="health", owner="Health", name="stage", first="pass")
DISABLED = DIES.format(module="notices", owner="Notices", name="push", first="pass")
PUSHED = DIES.format(module="notices", owner="Notices", name="push", first="await alive(self, *args)")

SOON = """
import newswire_publisher.builders.outputs as outputs
outputs.TELLING_SECONDS = 1.0
"""
"""Runs before a process: what a killed worker had in hand is taken over after 1 s, not 10."""
NO_PATIENCE = """
from newswire_publisher.webhooks.settling import Settler
made = Settler.__init__
Settler.__init__ = lambda self, *args: made(self, *args[:-1], 0)
"""
ALARMS_SOON = """
import newswire_publisher.webhooks.retry as retry
retry.KILL_SCHEDULE = (20, 20, 20, 3_600_000)
"""


@asynccontextmanager
async def succeeded(it: Pushing, server: KillableServer, folder: Path) -> AsyncIterator[None]:
    """Wait until the worker has killed itself, and run one that does not."""
    await it.workers[0].ended(30)
    process = Process(*("publisher", server.url, folder / "next.log", "--only", "webhooks"), NEWSWIRE_BASE_URL=BASE_URL)
    await process.start()
    try:
        yield
    finally:
        await process.kill()


async def is_told(hook: Hook, ear: Hook, event_type: str) -> list[dict[str, Any]]:
    """Wait until this alone is in the list of notices, once; return what the one that asked has in its log."""

    async def is_listed() -> bool:
        with suppress(httpx.TransportError):
            answer = await hook.wire.http.get("/v1/webhooks/notices", params={"webhook": hook.id})
            return answer.status_code == 200 and [each["type"] for each in answer.json()["items"]] == [event_type]
        return False

    await until(is_listed, 30, f"{event_type} is listed, once")
    entries = await ear.logged(1)
    assert {entry["type"] for entry in entries} == {event_type}
    assert f'"webhook":"{hook.id}"' in entries[0]["payload"].replace(" ", "")
    return entries


@pytest.mark.parametrize(
    ("event_type", "answers", "retry", "before"),
    [
        ("webhook.exhausted", [500], [], UNTOLD),
        ("webhook.failing", [500] * 10, [30], UNTOLD),
        ("webhook.disabled", [410], [30], UNTOLD),
        ("webhook.disabled", [410], [30], DISABLED),
        ("webhook.disabled", [500], [30], NO_PATIENCE + UNTOLD),
    ],
    ids=["exhausted", "failing", "gone", "gone-and-disabled", "hopeless"],
)
async def test_what_a_killed_worker_had_settled_and_not_told_is_told_by_the_next(
    *, server: KillableServer, tmp_path: Path, event_type: str, answers: list[Any], retry: list[float], before: str
) -> None:
    async with pushing(server.url, tmp_path, before=SHORT_LEASES + before) as it:
        hook = await it.hook("hook", *answers, retry=retry, concurrency=10)
        ear = await it.hook("ear", events=["webhook.*"])
        await submit(it.wire, [numbered(number) for number in range(len(answers))])
        async with succeeded(it, server, tmp_path):
            assert len(await is_told(hook, ear, event_type)) == 1
            (push,) = await it.receiver.got("ear", 1, 30)
            assert push.type == event_type
            assert (await hook.call("GET"))["enabled"] == (event_type != "webhook.disabled")


async def test_that_a_kill_is_not_taken_is_told_though_the_worker_that_tried_it_was_killed(
    server: KillableServer, tmp_path: Path
) -> None:
    async with pushing(server.url, tmp_path, before=SHORT_LEASES + ALARMS_SOON + UNTOLD) as it:
        hook = await it.hook("hook", 204, *[503] * 9)
        ear = await it.hook("ear", events=["webhook.*"])
        await submit(it.wire, [story()])
        await it.receiver.got("hook", 1)
        await hook.drained()
        await it.wire.desk("kill", note="Wrong")
        async with succeeded(it, server, tmp_path):
            (entry,) = await is_told(hook, ear, "webhook.kill_untaken")
            assert '"attempts":3' in entry["payload"].replace(" ", "")


async def test_what_is_told_twice_because_a_worker_was_killed_is_listed_once_and_has_one_time(
    server: KillableServer, tmp_path: Path
) -> None:
    async with pushing(server.url, tmp_path, before=SHORT_LEASES + PUSHED) as it:
        hook = await it.hook("hook", 500, retry=[])
        ear = await it.hook("ear", events=["webhook.*"])
        await submit(it.wire, [story()])
        async with succeeded(it, server, tmp_path):
            entries = await is_told(hook, ear, "webhook.exhausted")
            assert len(entries) == 2
            first, second = (json.loads(entry["payload"]) for entry in entries)
            assert (first["timestamp"], first["data"]) == (second["timestamp"], second["data"])


async def test_what_was_noted_before_the_broker_went_away_is_told_when_it_is_back(
    server: KillableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = asyncio.Event()
    stage = Health.stage

    async def first_without_broker(self: Health, batch: Sequence[Delivery[Note]]) -> Sequence[Commit]:
        if not met.is_set():
            await server.kill()
            met.set()
        return await stage(self, batch)

    monkeypatch.setattr(Health, "stage", first_without_broker)
    monkeypatch.setattr("newswire_publisher.builders.outputs.TELLING_SECONDS", 1.0)
    async with receiving() as receiver, running(server.url) as wire:
        hook = await wire.hook(url=receiver.script("hook", 500), retry=[])
        ear = await wire.hook(url=receiver.script("ear"), events=["webhook.*"])
        await wire.submit(story())
        await met.wait()
        await server.restart()
        assert len(await is_told(hook, ear, "webhook.exhausted")) == 1
        (push,) = await receiver.got("ear", 1, 30)
        assert push.message["data"]["webhook"] == hook.id
