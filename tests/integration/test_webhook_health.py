"""An endpoint's health: who is told when it fails, comes back, is given up or disabled."""

from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from support.wire import URI, Hook, Push, Receiver, Wire, story, until


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def told(hook: Hook, *types: str) -> list[dict[str, Any]]:
    """Wait until a subscription was told these, in this order, and return what it was told."""

    async def all_told() -> list[dict[str, Any]] | None:
        entries = await hook.log()
        return entries if len(entries) >= len(types) else None

    entries: list[dict[str, Any]] = await until(all_told, what=f"{types} are told")
    assert [entry["type"] for entry in entries] == list(types)
    return entries


async def listed(wire: Wire, hook: Hook, *types: str) -> None:
    """Wait until the list of notices has these of a subscription, newest first, and no others."""

    async def all_listed() -> bool:
        shown = (await wire.http.get("/v1/webhooks/notices", params={"webhook": hook.id})).json()["items"]
        return [each["type"] for each in shown] == list(types)

    await until(all_listed, what=f"{types} are listed")


async def test_who_asked_is_told_that_an_endpoint_fails_and_is_well_again(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(
        url=receiver.script("hook", *[500] * 13), retry=[0.5] * 12, description="the site", concurrency=1
    )
    notices = await wire.hook(url=receiver.script("notices"), events=["webhook.failing", "webhook.recovered"])
    for number in range(10):
        await wire.submit(story(uri(number)))
    await hook.logged(10)
    await hook.drained()
    entries = await told(notices, "webhook.failing", "webhook.recovered")
    assert [entry["uri"] for entry in entries] == [None, None]
    pushes = await receiver.got("notices", 2)
    assert [push.body.decode() for push in pushes] == [entry["payload"] for entry in entries]
    failing = pushes[0].message["data"]
    assert (failing["webhook"], failing["description"], failing["status"]) == (hook.id, "the site", 500)
    assert failing["since"] <= pushes[0].message["timestamp"]
    await listed(wire, hook, "webhook.recovered", "webhook.failing")
    await listed(wire, notices)
    shown = await hook.call("GET")
    assert "failing_since" not in shown or shown["failing_since"] is None


async def test_who_asked_is_told_what_was_given_up(wire: Wire, receiver: Receiver) -> None:
    notices = await wire.hook(events=["webhook.exhausted"])
    hook = await wire.hook(url=receiver.script("hook", 500, 500), retry=[0.02])
    await wire.submit(story())
    await hook.drained()
    (entry,) = await told(notices, "webhook.exhausted")
    assert f'"webhook":"{hook.id}"' in entry["payload"].replace(" ", "")
    assert URI in entry["payload"]


async def test_an_endpoint_that_is_gone_is_disabled_and_what_waits_is_cancelled(wire: Wire, receiver: Receiver) -> None:
    notices = await wire.hook(events=["webhook.disabled"])

    async def gone_at_last(_: Push) -> web.Response:
        await receiver.let_go.wait()
        return web.Response(status=410)

    receiver.answers["hook"] = gone_at_last
    hook = await wire.hook(url=f"{receiver.url}/hook", concurrency=1)
    for number in range(3):
        await wire.submit(story(uri(number)))
    await hook.logged(3)
    receiver.let_go.set()
    (entry,) = await told(notices, "webhook.disabled")
    assert "410" in entry["payload"]
    shown = await hook.call("GET")
    assert (shown["enabled"], shown["waiting"]) == (False, 0)
    assert len(receiver.at("hook")) == 1


async def test_an_endpoint_that_does_nothing_but_fail_is_disabled_and_keeps_what_waits(
    without_patience: None, wire: Wire, receiver: Receiver
) -> None:
    notices = await wire.hook(events=["webhook.*"])
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[1])
    await wire.submit(story())
    (entry,) = await told(notices, "webhook.disabled")
    assert "nothing but failures since" in entry["payload"]
    assert (await hook.call("GET"))["waiting"] == 1
    await hook.call("POST", "/enable")
    await receiver.got("hook", 2)
    await hook.drained()


async def test_an_integrator_is_told_of_its_own_and_an_operator_of_all(wire: Wire, receiver: Receiver) -> None:
    tokens = {}
    for name in ("mine", "other"):
        made = await wire.http.post("/v1/tokens", json={"role": "integrator", "name": name})
        tokens[name] = {"Authorization": f"Bearer {made.json()['token']}"}
    ears = {}
    for name, headers in tokens.items():
        made = await wire.anyone.post("/v1/webhooks", json={"events": ["webhook.*"]}, headers=headers)
        ears[name] = made.json()["id"]
    operators = await wire.hook(events=["webhook.*"])
    body = {"url": receiver.script("hook", 410)}
    made = await wire.anyone.post("/v1/webhooks", json=body, headers=tokens["mine"])
    failing = Hook(wire, made.json()["id"], made.json()["secret"])
    await wire.submit(story())
    await told(operators, "webhook.disabled")
    logs = {
        name: (await wire.anyone.get(f"/v1/webhooks/{ears[name]}/events", headers=headers)).json()["items"]
        for name, headers in tokens.items()
    }
    assert {name: len(items) for name, items in logs.items()} == {"mine": 1, "other": 0}
    await listed(wire, failing, "webhook.disabled")
    shown = {
        name: (await wire.anyone.get("/v1/webhooks/notices", headers=headers)).json()["items"]
        for name, headers in tokens.items()
    }
    assert {name: len(items) for name, items in shown.items()} == {"mine": 1, "other": 0}
    assert datetime.fromisoformat(shown["mine"][0]["at"]) <= datetime.now(UTC)


async def test_two_that_take_notices_do_not_tell_each_other_of_their_failures(wire: Wire, receiver: Receiver) -> None:
    ears = [
        await wire.hook(url=receiver.script(f"ear{n}", *[500] * 99), events=["webhook.*"], retry=[]) for n in (1, 2)
    ]
    failing = await wire.hook(url=receiver.script("hook", 500), retry=[])
    await wire.submit(story())
    await failing.drained()
    for ear in ears:
        await told(ear, "webhook.exhausted")
        await ear.drained()
        assert await ear.types() == ["webhook.exhausted"]
