"""The hub by itself, for topics of any kind: the cases that WebSub's public test suite asks of a hub.

https://websub.rocks/hub: a typical subscription, a signed one, an end, plain text, JSON, and what must be ignored.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI
from support.subscriber import Subscriber, ask, subscribe
from support.wire import Wire, running, until

from newswire_publisher.hub.api import HubApi
from newswire_publisher.hub.checks import Checks
from newswire_publisher.hub.deliveries import Deliveries
from newswire_publisher.hub.queues import HubQueues
from newswire_publisher.hub.store import HubStore
from newswire_publisher.hub.worker import ROOMS, HubWorker
from newswire_runtime.auth import Tokens
from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.service import Service
from newswire_runtime.settings import Settings
from newswire_runtime.ssrf import AddressGuard
from newswire_schemas.streams import FeedKeys

KINDS = {
    "txt": ("text/plain", "Plain text, in every script: Привет, 世界 🎉\r\n".encode()),
    "json": ("application/json", json.dumps({"title": "JSON", "items": []}).encode()),
    "html": ("text/html; charset=utf-8", b"<!doctype html><title>HTML</title>"),
    "bin": ("application/octet-stream", bytes(range(256)) * 4_000),
    "empty": ("text/plain", b""),
}


@dataclass
class Pages:
    """Topics that a test writes."""

    pages: dict[str, tuple[bytes, str, int]] = field(default_factory=dict)

    async def reader(self, name: str, extension: str, secret: str | None) -> str | None:  # noqa: ARG002
        return "" if f"{name}.{extension}" in self.pages else None

    async def may_read(self, name: str, reader: str) -> bool:  # noqa: ARG002
        return True

    async def topic(
        self,
        name: str,
        extension: str,
        base_url: str,  # noqa: ARG002
        reader: str,  # noqa: ARG002
    ) -> tuple[bytes, str, int] | None:
        return self.pages.get(f"{name}.{extension}")

    async def change(self, wire: Wire, name: str, body: bytes, media_type: str) -> None:
        """Change a topic, and mark it as a feed's script does."""
        keys = FeedKeys(name.partition(".")[0], 1)
        generation = await wire.broker.hincrby(keys.state, "generation", 1)
        self.pages[name] = body, media_type, generation
        await wire.broker.zadd(keys.dirty, {name.partition(".")[0]: 0})
        await wire.broker.xadd(keys.bell, {"feed": name})


@pytest.fixture
def pages() -> Pages:
    return Pages({f"page.{extension}": (b"before", kind, 0) for extension, (kind, _) in KINDS.items()})


@pytest.fixture
async def hub(redis_url: str, pages: Pages) -> AsyncIterator[Wire]:
    def build(settings: Settings) -> Service:
        url = settings.broker_url.get_secret_value()
        broker, client = make_broker(url, 3), make_client(url)
        guard = AddressGuard(settings.ssrf_allow)
        http, store = GuardedClient(guard, per_host=0), HubStore(client, 1)
        worker = HubWorker(
            HubQueues(client, 0, 1, ROOMS), store, Deliveries(store, pages, http), Checks(store, pages, http, 0)
        )
        tokens = Tokens(client, settings.first_operator_token())
        api = HubApi(store=store, topics=pages, tokens=tokens, guard=guard, base_url="")

        def install(app: FastAPI) -> None:
            api.install(app)

        openers, closers = [http.__aenter__], [http.close]
        return Service("hub", settings, broker, client, [], install, [worker], openers=openers, closers=closers)

    async with running(redis_url, services=[build]) as wire:
        yield wire


@pytest.mark.parametrize("signed", [False, True], ids=["plain", "signed"])
@pytest.mark.parametrize("extension", KINDS)
async def test_a_topic_of_any_kind_is_sent_byte_for_byte(
    hub: Wire, pages: Pages, subscriber: Subscriber, extension: str, signed: bool
) -> None:
    address = f"{hub.url}/feeds/page.{extension}"
    kind, body = KINDS[extension]
    await subscribe(hub, subscriber, "cb", address, **({"secret": "shared secret"} if signed else {}))
    await pages.change(hub, f"page.{extension}", body, kind)
    (sent,) = await subscriber.got("cb")
    assert (sent.body, sent.headers["content-type"]) == (body, kind)
    assert sent.links == {"hub": f"{hub.url}/hub", "self": address}
    assert ("x-hub-signature" in sent.headers) == signed
    if signed:
        assert sent.signed_with("shared secret")


async def test_after_an_unsubscribe_nothing_is_sent(hub: Wire, pages: Pages, subscriber: Subscriber) -> None:
    address = f"{hub.url}/feeds/page.txt"
    for name in ("leaves", "stays"):
        await subscribe(hub, subscriber, name, address)
    await pages.change(hub, "page.txt", b"one", "text/plain")
    for name in ("leaves", "stays"):
        await subscriber.got(name)
    callback = subscriber.wants("leaves", "unsubscribe", address)
    assert (await ask(hub, "unsubscribe", address, callback)).status_code == 202
    (asked,) = await subscriber.heard("leaves", "unsubscribe")
    assert asked.query["hub.topic"] == address

    async def one_left() -> bool:
        return len((await hub.http.get("/v1/hub/subscriptions")).json()["items"]) == 1

    await until(one_left)
    await pages.change(hub, "page.txt", b"two", "text/plain")
    await subscriber.got("stays", 2)
    assert len(subscriber.at("leaves")) == 1


async def test_a_subscriber_that_refuses_is_not_subscribed(hub: Wire, subscriber: Subscriber) -> None:
    address = f"{hub.url}/feeds/page.txt"
    assert (await ask(hub, "subscribe", address, f"{subscriber.url}/cb")).status_code == 202
    await subscriber.heard("cb", "subscribe")  # answered 404: it did not ask
    await subscribe(hub, subscriber, "other", address)
    items = (await hub.http.get("/v1/hub/subscriptions")).json()["items"]
    assert [item["callback"] for item in items] == [f"{subscriber.url}/other"]


async def test_a_lease_that_is_asked_for_is_said_and_kept(hub: Wire, subscriber: Subscriber) -> None:
    await subscribe(hub, subscriber, "cb", f"{hub.url}/feeds/page.txt", lease_seconds=3_600)
    assert subscriber.asked[0].query["hub.lease_seconds"] == "3600"


async def test_a_topic_that_fails_to_render_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, hub: Wire, pages: Pages, subscriber: Subscriber
) -> None:
    render = Pages.topic

    async def fails(
        self: Pages, name: str, extension: str, base_url: str, reader: str
    ) -> tuple[bytes, str, int] | None:
        if extension == "json":
            raise ValueError("cannot be written")
        return await render(self, name, extension, base_url, reader)

    for extension in ("json", "txt"):
        await subscribe(hub, subscriber, extension, f"{hub.url}/feeds/page.{extension}")
    monkeypatch.setattr(Pages, "topic", fails)
    monkeypatch.setattr("newswire_publisher.hub.queues.LEASE_MS", 300)
    await pages.change(hub, "page.txt", b"one", "text/plain")
    await subscriber.got("txt")
    assert subscriber.at("json") == []
    monkeypatch.setattr(Pages, "topic", render)
    await pages.change(hub, "page.json", b"{}", "application/json")
    assert (await subscriber.got("json"))[0].body == b"{}"
