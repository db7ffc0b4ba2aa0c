"""Webhooks whose secrets no key opens: everybody who looks is told, and what else there is goes on."""

from collections.abc import AsyncIterator

import pytest
from support.servers import KillableServer
from support.wire import SECRET_KEY, Hook, Receiver, Wire, running, story

from newswire_runtime.broker import make_client
from newswire_schemas.streams import ConfKeys

OTHER_KEY = "another-key-that-encrypts-secrets-in-tests"


@pytest.fixture(params=[OTHER_KEY, None], ids=["wrong", "missing"])
async def key(request: pytest.FixtureRequest) -> str | None:
    found: str | None = request.param
    return found


@pytest.fixture
async def made(quick: None, redis_url: str) -> AsyncIterator[dict[str, str]]:
    """Register under the right key: one that is pushed, one that is disabled, and one without an address."""
    async with running(redis_url) as wire:
        ids = {
            "pushed": (await wire.hook(url="http://127.0.0.1:9/hook")).id,
            "disabled": (await wire.hook(url="http://127.0.0.1:9/off")).id,
            "pulled": (await wire.hook()).id,
        }
        await Hook(wire, ids["disabled"], "").call("POST", "/disable")
        assert (await ready(wire)) == {"status": "ready", "services": ["ingest", "enrichment", "publisher"]}
        assert (await Hook(wire, ids["pushed"], "").call("GET"))["health"] == "quiet"
        assert await gauge(wire) == 0
    yield ids


async def ready(wire: Wire) -> dict[str, object]:
    answer = await wire.anyone.get("/readyz")
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def gauge(wire: Wire) -> float:
    lines = (await wire.anyone.get("/metrics")).text.splitlines()
    (value,) = [line.split()[1] for line in lines if line.startswith("newswire_webhooks_unsigned ")]
    return float(value)


async def test_a_service_that_cannot_sign_is_ready_and_says_so_and_feeds_go_on(
    redis_url: str, made: dict[str, str], key: str | None
) -> None:
    async with running(redis_url, secret_key=key) as wire:
        said = await ready(wire)

        assert said["status"] == "degraded"
        assert "publisher: 1 of 3 webhooks cannot be signed, and their pushes wait" in str(said["degraded"])
        assert "NEWSWIRE_SECRET_KEY" in str(said["degraded"])
        assert await gauge(wire) == 1
        await wire.submit(story())
        await wire.out()
        assert "Ferry" in (await wire.anyone.get("/feeds/all.rss")).text


async def test_an_operator_is_told_which_webhooks_cannot_be_signed(
    redis_url: str, made: dict[str, str], key: str | None
) -> None:
    async with running(redis_url, secret_key=key) as wire:
        status = (await wire.http.get("/v1/status")).json()

        assert status["webhooks"]["unsigned"] == [made["pushed"]]


async def test_a_webhook_says_that_its_pushes_wait_and_why(
    redis_url: str, made: dict[str, str], key: str | None
) -> None:
    async with running(redis_url, secret_key=key) as wire:
        shown = {name: await Hook(wire, hook_id, "").call("GET") for name, hook_id in made.items()}
        listed = (await wire.http.get("/v1/webhooks")).json()["items"]

        assert shown["pushed"]["health"] == "unsigned"
        assert "NEWSWIRE_SECRET_KEY" in shown["pushed"]["unsigned"]
        assert (shown["disabled"]["health"], "unsigned" in shown["disabled"]) == ("disabled", True)
        assert (shown["pulled"]["health"], "unsigned" in shown["pulled"]) == ("pull", False)
        assert [each["health"] for each in listed] == ["unsigned", "disabled", "pull"]


async def test_a_rotation_ends_it(redis_url: str, made: dict[str, str], receiver: Receiver) -> None:
    async with running(redis_url, secret_key=OTHER_KEY) as wire:
        hook = Hook(wire, made["pushed"], "")
        await hook.call("PATCH", json={"url": receiver.script("hook")})
        await hook.call("POST", "/rotate-secret", json={"grace": 0})

        assert (await ready(wire))["status"] == "ready"
        assert (await hook.call("GET"))["health"] == "quiet"
        await wire.submit(story())
        await receiver.got("hook", 1)


async def test_an_endpoint_whose_headers_no_key_opens_waits_until_the_key_is_back_or_they_are_set_anew(
    quick: None, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.worker.LEASE_MS", 500)
    headers = {"X-Api-Key": "of-the-receiver", "X-Desk": "sport"}
    async with running(redis_url) as wire:
        first, second = [await wire.hook(url=receiver.script(path), headers=headers) for path in ("first", "second")]
    async with running(redis_url, secret_key=OTHER_KEY) as wire:
        first, second = Hook(wire, first.id, ""), Hook(wire, second.id, "")
        await wire.submit(story())
        for hook in (first, second):
            await hook.call("POST", "/rotate-secret", json={"grace": 0})  # its secret is readable now
            await hook.logged(1)
            shown = await hook.call("GET")
            assert shown["health"] == "unsigned"
            assert "header x-api-key" in shown["unsigned"]
            assert shown["headers"] == dict.fromkeys(("x-api-key", "x-desk"), "(unreadable)")
        done = (await wire.http.post("/v1/webhooks/rekey")).json()
        assert {"webhook": first.id, "key": "header x-desk"} in done["unreadable"]

        await first.call("PATCH", json={"headers": {"X-Api-Key": "another", "X-Desk": None}})

        (push,) = await receiver.got("first", 1)
        assert (push.headers["x-api-key"], "x-desk" in push.headers) == ("another", False)
        await second.call("PATCH", json={"description": "changed"})
        assert receiver.at("second") == []
    async with running(redis_url, secret_key=f"{OTHER_KEY},{SECRET_KEY}"):
        (push,) = await receiver.got("second", 1)
        assert {name: push.headers[name.lower()] for name in headers} == headers


async def test_a_secret_that_nobody_can_read_is_told_and_takes_no_other_down(
    quick: None, server: KillableServer
) -> None:
    rows = [
        f'{{"id":"wh_{name}","owner":"operator","created":"2026-01-01T00:00:00Z","url":"http://127.0.0.1:9/","keys":{keys}}}'
        for name, keys in (
            ("none", "[]"),
            ("bad", '[{"id":"k","created":"2026-01-01T00:00:00Z","signature":"v1","sealed":"whsec_x"}]'),
        )
    ]
    client = make_client(server.url)
    await client.hset(ConfKeys.table("webhooks"), mapping={"wh_none": rows[0], "wh_bad": rows[1]})
    await client.hincrby(ConfKeys.generation, "webhooks", 1)
    await client.aclose()
    async with running(server.url, secret_key=SECRET_KEY) as wire:
        await wire.hook(url="http://127.0.0.1:9/")

        assert "2 of 3 webhooks" in str((await ready(wire))["degraded"])
