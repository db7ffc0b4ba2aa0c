"""Subscribing to a feed by WebSub: the ways through, what a callback may answer, what is refused, leases."""

import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from aiohttp import web
from support.subscriber import (
    Asked,
    Sent,
    Subscriber,
    ask,
    listed,
    nothing_pending,
    outcome,
    subscribe,
    subscribing,
    topic,
    uri,
)
from support.wire import Wire, running, story, until

from newswire_schemas.streams import HubKeys

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


@pytest.mark.parametrize("extension", ["rss", "atom", "json"])
async def test_hub_and_topic_are_found_in_the_feed_itself(wire: Wire, subscriber: Subscriber, extension: str) -> None:
    await wire.submit(story())
    await wire.out()
    document = await wire.anyone.get(f"/feeds/all.{extension}")
    if extension == "json":
        hub, own = document.json()["hubs"][0]["url"], document.json()["feed_url"]
        assert document.json()["hubs"][0]["type"] == "WebSub"
    else:
        links = {link.rel: link.href for link in feedparser.parse(document.content).feed.links}
        hub, own = links["hub"], links["self"]
    assert hub == f"{wire.url}/hub"
    await subscribe(wire, subscriber, "cb", own)
    await wire.submit(story(uri(2)))
    assert (await subscriber.got("cb"))[0].links["self"] == own


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
