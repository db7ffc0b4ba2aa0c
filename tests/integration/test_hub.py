"""The WebSub hub, against subscribers on real ports."""

import asyncio
import base64
import socket
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from support.servers import KillableServer
from support.subscriber import Asked, Sent, Subscriber, ask, subscribe, subscribing
from support.wire import Builder, Wire, running, story, until

from newswire_enrichment.app import build as build_enrichment
from newswire_ingest.app import build as build_ingest
from newswire_publisher.app import build as build_publisher
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.hub.deliveries import Deliveries
from newswire_schemas.streams import HubKeys, partition_of


@pytest.fixture
async def subscriber() -> AsyncIterator[Subscriber]:
    async with subscribing() as server:
        yield server


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire_publisher.hub.calls.FIRST_DELAY", 50)
    monkeypatch.setattr("newswire_publisher.hub.calls.CHECK_DELAYS", (50, 50, 50))


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire_publisher.hub.queues.LEASE_MS", 300)


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


def topic(wire: Wire, name: str = "all", extension: str = "rss") -> str:
    return f"{wire.url}/feeds/{name}.{extension}"


async def listed(wire: Wire, **params: Any) -> list[dict[str, Any]]:
    answer = await wire.http.get("/v1/hub/subscriptions", params=params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def outcome(wire: Wire, expected: str) -> dict[str, Any]:
    """Wait until the one subscription's last delivery came to this, and return it."""

    async def said() -> dict[str, Any] | None:
        (item,) = await listed(wire)
        return item if item.get("last", {}).get("outcome") == expected else None

    found: dict[str, Any] = await until(said, what=f"the last outcome is {expected}")
    return found


async def none_left(wire: Wire) -> None:
    async def empty() -> bool:
        return not await listed(wire)

    await until(empty, what="no subscription is left")


async def token(wire: Wire, name: str = "reader", role: str = "subscriber") -> dict[str, Any]:
    answer = await wire.http.post("/v1/tokens", json={"role": role, "name": name})
    found: dict[str, Any] = answer.json()
    return found


async def private_feed(wire: Wire, name: str = "inside") -> None:
    answer = await wire.http.put(f"/v1/feeds/{name}", json={"title": "Inside", "access": "token"})
    assert answer.status_code == 201, answer.text


# The ways through: discovery's addresses, a signed delivery, an end.


async def test_a_subscriber_confirms_and_is_sent_the_topic_as_a_get_gives_it(
    wire: Wire, subscriber: Subscriber
) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    (asked,) = subscriber.questions("cb")
    assert asked.query["hub.lease_seconds"] == str(10 * 86_400)
    assert len(asked.query["hub.challenge"]) >= 40
    await wire.submit(story())
    (sent,) = await subscriber.got("cb")
    read = await wire.feed()
    assert sent.body == read.content
    assert sent.headers["content-type"] == read.headers["content-type"]
    assert sent.links == {"hub": f"{wire.url}/hub", "self": topic(wire)}
    assert "x-hub-signature" not in sent.headers
    assert sent.titles == ["Ferry returns"]


async def test_a_secret_signs_the_body(wire: Wire, subscriber: Subscriber) -> None:
    secret = "s" * 195 + "éé"
    await subscribe(wire, subscriber, "cb", topic(wire), secret=secret)
    await wire.submit(story())
    (sent,) = await subscriber.got("cb")
    assert sent.headers["x-hub-signature"].startswith("sha256=")
    assert sent.signed_with(secret)
    assert not sent.signed_with("other")


async def test_a_correction_a_kill_and_an_embargos_lift_are_sent_within_a_second(
    wire: Wire, subscriber: Subscriber
) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    took = []

    async def sent_after(count: int, began: float) -> Sent:
        sent = (await subscriber.got("cb", count))[-1]
        took.append(sent.at - began)
        return sent

    began = time.monotonic()
    await wire.submit(story())
    assert (await sent_after(1, began)).titles == ["Ferry returns"]
    began = time.monotonic()
    await wire.submit(story(headline="Ferry returns at noon"))
    assert (await sent_after(2, began)).titles == ["Ferry returns at noon"]
    began = time.monotonic()
    await wire.desk("kill", note="Wrong.")
    assert (await sent_after(3, began)).titles == []
    lift = datetime.now(UTC) + timedelta(seconds=1.5)
    began = time.monotonic() + 1.5
    await wire.submit(story(uri(2), headline="Held", embargoed_until=lift.isoformat()))
    assert (await sent_after(4, began)).titles == ["Held"]
    assert min(took) > -0.05  # nothing before its embargo
    assert max(took) < 1, took


async def test_an_unsubscribe_is_confirmed_and_ends_it(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    await subscribe(wire, subscriber, "other", topic(wire))
    callback = subscriber.wants("cb", "unsubscribe", topic(wire))
    assert (await ask(wire, "unsubscribe", topic(wire), callback)).status_code == 202
    (asked,) = await subscriber.heard("cb", "unsubscribe")
    assert asked.query["hub.topic"] == topic(wire)

    async def gone() -> bool:
        return [item["callback"] for item in await listed(wire)] == [f"{subscriber.url}/other"]

    await until(gone)
    await wire.submit(story())
    await subscriber.got("other")
    assert subscriber.at("cb") == []


async def test_an_unsubscribe_that_is_not_confirmed_changes_nothing(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire))
    assert (await ask(wire, "unsubscribe", topic(wire), f"{subscriber.url}/cb")).status_code == 202
    await subscriber.heard("cb", "unsubscribe")
    await nothing_pending(wire)
    await wire.submit(story())
    await subscriber.got("cb")


async def nothing_pending(wire: Wire) -> None:
    async def none() -> bool:
        return not await wire.broker.hlen(HubKeys(0).pending)

    await until(none, what="no callback is still to be asked")


# What a callback may answer to a question.


@pytest.mark.parametrize("answer", ["wrong", "more", "longer", "404", "302", "empty"])
async def test_what_is_no_confirmation_subscribes_nobody(wire: Wire, subscriber: Subscriber, answer: str) -> None:
    async def reply(asked: Asked) -> web.Response:
        challenge = asked.query["hub.challenge"]
        texts = {"wrong": "x" * len(challenge), "more": f"{challenge} yes", "longer": challenge * 500, "empty": ""}
        if answer in texts:
            return web.Response(text=texts[answer])
        headers = {"Location": f"{subscriber.url}/other"} if answer == "302" else {}
        return web.Response(text=challenge, status=int(answer), headers=headers)

    subscriber.replies["cb"] = reply
    assert (await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb")).status_code == 202
    await subscriber.heard("cb", "subscribe")
    await nothing_pending(wire)
    assert await listed(wire) == []
    assert len(subscriber.asked) == 1


async def test_a_callback_that_is_not_ready_is_asked_again_with_another_challenge(
    quick_retries: None, wire: Wire, subscriber: Subscriber
) -> None:
    async def reply(asked: Asked) -> web.Response:
        if len(subscriber.asked) < 3:
            return web.Response(status=503)
        return web.Response(text=asked.query["hub.challenge"])

    subscriber.replies["cb"] = reply
    await subscribe(wire, subscriber, "cb", topic(wire))
    assert len({asked.query["hub.challenge"] for asked in subscriber.asked}) == 3


async def test_a_callback_that_is_never_ready_is_given_up(
    quick_retries: None, wire: Wire, subscriber: Subscriber
) -> None:
    async def reply(_: Asked) -> web.Response:
        return web.Response(status=500)

    subscriber.replies["cb"] = reply
    await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb")
    await subscriber.heard("cb", "subscribe", 4)
    await nothing_pending(wire)
    assert len(subscriber.asked) == 4
    assert await listed(wire) == []


async def test_a_callbacks_own_query_is_kept(wire: Wire, subscriber: Subscriber) -> None:
    subscriber.wants("cb", "subscribe", topic(wire))
    callback = f"{subscriber.url}/cb?id=7&x=a%26b&empty=&id=8"
    await ask(wire, "subscribe", topic(wire), callback)
    (asked,) = await subscriber.heard("cb", "subscribe")
    assert asked.pairs[:4] == [("id", "7"), ("x", "a&b"), ("empty", ""), ("id", "8")]
    assert [name for name, _ in asked.pairs[4:]] == ["hub.mode", "hub.topic", "hub.challenge", "hub.lease_seconds"]
    await nothing_pending(wire)
    await wire.submit(story())
    await subscriber.got("cb")


async def test_the_last_request_wins_over_one_that_is_being_confirmed(wire: Wire, subscriber: Subscriber) -> None:
    async def reply(asked: Asked) -> web.Response:
        if asked.query["hub.lease_seconds"] == "400":
            await subscriber.let_go.wait()
        return web.Response(text=asked.query["hub.challenge"])

    subscriber.replies["cb"] = reply
    callback = f"{subscriber.url}/cb"
    await ask(wire, "subscribe", topic(wire), callback, lease_seconds=400)
    await subscriber.heard("cb", "subscribe")
    await ask(wire, "subscribe", topic(wire), callback, lease_seconds=500)
    await subscriber.heard("cb", "subscribe", 2)
    await nothing_pending(wire)
    subscriber.let_go.set()
    await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb?second")
    await until(lambda: len(subscriber.asked) == 3)
    await nothing_pending(wire)
    leases = {item["callback"].removeprefix(callback): item["lease_seconds"] for item in await listed(wire)}
    assert leases == {"": 500, "?second": 864_000}


async def test_what_changes_between_request_and_confirmation_is_sent(wire: Wire, subscriber: Subscriber) -> None:
    async def reply(asked: Asked) -> web.Response:
        await subscriber.let_go.wait()
        return web.Response(text=asked.query["hub.challenge"])

    subscriber.replies["cb"] = reply
    await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb")
    await subscriber.heard("cb", "subscribe")
    await wire.submit(story())
    await wire.out()
    subscriber.let_go.set()
    (sent,) = await subscriber.got("cb")
    assert sent.titles == ["Ferry returns"]


# What is refused at once.


@pytest.mark.parametrize(
    ("fields", "status", "slug", "name"),
    [
        ({"hub.mode": "publish"}, 422, "invalid-fields", "hub.mode"),
        ({"hub.mode": None}, 422, "invalid-fields", "hub.mode"),
        ({"hub.topic": None}, 422, "invalid-fields", "hub.topic"),
        ({"hub.callback": None}, 422, "invalid-fields", "hub.callback"),
        ({"hub.callback": "ftp://x.example/"}, 422, "refused-url", "hub.callback"),
        ({"hub.callback": "http://10.0.0.1/cb"}, 422, "refused-url", "hub.callback"),
        ({"hub.callback": "http://169.254.169.254/latest"}, 422, "refused-url", "hub.callback"),
        ({"hub.callback": "http://[::ffff:10.0.0.1]/"}, 422, "refused-url", "hub.callback"),
        ({"hub.callback": "http://user:pass@x.example/"}, 422, "refused-url", "hub.callback"),
        ({"hub.callback": "/cb"}, 422, "refused-url", "hub.callback"),
        ({"hub.topic": "http://feeds.example/feeds/all.rss"}, 422, "foreign-topic", "hub.topic"),
        ({"hub.topic": "{url}/feeds/all"}, 422, "foreign-topic", "hub.topic"),
        ({"hub.topic": "{url}/v1/articles"}, 422, "foreign-topic", "hub.topic"),
        ({"hub.topic": "{url}/feeds/all.rss?archive=latest"}, 422, "foreign-topic", "hub.topic"),
        ({"hub.topic": "/feeds/all.rss"}, 422, "foreign-topic", "hub.topic"),
        ({"hub.topic": "http://["}, 422, "foreign-topic", "hub.topic"),
        ({"hub.topic": "{url}/feeds/none.rss"}, 404, "not-found", "hub.topic"),
        ({"hub.topic": "{url}/feeds/all.exe"}, 404, "not-found", "hub.topic"),
        ({"hub.lease_seconds": "0"}, 422, "invalid-fields", "hub.lease_seconds"),
        ({"hub.lease_seconds": "-5"}, 422, "invalid-fields", "hub.lease_seconds"),
        ({"hub.lease_seconds": "٣"}, 422, "invalid-fields", "hub.lease_seconds"),
        ({"hub.lease_seconds": "1e9"}, 422, "invalid-fields", "hub.lease_seconds"),
        ({"hub.secret": "s" * 200}, 422, "invalid-fields", "hub.secret"),
        ({"hub.secret": "é" * 100}, 422, "invalid-fields", "hub.secret"),
    ],
)
async def test_a_request_that_cannot_be_is_refused_and_asks_nobody(
    wire: Wire, fields: dict[str, str | None], status: int, slug: str, name: str
) -> None:
    given = {"hub.mode": "subscribe", "hub.topic": topic(wire), "hub.callback": "http://127.0.0.1:9/cb"} | fields
    data = {key: value.replace("{url}", wire.url) for key, value in given.items() if value is not None}
    answer = await wire.anyone.post("/hub", data=data)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["type"] == f"/problems/{slug}"
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{name}"]
    assert await wire.broker.hlen(HubKeys(0).pending) == 0


async def test_what_is_no_form_or_too_long_is_refused(wire: Wire) -> None:
    form = "application/x-www-form-urlencoded"
    assert (await wire.anyone.post("/hub", json={"hub.mode": "subscribe"})).status_code == 415
    assert (await wire.anyone.post("/hub", content=b"a" * 10_001, headers={"content-type": form})).status_code == 413
    for bad in (b"hub.mode=%ff", b"&".join([b"a=1"] * 51), b"hub.mode=subscribe&hub.mode=unsubscribe"):
        answer = await wire.anyone.post("/hub", content=bad, headers={"content-type": form})
        assert answer.status_code == 422, bad


async def test_parameters_that_are_not_the_hubs_are_ignored(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire), verify="async", verify_token="x", lease_seconds="")


async def test_a_get_says_what_the_hub_is_for(wire: Wire) -> None:
    answer = await wire.anyone.get("/hub")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"hub.topic={wire.url}/feeds/all.rss" in answer.text


async def test_a_name_that_resolves_to_a_guarded_address_is_never_connected(
    monkeypatch: pytest.MonkeyPatch, quick: None, quick_retries: None, redis_url: str
) -> None:
    asked = []

    def inside(host: str, port: int) -> Any:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("newswire_runtime.outbound.system_lookup", inside)
    async with subscribing() as victim:
        async with running(redis_url, ssrf_allow="") as wire:
            for host, status in (("localhost", 422), ("rebound.example", 202)):
                answer = await ask(wire, "subscribe", topic(wire), victim.url.replace("127.0.0.1", host) + "/cb")
                assert answer.status_code == status
            await nothing_pending(wire)
            assert set(asked) == {"rebound.example"}
            assert victim.asked == []
        # A name may also come to mean an inside address after it was confirmed.
        async with running(redis_url) as wire:
            callback = victim.url.replace("127.0.0.1", "rebound.example") + "/cb"
            victim.wants("cb", "subscribe", topic(wire))
            assert (await ask(wire, "subscribe", topic(wire), callback)).status_code == 202
            await victim.heard("cb", "subscribe")
            await nothing_pending(wire)
        async with running(redis_url, ssrf_allow="") as wire:
            await wire.submit(story())
            assert (await outcome(wire, "retry"))["last"]["error"] == "guarded"
            assert victim.sent == []


async def test_more_waiting_callbacks_than_there_is_room_for_are_refused_for_now(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, subscriber: Subscriber
) -> None:
    monkeypatch.setattr("newswire_publisher.hub.store.MOST_PENDING", 2)

    async def reply(_: Asked) -> web.Response:
        await subscriber.let_go.wait()
        return web.Response(status=404)

    for number in range(3):
        subscriber.replies[f"cb{number}"] = reply
    codes = [(await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb{number}")) for number in (0, 1, 2, 1)]
    assert [answer.status_code for answer in codes] == [202, 202, 503, 202]
    assert codes[2].headers["retry-after"] == "60"


async def test_callbacks_of_one_host_are_asked_only_so_often(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, subscriber: Subscriber
) -> None:
    monkeypatch.setattr("newswire_publisher.hub.store.MOST_A_MINUTE", 3)
    answers = [await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb{number}") for number in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"
    other = subscriber.url.replace("127.0.0.1", "localhost")
    assert (await ask(wire, "subscribe", topic(wire), other)).status_code != 429
    await until(lambda: len(subscriber.asked) == 3)


async def test_a_feed_takes_only_so_many_subscribers(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, subscriber: Subscriber
) -> None:
    monkeypatch.setattr("newswire_publisher.hub.store.MOST_SUBSCRIBERS", 1)
    await subscribe(wire, subscriber, "cb", topic(wire))
    assert (await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/more")).status_code == 503
    assert (await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb")).status_code == 202


# Leases.


@pytest.mark.parametrize(
    ("wanted", "given"), [("1", 300), ("300", 300), ("86400", 86_400), ("9" * 40, 2_592_000), (None, 864_000)]
)
async def test_a_lease_is_never_for_ever_and_never_for_moments(
    wire: Wire, subscriber: Subscriber, wanted: str | None, given: int
) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire), **({"lease_seconds": wanted} if wanted else {}))
    (asked,) = subscriber.questions("cb")
    assert asked.query["hub.lease_seconds"] == str(given)
    (item,) = await listed(wire)
    left = datetime.fromisoformat(item["ends"]) - datetime.now(UTC)
    assert abs(left.total_seconds() - given) < 20


async def test_a_lease_that_has_ended_gets_nothing_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, subscriber: Subscriber
) -> None:
    monkeypatch.setattr("newswire_publisher.hub.model.SHORTEST_LEASE", 1)
    await subscribe(wire, subscriber, "short", topic(wire), lease_seconds=1)
    await subscribe(wire, subscriber, "long", topic(wire))

    async def ended() -> bool:
        return [item["callback"] for item in await listed(wire)] == [f"{subscriber.url}/long"]

    await until(ended)
    await wire.submit(story())
    await subscriber.got("long")
    assert subscriber.at("short") == []
    assert [asked.mode for asked in subscriber.questions("short")] == ["subscribe"]
    subscription = (await listed(wire))[0]["id"]
    names = [name for name in await wire.broker.hkeys(HubKeys(0).state) if not name.endswith(subscription.encode())]
    assert names == []


async def test_subscribing_again_renews_and_repeats_nothing(wire: Wire, subscriber: Subscriber) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire), lease_seconds=400, secret="old")
    await wire.submit(story())
    await subscriber.got("cb")
    before = (await outcome(wire, "delivered"))["ends"]
    await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb", lease_seconds=4_000, secret="new")
    await subscriber.heard("cb", "subscribe", 2)
    await nothing_pending(wire)
    (item,) = await listed(wire)
    assert item["ends"] > before
    await wire.submit(story(uri(2)))
    first, second = await subscriber.got("cb", 2)
    assert first.signed_with("old")
    assert second.signed_with("new")
    assert len(second.titles) == 2


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
    monkeypatch.setattr("newswire_publisher.app.ROOMS", (8, 2, 2))
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


# Private feeds.


@pytest.mark.parametrize("extension", FORMATS)
async def test_every_format_is_a_topic_of_its_own_media_type(
    wire: Wire, subscriber: Subscriber, extension: str
) -> None:
    await subscribe(wire, subscriber, "cb", topic(wire, extension=extension), secret="s")
    await wire.submit(story())
    (sent,) = await subscriber.got("cb")
    read = await wire.anyone.get(f"/feeds/all.{extension}")
    assert sent.body == read.content
    assert sent.headers["content-type"] == read.headers["content-type"]
    assert sent.links == {"hub": f"{wire.url}/hub", "self": topic(wire, extension=extension)}
    assert sent.signed_with("s")


@pytest.mark.parametrize("way", ["query", "bearer", "basic"])
async def test_a_private_feed_is_for_holders_of_a_token(
    wire: Wire, subscriber: Subscriber, way: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    await private_feed(wire)
    address = topic(wire, "inside")
    for strange in (address, f"{address}?token=nw_wrong", f"{address}?token="):
        answer = await ask(wire, "subscribe", strange, f"{subscriber.url}/cb")
        assert answer.status_code == 404
        assert (
            answer.json()["detail"]
            == (await ask(wire, "subscribe", topic(wire, "none"), f"{subscriber.url}/cb")).json()["detail"]
        )
    secret = (await token(wire))["token"]
    given = f"{address}?token={secret}" if way == "query" else address
    headers = {
        "query": {},
        "bearer": {"Authorization": f"Bearer {secret}"},
        "basic": {"Authorization": "Basic " + _basic(secret)},
    }[way]
    await subscribe(wire, subscriber, "cb", given, headers=headers)
    (asked,) = subscriber.asked
    assert asked.query["hub.topic"] == given
    await nothing_pending(wire)
    await wire.submit(story())
    (sent,) = await subscriber.got("cb")
    assert sent.titles == ["Ferry returns"]
    assert sent.links["self"] == address
    (item,) = await listed(wire)
    assert (item["topic"], item["private"]) == (address, True)
    kept = str([await _dump(wire, name) async for name in wire.broker.scan_iter("hub:*")])
    assert secret not in kept + str(item) + str(sent) + caplog.text + "".join(capfd.readouterr())


def _basic(secret: str) -> str:
    return base64.b64encode(f"reader:{secret}".encode()).decode()


async def _dump(wire: Wire, name: bytes) -> Any:
    return await wire.broker.dump(name)


async def test_a_limited_token_is_sent_what_it_may_see_and_only_when_that_changes(
    wire: Wire, subscriber: Subscriber
) -> None:
    await private_feed(wire)
    await private_feed(wire, "other")
    limits = {"feeds": ["inside"], "filter": {"languages": ["de"]}, "rights": []}
    body = {"role": "subscriber", "name": "limited", "entitlement": limits}
    secret = (await wire.http.post("/v1/tokens", json=body)).json()["token"]
    full = (await token(wire))["token"]
    headers = {"Authorization": f"Bearer {secret}"}
    answer = await ask(wire, "subscribe", topic(wire, "other"), f"{subscriber.url}/limited", headers=headers)
    assert answer.status_code == 404
    await subscribe(wire, subscriber, "limited", topic(wire, "inside"), headers=headers)
    await subscribe(wire, subscriber, "full", f"{topic(wire, 'inside')}?token={full}")
    german = {
        "language": "de",
        "headline": "Fähre kehrt zurück",
        "body_text": "Die Fähre ist zurück.",
        "summary": "Da.",
    }
    await wire.submit(story(uri(1), **german))
    (sent,) = await subscriber.got("limited")
    read = await wire.anyone.get("/feeds/inside.rss", headers=headers)
    assert sent.body == read.content
    assert "Die Fähre ist zurück" not in sent.body.decode()
    assert "Die Fähre ist zurück" in (await subscriber.got("full"))[0].body.decode()
    for number in (2, 3):
        await wire.submit(story(uri(number)))
        await subscriber.got("full", number)
    await wire.submit(story(uri(4), **german))
    assert len((await subscriber.got("limited", 2))[1].titles) == 2
    assert len(subscriber.at("limited")) == 2


async def test_who_loses_its_token_is_sent_nothing_more_and_told_so(wire: Wire, subscriber: Subscriber) -> None:
    await private_feed(wire)
    holders = [await token(wire, name) for name in ("one", "two")]
    for number, holder in enumerate(holders):
        await subscribe(wire, subscriber, f"cb{number}", f"{topic(wire, 'inside')}?token={holder['token']}")
    await wire.http.delete(f"/v1/tokens/{holders[0]['id']}")
    await wire.submit(story())
    await subscriber.got("cb1")
    (told,) = await subscriber.heard("cb0", "denied")
    assert told.query["hub.topic"] == topic(wire, "inside")
    assert told.query["hub.reason"]
    assert subscriber.at("cb0") == []
    assert [item["callback"] for item in await listed(wire)] == [f"{subscriber.url}/cb1"]


async def test_a_token_that_is_revoked_before_the_callback_answers_is_denied(
    quick_retries: None, wire: Wire, subscriber: Subscriber
) -> None:
    await private_feed(wire)
    holder = await token(wire)

    async def reply(asked: Asked) -> web.Response:
        if asked.mode == "subscribe":
            await wire.http.delete(f"/v1/tokens/{holder['id']}")
        return web.Response(status=503 if asked.mode == "subscribe" else 200)

    subscriber.replies["cb"] = reply
    address = f"{topic(wire, 'inside')}?token={holder['token']}"
    await ask(wire, "subscribe", address, f"{subscriber.url}/cb")
    (told,) = await subscriber.heard("cb", "denied")
    assert told.query["hub.topic"] == address
    await nothing_pending(wire)
    assert await listed(wire) == []


async def test_a_revoked_token_may_still_unsubscribe(wire: Wire, subscriber: Subscriber) -> None:
    await private_feed(wire)
    holder = await token(wire)
    address = f"{topic(wire, 'inside')}?token={holder['token']}"
    await subscribe(wire, subscriber, "cb", address)
    await wire.http.delete(f"/v1/tokens/{holder['id']}")
    callback = subscriber.wants("cb", "unsubscribe", address)
    assert (await ask(wire, "unsubscribe", address, callback)).status_code == 202
    await none_left(wire)


async def test_a_wire_that_is_not_public_takes_holders_only(
    quick: None, redis_url: str, subscriber: Subscriber
) -> None:
    async with running(redis_url, public=False) as wire:
        assert (await ask(wire, "subscribe", topic(wire), f"{subscriber.url}/cb")).status_code == 404
        await subscribe(wire, subscriber, "cb", f"{topic(wire)}?token={(await token(wire))['token']}")


async def test_subscribers_of_a_deleted_feed_are_told(wire: Wire, subscriber: Subscriber) -> None:
    assert (await wire.http.put("/v1/feeds/sport", json={"title": "Sport"})).status_code == 201
    await subscribe(wire, subscriber, "cb", topic(wire, "sport"))
    assert (await wire.http.delete("/v1/feeds/sport")).status_code == 204
    (told,) = await subscriber.heard("cb", "denied")
    assert told.query["hub.topic"] == topic(wire, "sport")
    await none_left(wire)
    assert subscriber.sent == []


async def test_two_feeds_of_one_callback_are_two_subscriptions(wire: Wire, subscriber: Subscriber) -> None:
    await wire.http.put("/v1/feeds/german", json={"title": "German", "filter": {"languages": ["de"]}})
    await subscribe(wire, subscriber, "cb", topic(wire))
    subscriber.wants("cb", "subscribe", topic(wire, "german"))
    await ask(wire, "subscribe", topic(wire, "german"), f"{subscriber.url}/cb")
    await subscriber.heard("cb", "subscribe", 2)
    await nothing_pending(wire)
    await wire.submit(story())
    await subscriber.got("cb")
    await outcome_of(wire, "all", "delivered")
    await wire.submit(story(uri(2), language="de", headline="Fähre kehrt zurück", body_text="Die Fähre ist zurück."))
    sent = await subscriber.got("cb", 3)
    assert [each.links["self"] for each in sent[:1]] == [topic(wire)]
    assert {each.links["self"] for each in sent[1:]} == {topic(wire), topic(wire, "german")}


async def outcome_of(wire: Wire, feed: str, expected: str) -> None:
    async def said() -> bool:
        return any(item.get("last", {}).get("outcome") == expected for item in await listed(wire, feed=feed))

    await until(said)


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
