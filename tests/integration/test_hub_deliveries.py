"""What the hub delivers: deliveries that fail, workers and brokers that die, and what operators see of it."""

import asyncio
import time
from typing import Any

import pytest
from aiohttp import web
from support.servers import KillableServer
from support.subscriber import (
    Sent,
    Subscriber,
    ask,
    listed,
    none_left,
    outcome,
    subscribe,
    token,
    topic,
    uri,
)
from support.wire import Builder, Wire, running, story, until

from newswire_enrichment.app import build as build_enrichment
from newswire_ingest.app import build as build_ingest
from newswire_publisher.app import build as build_publisher
from newswire_publisher.hub.deliveries import Deliveries
from newswire_schemas.streams import partition_of


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire_publisher.hub.queues.LEASE_MS", 300)


# Deliveries that fail.


async def test_a_failed_delivery_comes_again_as_the_newest_document(
    quick_retries: None, wire: Wire, subscriber: Subscriber
) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    subscriber.script("cb", 500, 302, 404)
    await wire.submit(story())
    await subscriber.got("cb")
    await wire.submit(story(headline="Corrected"))
    await wire.out(version=2)
    await subscriber.got("cb", 4)
    await outcome(wire, "delivered")
    assert subscriber.sent[-1].titles == ["Corrected"]
    assert subscriber.busiest == 1
    (item,) = await listed(wire)
    assert item["last"]["attempt"] >= 4


async def test_a_change_does_not_hurry_a_callback_that_failed(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "failing", topic(wire))
    await subscribe(wire, subscriber, "quick", topic(wire))
    subscriber.script("failing", 500)
    began = time.monotonic()
    await wire.submit(story())
    await subscriber.got("failing")
    for number in range(2, 5):
        await wire.submit(story(uri(number)))
        await subscriber.got("quick", number)
    assert len(subscriber.at("failing")) == 1
    first, second = await subscriber.got("failing", 2)
    assert second.at - first.at >= 1.9
    assert len(second.titles) == 4
    assert second.at - began < 5


async def test_a_delivery_that_works_ends_the_count_of_attempts(
    quick_retries: None, wire: Wire, subscriber: Subscriber
) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    subscriber.script("cb", 500, 500)
    await wire.submit(story())
    assert (await outcome(wire, "delivered"))["last"]["attempt"] == 3
    await wire.submit(story(uri(2)))

    async def afresh() -> bool:
        return bool((await listed(wire))[0]["last"]["attempt"] == 1)

    await until(afresh)


async def test_delays_grow_and_retry_after_is_kept(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    subscriber.script("cb", 503, **{"Retry-After": "4"})
    await wire.submit(story())
    item = await outcome(wire, "retry")
    assert item["last"]["next_in_ms"] >= 4_000
    assert item["last"]["status"] == 503


async def test_410_ends_the_subscription(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    subscriber.script("cb", 410)
    await wire.submit(story())
    await none_left(wire)
    await wire.submit(story(uri(2)))
    await wire.out(uri(2))
    assert len(subscriber.sent) == 1
    assert [asked.mode for asked in subscriber.asked] == ["subscribe"]


async def test_changes_during_a_delivery_are_one_delivery_after_it(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    subscriber.hang("cb", first=1)
    await wire.submit(story())
    await subscriber.got("cb")
    for number in range(2, 7):
        await wire.submit(story(uri(number), headline=f"Story {number}"))
    await wire.out(uri(6))
    assert len(subscriber.sent) == 1
    subscriber.let_go.set()
    await subscriber.got("cb", 2)
    await outcome(wire, "delivered")
    assert [len(sent.titles) for sent in subscriber.sent] == [1, 6]
    assert subscriber.busiest == 1


async def test_callbacks_that_hang_delay_no_other(wire: Wire, subscriber: Subscriber) -> None:
    for number in range(40):
        await subscribe(wire, subscriber, f"slow{number}", topic(wire))
        subscriber.hang(f"slow{number}")
    await subscribe(wire, subscriber, "quick", topic(wire))
    for number in range(5):
        began = time.monotonic()
        await wire.submit(story(uri(number)))
        sent = await subscriber.got("quick", number + 1)
        assert sent[-1].at - began < 1
    assert len(subscriber.at("slow0")) == 1


async def test_callbacks_that_failed_before_have_a_room_of_their_own(
    monkeypatch: pytest.MonkeyPatch, quick_retries: None, quick: None, redis_url: str, subscriber: Subscriber
) -> None:
    monkeypatch.setattr("newswire_publisher.builders.feeds.ROOMS", (8, 2, 2))
    async with running(redis_url) as wire:
        for number in range(8):
            await subscribe(wire, subscriber, f"slow{number}", topic(wire))
            subscriber.answers[f"slow{number}"] = _fail_then_hang(subscriber)
        await wire.submit(story())
        await until(lambda: subscriber.busy == 2 and len(subscriber.sent) >= 10)
        await subscribe(wire, subscriber, "quick", topic(wire))
        began = time.monotonic()
        await wire.submit(story(uri(2)))
        (sent,) = await subscriber.got("quick")
        assert sent.at - began < 1
        assert subscriber.busy == 2
        subscriber.let_go.set()


def _fail_then_hang(subscriber: Subscriber) -> Any:
    failed = []

    async def answer(_: Sent) -> web.Response:
        if not failed:
            failed.append(1)
            return web.Response(status=500)
        await subscriber.let_go.wait()
        return web.Response(status=204)

    return answer


# Operators.


async def test_operators_list_and_end_subscriptions(wire: Wire, subscriber: Subscriber) -> None:
    for number in range(5):
        await subscribe(wire, subscriber, f"cb{number}", topic(wire), secret="hush-hush")
    pages, cursor = [], ""
    while True:
        answer = await wire.http.get("/v1/hub/subscriptions", params={"feed": "all", "limit": 2, "cursor": cursor})
        assert "hush-hush" not in answer.text
        pages.append([item["id"] for item in answer.json()["items"]])
        cursor = answer.json().get("cursor")
        if not cursor:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert await listed(wire, feed="other") == []
    first = await listed(wire)
    assert (await wire.http.delete(f"/v1/hub/subscriptions/{first[0]['id']}")).status_code == 204
    assert (await wire.http.delete(f"/v1/hub/subscriptions/{first[0]['id']}")).status_code == 404
    assert len(await listed(wire)) == 4
    await subscriber.heard(first[0]["callback"].rpartition("/")[2], "denied")
    for method, path in (("GET", ""), ("DELETE", f"/{first[1]['id']}")):
        assert (await wire.anyone.request(method, f"/v1/hub/subscriptions{path}")).status_code == 401
        headers = {"Authorization": f"Bearer {(await token(wire, role='integrator'))['token']}"}
        assert (await wire.anyone.request(method, f"/v1/hub/subscriptions{path}", headers=headers)).status_code == 403


async def test_deliveries_and_checks_are_counted(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    await wire.submit(story())
    await outcome(wire, "delivered")
    text = (await wire.anyone.get("/metrics")).text
    assert 'newswire_hub_attempts_total{outcome="delivered"}' in text
    assert 'newswire_hub_checks_total{mode="subscribe",outcome="confirmed"}' in text
    assert "newswire_hub_latency_seconds_count" in text


# Faults.


async def test_a_worker_that_dies_leaves_a_delivery_that_goes_out_again(
    monkeypatch: pytest.MonkeyPatch, short_lease: None, wire: Wire, subscriber: Subscriber
) -> None:
    settle, deaths = Deliveries._settle, []

    async def die(self: Deliveries, *args: Any, **more: Any) -> None:
        if not deaths:
            deaths.append(1)
            raise ConnectionError("killed here")
        await settle(self, *args, **more)

    monkeypatch.setattr(Deliveries, "_settle", die)
    await subscribe(wire, subscriber, "cb", topic(wire))
    await wire.submit(story())
    first, second = await subscriber.got("cb", 2)
    assert first.body == second.body
    assert (await outcome(wire, "delivered"))["last"]["attempt"] == 2
    assert len(subscriber.sent) == 2


async def test_a_broker_that_restarts_loses_no_subscription_and_no_change(
    quick: None, quick_retries: None, short_lease: None, server: KillableServer, subscriber: Subscriber
) -> None:
    async with running(server.url) as wire:
        for number in range(5):
            await subscribe(wire, subscriber, f"cb{number}", topic(wire))
            subscriber.script(f"cb{number}", 500, 500)
        await wire.submit(story())
        await subscriber.got("cb0")
        await server.restart()
        for number in range(5):
            sent = await subscriber.got(f"cb{number}", 3)
            assert sent[-1].titles == ["Ferry returns"]


async def test_without_the_broker_a_request_is_answered_503(
    quick: None, server: KillableServer, subscriber: Subscriber
) -> None:
    async with running(server.url) as wire:
        address, callback = topic(wire), f"{subscriber.url}/cb"
        await server.kill()
        answer = await ask(wire, "subscribe", address, callback)
        assert answer.status_code == 503
        await server.restart()
        subscriber.wants("cb", "subscribe", address)

        async def taken() -> bool:
            return bool((await ask(wire, "subscribe", address, callback)).status_code == 202)

        await until(taken)
        await subscriber.heard("cb", "subscribe")


async def test_feeds_of_all_partitions_are_distributed(quick: None, redis_url: str, subscriber: Subscriber) -> None:
    names = [f"feed{number}" for number in range(6)]
    assert {partition_of(name, 3) for name in names} == {0, 1, 2}
    async with running(redis_url, partitions=3) as wire:
        for name in names:
            assert (await wire.http.put(f"/v1/feeds/{name}", json={"title": name})).status_code == 201
            await subscribe(wire, subscriber, name, topic(wire, name))
        await wire.submit(story())
        for name in names:
            await subscriber.got(name)
        assert [item["feed"] for item in await listed(wire)] == names
        assert len(await listed(wire, feed="feed3")) == 1


async def test_one_process_takes_requests_and_another_delivers(
    quick: None, redis_url: str, subscriber: Subscriber
) -> None:
    def only(*roles: str) -> Builder:
        return lambda settings: build_publisher(settings, only=roles)

    async with (
        running(redis_url, services=[build_ingest, build_enrichment, only("feeds", "api")]) as wire,
        running(redis_url, services=[only("webhooks")]),
        running(redis_url, services=[only("webhooks")]),
    ):
        await subscribe(wire, subscriber, "cb", topic(wire))
        await wire.submit(story())
        (sent,) = await subscriber.got("cb")
        assert sent.body == (await wire.feed()).content
        await outcome(wire, "delivered")
        assert len(subscriber.sent) == 1


async def test_hundreds_of_changes_end_in_the_last_state_everywhere(wire: Wire, subscriber: Subscriber) -> None:
    names = [f"cb{number}" for number in range(10)]
    await asyncio.gather(*[subscribe(wire, subscriber, name, topic(wire)) for name in names])
    for number in range(60):
        await wire.submit(story(uri(number % 20), headline=f"Change {number}"))
    await wire.out(uri(19), 3)
    final = (await wire.feed()).content
    for name in names:
        await until(lambda name=name: subscriber.at(name)[-1:] and subscriber.at(name)[-1].body == final)


async def test_a_large_document_is_sent_whole_once_and_then_what_has_changed(
    quick: None, redis_url: str, subscriber: Subscriber
) -> None:
    async with running(redis_url) as wire:
        await subscribe(wire, subscriber, "cb", topic(wire))
        for number in range(4):
            await wire.submit(story(f"urn:a:{number}", body_text="A long story. " * 2_000))
        await wire.settled()
        await until(lambda: b"urn:a:3" in b"".join(sent.body for sent in subscriber.sent))
        count = len(subscriber.sent)
        assert b"urn:a:0" in subscriber.sent[0].body
        await wire.submit(story("urn:a:9", body_text="A short one."))
        await wire.desk("kill", "urn:a:1")
        await until(lambda: b'ref="urn:a:1"' in b"".join(sent.body for sent in subscriber.sent[count:]))
        later = b"".join(sent.body for sent in subscriber.sent[count:])
        assert b'<guid isPermaLink="false">urn:a:9</guid>' in later
        assert b'<guid isPermaLink="false">urn:a:2</guid>' not in later
