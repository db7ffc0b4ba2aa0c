"""What was noted is followed up: once by however many workers, and whatever became of the webhook meanwhile."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest
from support.wire import Hook, Receiver, Wire, running, story, until

from newswire_publisher.app import build as build_publisher
from newswire_publisher.webhooks.health import Health
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.notes import Note
from newswire_publisher.webhooks.notices import Notice
from newswire_runtime.handoff import Commit
from newswire_runtime.hop import Delivery
from newswire_schemas.streams import WEBHOOKS, hook_notes

NOTES = hook_notes(0)


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def listed(wire: Wire) -> list[tuple[str, str]]:
    """Return of whom what was told, newest first."""
    items = (await wire.http.get("/v1/webhooks/notices", params={"limit": 500})).json()["items"]
    return [(each["webhook"], each["type"]) for each in items]


async def followed(wire: Wire) -> None:
    """Wait until nothing is left to be followed up."""

    async def nothing() -> bool:
        return not await wire.broker.xlen(NOTES)

    await until(nothing, what="all notes are followed up")
    pending = await wire.broker.xpending(NOTES, WEBHOOKS)
    assert pending["pending"] == 0


async def noted(wire: Wire, count: int = 1) -> None:
    async def so_many() -> bool:
        return bool(await wire.broker.xlen(NOTES) == count)

    await until(so_many, what=f"{count} notes are written")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Until it is set, nothing that is noted is followed up."""
    stage, go = Health.stage, asyncio.Event()

    async def later(self: Health, batch: Sequence[Delivery[Note]]) -> Sequence[Commit]:
        await go.wait()
        return await stage(self, batch)

    monkeypatch.setattr(Health, "stage", later)
    return go


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The ids of webhooks of which no note can be followed up."""
    ids: set[str] = set()
    notice = Health._notice

    async def raising(self: Health, note: Note, hooks: Mapping[str, Webhook]) -> Notice | None:
        if note.webhook in ids:
            raise RuntimeError("a fault of ours")
        return await notice(self, note, hooks)

    monkeypatch.setattr(Health, "_notice", raising)
    return ids


@pytest.fixture
async def worn_out_soon(
    quick: None, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Wire]:
    """A wire that takes over after 1 s what was not followed up, and gives it up the second time."""
    monkeypatch.setattr("newswire_publisher.builders.outputs.TELLING_SECONDS", 1.0)
    async with running(redis_url, claim_idle=1, max_deliveries=2) as wire:
        yield wire


async def test_two_workers_tell_once_what_either_has_noted(wire: Wire, redis_url: str, receiver: Receiver) -> None:
    only_webhooks = functools.partial(build_publisher, only={"webhooks"})
    ear = await wire.hook(events=["webhook.exhausted"])
    async with running(redis_url, [only_webhooks]):
        # Nine each: ten would open a circuit.
        hooks = [await wire.hook(url=receiver.script(f"hook{n}", *[500] * 9), retry=[]) for n in range(5)]
        for number in range(9):
            await wire.submit(story(uri(number)))
        await ear.logged(45)
        await followed(wire)
    assert len(await ear.log()) == 45
    assert sorted(await listed(wire)) == sorted((hook.id, "webhook.exhausted") for hook in hooks for _ in range(9))


async def test_a_webhook_that_was_deleted_meanwhile_is_told_nothing_of(
    held: asyncio.Event, wire: Wire, receiver: Receiver
) -> None:
    hooks = [await wire.hook(url=receiver.script(f"hook{n}", 500), retry=[]) for n in range(2)]
    await wire.submit(story())
    await noted(wire, 2)
    await hooks[0].call("DELETE")
    held.set()
    await followed(wire)
    assert await listed(wire) == [(hooks[1].id, "webhook.exhausted")]
    assert (await wire.http.get("/v1/dead-letters")).json()["items"] == []


async def test_a_note_that_cannot_be_followed_up_holds_up_no_other_and_becomes_a_dead_letter(
    poisoned: set[str], worn_out_soon: Wire, receiver: Receiver
) -> None:
    wire = worn_out_soon
    ear = await wire.hook(events=["webhook.*"])
    hooks = [await wire.hook(url=receiver.script(f"hook{n}", 500), retry=[]) for n in range(3)]
    poisoned.add(hooks[1].id)
    await wire.submit(story())

    async def buried() -> Any:
        return (await wire.http.get("/v1/dead-letters")).json()["items"]

    (letter,) = await until(buried, what="the note is a dead letter")
    assert (letter["stage"], letter["reason"], letter["origin"]) == (WEBHOOKS, "exhausted", NOTES)
    assert len(await ear.log()) == 2
    assert {hook for hook, _ in await listed(wire)} == {hooks[0].id, hooks[2].id}

    poisoned.clear()
    answer = await wire.http.post(f"/v1/dead-letters/{letter['id']}/replay")
    assert answer.status_code == 202
    await ear.logged(3)
    await until(functools.partial(_is_listed, wire, hooks[1]), what="it is told after all")


async def _is_listed(wire: Wire, hook: Hook) -> bool:
    return (hook.id, "webhook.exhausted") in await listed(wire)


async def test_a_group_that_is_lost_is_made_again_and_nothing_is_told_twice(wire: Wire, receiver: Receiver) -> None:
    ear = await wire.hook(events=["webhook.*"])
    for number in range(3):
        hook = await wire.hook(url=receiver.script(f"hook{number}", 500), retry=[])
        await wire.submit(story(uri(number)))
        await ear.logged(number + 1)
        await until(functools.partial(_is_listed, wire, hook), what="it is listed")
        assert await wire.broker.xgroup_destroy(NOTES, WEBHOOKS)
    assert len(await ear.log()) == 3
    assert len(await listed(wire)) == 3


async def test_an_endpoint_that_is_well_again_when_its_note_is_read_is_not_disabled(
    held: asyncio.Event, without_patience: None, wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[0.05])
    await wire.submit(story())
    await receiver.got("hook", 2)
    await hook.drained()
    await noted(wire)
    held.set()
    await followed(wire)
    assert (await hook.call("GET"))["enabled"]
    assert await listed(wire) == []


async def test_an_endpoint_whose_address_was_changed_when_its_note_is_read_is_not_disabled(
    held: asyncio.Event, wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook", 410), retry=[1])
    await wire.submit(story())
    await noted(wire)
    await hook.call("PATCH", json={"url": f"{receiver.url}/other"})
    held.set()
    await followed(wire)
    assert (await hook.call("GET"))["enabled"]
    assert await listed(wire) == []


async def test_a_notice_that_is_told_late_says_when_it_happened(
    held: asyncio.Event, wire: Wire, receiver: Receiver
) -> None:
    ear = await wire.hook(events=["webhook.*", "article.*"])
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[])
    await wire.submit(story())
    await noted(wire)
    await wire.submit(story(uri(2)))
    await ear.logged(2)
    held.set()
    await followed(wire)
    (attempt,) = [each for each in await hook.attempts() if each["outcome"] == "exhausted"]
    *articles, notice = await ear.log()
    told = json.loads(notice["payload"])
    assert told["timestamp"] < json.loads(articles[-1]["payload"])["timestamp"] < notice["time"]
    assert told["timestamp"] >= attempt["at"]
