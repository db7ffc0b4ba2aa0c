"""The ownership challenge: nothing is pushed to an address that has not echoed a random token."""

from collections.abc import AsyncIterator

import pytest
from standardwebhooks.webhooks import Webhook
from support.hooks import echoing, integrator, registered
from support.wire import Hook, Receiver, Wire, running, story, until

from newswire_publisher.webhooks.challenge import is_echo

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


@pytest.fixture
async def strict(quick: None, redis_url: str, receiver: Receiver) -> AsyncIterator[Wire]:
    """A wire that challenges every address."""
    async with running(redis_url, webhook_challenge="required") as started:
        yield started
        receiver.let_go.set()


@pytest.mark.parametrize("how", ["plain", "json"])
async def test_an_address_that_echoes_the_token_is_verified_at_registration(
    wire: Wire, receiver: Receiver, how: str
) -> None:
    made = await registered(wire, url=echoing(receiver, "hook", how=how), challenge=True, secret=SECRET)
    assert (made["status"], made["verification"]["verified"]) == ("enabled", True)
    (asked,) = receiver.pushes
    assert asked.message["type"] == "webhook.challenge"
    assert len(asked.message["data"]["challenge"]) >= 32
    Webhook(SECRET).verify(asked.body, asked.headers)
    await wire.submit(story())
    assert (await receiver.got("hook", 2))[1].message["type"] == "article.new"


@pytest.mark.parametrize("how", ["mirror", "never"])
async def test_an_address_that_does_not_echo_stays_pending_and_is_told_why(
    wire: Wire, receiver: Receiver, how: str
) -> None:
    made = await registered(wire, url=echoing(receiver, "hook", how=how), challenge=True)
    assert (made["status"], made["verification"]["verified"]) == ("pending", False)
    assert "challenge" in made["verification"]["detail"]
    assert (await wire.http.post(f"/v1/webhooks/{made['id']}/test")).json()["type"] == "/problems/not-verified"


async def test_a_pending_webhook_gets_nothing_until_it_is_verified_and_then_what_its_log_holds(
    wire: Wire, receiver: Receiver
) -> None:
    made = await registered(wire, url=echoing(receiver, "hook", how="never"), challenge=True)
    hook = Hook(wire, made["id"], made["secret"])
    other = await wire.hook(url=receiver.script("other"))
    await wire.submit(story())
    await receiver.got("other", 1)
    await other.drained()
    assert len(await hook.logged(1)) == 1
    assert await hook.attempts() == []
    echoing(receiver, "hook")
    verified = await hook.call("POST", "/verify")
    assert (verified["status"], verified["verification"]["verified"]) == ("enabled", True)
    pushes = await receiver.got("hook", 3)
    assert [push.message["type"] for push in pushes] == ["webhook.challenge", "webhook.challenge", "article.new"]
    assert (await hook.call("POST", "/verify"))["status"] == "enabled"
    assert len(receiver.at("hook")) == 3  # a verified one is not asked again


async def test_each_challenge_has_a_token_of_its_own(wire: Wire, receiver: Receiver) -> None:
    made = await registered(wire, url=echoing(receiver, "hook", how="never"), challenge=True)
    await wire.http.post(f"/v1/webhooks/{made['id']}/verify")
    assert len({push.message["data"]["challenge"] for push in receiver.pushes}) == 2


async def test_another_host_is_challenged_anew_and_another_path_is_not(wire: Wire, receiver: Receiver) -> None:
    made = await registered(wire, url=echoing(receiver, "hook"), challenge=True)
    hook = Hook(wire, made["id"], made["secret"])
    same = await hook.call("PATCH", json={"url": f"{receiver.url}/elsewhere"})
    assert same["status"] == "enabled"
    echoing(receiver, "hook", how="never")
    moved = await hook.call("PATCH", json={"url": f"{receiver.url.replace('127.0.0.1', 'localhost')}/hook"})
    assert (moved["status"], moved["verification"]["verified"]) == ("pending", False)
    assert (await hook.call("PATCH", json={"description": "x"}))["status"] == "pending"
    assert (await hook.call("POST", "/enable"))["status"] == "pending"


async def test_a_webhook_that_gives_up_its_challenge_is_pushed_to(wire: Wire, receiver: Receiver) -> None:
    made = await registered(wire, url=echoing(receiver, "hook", how="never"), challenge=True)
    hook = Hook(wire, made["id"], made["secret"])
    assert (await hook.call("PATCH", json={"challenge": False}))["status"] == "enabled"
    await wire.submit(story())
    await receiver.got("hook", 2)


async def test_where_challenges_are_required_nobody_gives_them_up(strict: Wire, receiver: Receiver) -> None:
    made = await registered(strict, url=echoing(receiver, "hook", how="never"))
    hook = Hook(strict, made["id"], made["secret"])
    assert made["status"] == "pending"
    assert (await hook.call("PATCH", json={"challenge": False}))["status"] == "pending"
    pull = await registered(strict)
    assert pull["status"] == "enabled"
    given = await strict.http.patch(f"/v1/webhooks/{pull['id']}", json={"url": f"{receiver.url}/hook"})
    assert given.json()["status"] == "pending"


async def test_an_address_that_moves_while_it_is_asked_stays_pending(wire: Wire, receiver: Receiver) -> None:
    url = echoing(receiver, "hook")
    made = await registered(wire, url=f"{receiver.url}/nowhere", challenge=True)
    hook = Hook(wire, made["id"], made["secret"])
    echo = receiver.answers["hook"]

    async def move_first(push: object) -> object:
        await wire.http.patch(f"/v1/webhooks/{hook.id}", json={"url": "http://localhost:1/"})
        return await echo(push)  # type: ignore[arg-type]

    receiver.answers["hook"] = move_first  # type: ignore[assignment]
    await hook.call("PATCH", json={"url": url})
    await hook.call("POST", "/verify")

    async def settled() -> bool:
        return bool((await hook.call("GET"))["url"] == "http://localhost:1/")

    await until(settled)
    assert (await hook.call("GET"))["status"] == "pending"


@pytest.mark.parametrize(
    ("answer", "is_right"),
    [
        (b"tok", True),
        (b" tok\r\n", True),
        (b'{"challenge": "tok"}', True),
        (b'{"challenge": "no"}', False),
        (b'{"challenge": ["tok"]}', False),
        (b'{"data": {"challenge": "tok"}}', False),
        (b"{tok", False),
        (b"tok tok", False),
        (b"", False),
        (b"\xff\xfe", False),
    ],
)
def test_only_the_token_itself_is_an_echo(answer: bytes, is_right: bool) -> None:
    assert is_echo(answer, "tok") is is_right


async def test_an_integrator_has_so_many_tests_and_challenges_a_minute_and_an_operator_any(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, receiver: Receiver
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.call_limit.MOST_CALLS", 2)
    mine = await integrator(wire, "mine")
    made = await registered(wire, mine, url=echoing(receiver, "hook", how="never"), challenge=True)
    answers = [await wire.anyone.post(f"/v1/webhooks/{made['id']}/verify", headers=mine) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[1].json()["type"] == "/problems/too-many-calls"
    assert 0 < int(answers[1].headers["retry-after"]) <= 60
    hook = await wire.hook(url=receiver.script("other"))
    for _ in range(4):
        await hook.call("POST", "/test")
    assert len(receiver.at("hook")) == 2


async def test_a_registration_over_the_limit_makes_no_webhook(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, receiver: Receiver
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.call_limit.MOST_CALLS", 1)
    mine = await integrator(wire, "mine")
    url = echoing(receiver, "hook")
    await registered(wire, mine, url=url, challenge=True)
    for headers in (mine, mine, mine | {"Idempotency-Key": "k"}):
        answer = await wire.anyone.post("/v1/webhooks", json={"url": url, "challenge": True}, headers=headers)
        assert answer.json()["type"] == "/problems/too-many-calls"
    assert (await wire.anyone.get("/v1/webhooks", headers=mine)).json()["total"] == 1
    await registered(wire, mine, url=url)  # what is not challenged is not counted


async def test_a_change_of_host_over_the_limit_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, wire: Wire, receiver: Receiver
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.call_limit.MOST_CALLS", 1)
    mine = await integrator(wire, "mine")
    made = await registered(wire, mine, url=echoing(receiver, "hook"), challenge=True)
    path, other = f"/v1/webhooks/{made['id']}", f"{receiver.url.replace('127.0.0.1', 'localhost')}/hook"
    answer = await wire.anyone.patch(path, json={"url": other}, headers=mine)
    assert answer.json()["type"] == "/problems/too-many-calls"
    shown = (await wire.anyone.get(path, headers=mine)).json()
    assert (shown["url"], shown["status"], shown["revision"]) == (made["url"], "enabled", made["revision"])
    monkeypatch.setattr("newswire_publisher.webhooks.call_limit.MOST_CALLS", 5)
    moved = (await wire.anyone.patch(path, json={"url": other}, headers=mine)).json()
    assert (moved["url"], moved["verification"]["verified"]) == (other, True)
