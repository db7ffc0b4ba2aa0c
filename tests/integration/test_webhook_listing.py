"""The list of webhooks over HTTP: searched, by health, page by page; and how they stand, read from a real server."""

import json

import pytest
from support.hooks import integrator, registered
from support.wire import Receiver, Wire, running, story

from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.standings import Standings
from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys


async def listed(wire: Wire, **asked: str | int) -> list[str]:
    answer = await wire.http.get("/v1/webhooks", params=asked)
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["items"]]


async def test_webhooks_are_found_by_health_and_words_the_worst_first(wire: Wire, receiver: Receiver) -> None:
    well = await wire.hook(url=receiver.script("well"), description="Front page")
    bad = await wire.hook(url=receiver.script("bad", *[503] * 50))
    busy = await wire.hook(url=receiver.script("busy", 429, **{"Retry-After": "3600"}))
    fetched = await wire.hook(description="The archive")
    await wire.submit(story())
    await well.drained()
    for waits in (bad, busy):
        await waits.drained_to(waiting=1)
    assert await listed(wire, order="health") == [bad.id, busy.id, well.id, fetched.id]
    assert await listed(wire, health="paused") == [busy.id]
    assert await listed(wire, order="health", q="ARCHIVE") == [fetched.id]
    assert await listed(wire, q="front", status="enabled") == [well.id]
    shown = await bad.call("GET")
    assert (shown["health"], shown["last_attempt"]["status"]) == ("failing", 503)
    found = (await wire.http.get("/v1/webhooks/summary")).json()
    assert (found["total"], found["health"]["failing"], found["health"]["paused"], found["waiting"]) == (4, 1, 1, 2)


async def test_every_webhook_is_on_one_page_of_the_list_by_health(wire: Wire) -> None:
    made = [(await wire.hook(description=f"{number}")).id for number in range(5)]
    found: list[str] = []
    asked: dict[str, str | int] = {"order": "health", "limit": 2}
    while True:
        page = (await wire.http.get("/v1/webhooks", params=asked)).json()
        assert page["total"] == 5
        found += [each["id"] for each in page["items"]]
        if "cursor" not in page:
            break
        asked["cursor"] = page["cursor"]
    assert found == made


async def test_a_search_and_a_summary_tell_nothing_of_anothers_webhooks(wire: Wire) -> None:
    mine, other = await integrator(wire, "mine"), await integrator(wire, "other")
    await registered(wire, other, description="secret plans")
    found = await wire.anyone.get("/v1/webhooks", params={"q": "plans", "order": "health"}, headers=mine)
    counted = await wire.anyone.get("/v1/webhooks/summary", headers=mine)
    assert (found.json()["items"], found.json()["total"]) == ([], 0)
    assert (counted.json()["total"], counted.json()["owners"]) == (0, {})


@pytest.mark.parametrize(
    ("name", "value"), [("health", "well"), ("order", "size"), ("limit", "501"), ("cursor", "x"), ("page", "2")]
)
async def test_what_a_list_does_not_understand_is_refused(wire: Wire, name: str, value: str) -> None:
    assert (await wire.http.get("/v1/webhooks", params={name: value})).status_code == 422


@pytest.mark.parametrize("partitions", [1, 3])
async def test_how_many_stand_is_what_the_queue_says_of_each(
    client: Client, partitions: int, quick: None, redis_url: str, receiver: Receiver
) -> None:
    async with running(redis_url, partitions=partitions) as wire:
        bad = await wire.hook(url=receiver.script("bad", *[500] * 50), retry=[60])
        given_up = await wire.hook(url=receiver.script("given-up", 500, 500), retry=[])
        off = await wire.hook(url="https://receiver.example/")
        await off.call("POST", "/disable")
        await wire.submit(story())
        await wire.submit(story("urn:newsml:test.example:2", urgency=1))
        await bad.drained_to(waiting=2)
        await given_up.drained()
        await off.logged(2)
        ids = [bad.id, given_up.id, off.id, "wh_nothing"]
        found = await Standings(client, partitions).of(ids)
        assert [each.counts for each in found] == await HookQueues(client, partitions).counts(ids)
        assert [each.last and each.last["outcome"] for each in found] == ["retry", "exhausted", None, None]


async def test_the_last_attempt_is_the_newest_and_comes_without_what_was_answered(client: Client) -> None:
    keys = HookKeys("wh_1", 1)
    long = {"sequence": 7, "outcome": "retry", "at_ms": 1_700_000_000_123, "status": 500, "response": "x" * 9_000}
    await client.xadd(keys.attempts, {"a": f"6 1 1700000000000 1.5 204\n{json.dumps(long)}"}, id="5-0")
    (found,) = await Standings(client, 1).of(["wh_1"])
    del long["response"]
    assert found.last == {"id": "5-0.1", **long}
