"""Private feeds by WebSub, in every format: for holders of a token, and as far as it goes."""

import base64
import time
from typing import Any

import pytest
from aiohttp import web
from support.subscriber import (
    Asked,
    Subscriber,
    ask,
    listed,
    none_left,
    nothing_pending,
    private_feed,
    subscribe,
    token,
    topic,
    uri,
)
from support.wire import Wire, running, story, until

from newswire_publisher.feeds.formats.registry import FORMATS


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
    second = int(time.time())
    await until(lambda: int(time.time()) > second, what="dates in whole seconds are others")
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
