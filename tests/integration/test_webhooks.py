"""Webhooks: the API, and what a receiver sees when it, a worker or the broker fails."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from support.servers import KillableServer
from support.wire import OPERATOR, URI, Hook, Receiver, Wire, running, story, until

from newswire_publisher.webhooks.settling import Attempt, Settler
from newswire_schemas.article import key_of
from newswire_schemas.streams import HookKeys


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def token(wire: Wire, role: str, name: str) -> dict[str, str]:
    answer = await wire.http.post("/v1/tokens", json={"role": role, "name": name})
    assert answer.status_code == 201
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def outcomes(hook: Hook) -> list[str]:
    return [attempt["outcome"] for attempt in await hook.attempts()]


async def attempted(hook: Hook, count: int) -> list[dict[str, Any]]:
    async def enough() -> list[dict[str, Any]] | None:
        found = await hook.attempts()
        return found if len(found) >= count else None

    found: list[dict[str, Any]] = await until(enough, what=f"{count} attempts")
    return found


async def test_a_webhook_is_its_owners_alone(wire: Wire) -> None:
    mine, other = await token(wire, "integrator", "mine"), await token(wire, "integrator", "other")
    made = await wire.anyone.post("/v1/webhooks", json={"description": "x"}, headers=mine)
    hook = made.json()["id"]
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("GET", "/events"),
        ("GET", "/attempts"),
        ("POST", "/test"),
        ("POST", "/enable"),
        ("POST", "/disable"),
    ):
        answer = await wire.anyone.request(method, f"/v1/webhooks/{hook}{path}", headers=other, json={})
        assert answer.status_code == 404, (method, path)
    assert (await wire.anyone.get("/v1/webhooks", headers=other)).json()["items"] == []
    shown = (await wire.anyone.get(f"/v1/webhooks/{hook}", headers=mine)).json()
    assert shown["owner"] == "mine"
    assert made.json()["secret"] not in str(shown)
    assert (await wire.anyone.get(f"/v1/webhooks/{hook}")).status_code == 401
    reader = await token(wire, "subscriber", "reader")
    assert (await wire.anyone.get(f"/v1/webhooks/{hook}", headers=reader)).status_code == 403
    assert (await wire.anyone.delete(f"/v1/webhooks/{hook}", headers=mine)).status_code == 204
    assert (await wire.anyone.get(f"/v1/webhooks/{hook}", headers=mine)).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"events": ["article.nwe"]}, "/events"),
        ({"retry": [-1]}, "/retry"),
        ({"secret": "abc"}, "/secret"),
        ({"headers": {"Host": "x"}}, "/headers"),
        ({"concurrency": 0}, "/concurrency"),
        ({"filter": {"urgency": 12}}, "/filter/urgency"),
        ({"fliter": {}}, "/fliter"),
        ({"url": "http://10.0.0.1/hook"}, "/url"),
        ({"url": "http://[::ffff:169.254.169.254]/"}, "/url"),
        ({"url": "ftp://receiver.example/"}, "/url"),
    ],
)
async def test_settings_that_cannot_be_are_refused_with_a_pointer(
    wire: Wire, body: dict[str, Any], pointer: str
) -> None:
    answer = await wire.http.post("/v1/webhooks", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    if pointer != "/secret":
        hook = await wire.hook()
        changed = await wire.http.patch(f"/v1/webhooks/{hook.id}", json=body)
        assert changed.status_code == 422
        assert [error["pointer"] for error in changed.json()["errors"]] == [pointer]


async def test_the_log_holds_the_very_bytes_that_were_pushed(wire: Wire, receiver: Receiver) -> None:
    secret = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
    hooks = [
        await wire.hook(url=receiver.script(form), format=form, secret=secret, headers={"X-Desk": "7"})
        for form in ("article", "ninjs", "thin")
    ]
    for number in range(3):
        await wire.submit(story(uri(number)))
    for hook, form in zip(hooks, ("article", "ninjs", "thin"), strict=True):
        pushes = {push.message["sequence"]: push for push in await receiver.got(form, 3)}
        entries = await hook.log()
        assert [entry["sequence"] for entry in entries] == [1, 2, 3]
        for entry in entries:
            push = pushes[entry["sequence"]]
            assert push.body == entry["payload"].encode()
            Webhook(secret).verify(push.body, push.headers)
            assert push.headers["x-desk"] == "7"
        assert [entry["sequence"] for entry in await hook.log(after=2)] == [3]


async def test_a_test_event_is_sent_at_once_and_leaves_no_entry(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500))
    said = await hook.call("POST", "/test")
    assert (said["delivered"], said["status"]) == (False, 500)
    assert (await hook.call("POST", "/test"))["delivered"] is True
    assert receiver.pushes[0].message["type"] == "webhook.test"
    Webhook(hook.secret).verify(receiver.pushes[0].body, receiver.pushes[0].headers)
    assert await hook.log() == []


async def test_failures_are_tried_again_by_the_schedule_with_the_same_id_and_bytes(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500, 302), retry=[0.2, 0.4])
    await wire.submit(story())
    pushes = await receiver.got("hook", 3)
    await hook.drained()
    assert len({push.id for push in pushes}) == len({push.body for push in pushes}) == 1
    assert pushes[1].at - pushes[0].at >= 0.19
    assert pushes[2].at - pushes[1].at >= 0.39
    attempts = await hook.attempts()
    assert [(each["attempt"], each["outcome"], each["status"]) for each in attempts] == [
        (1, "retry", 500),
        (2, "retry", 302),
        (3, "delivered", 204),
    ]
    assert {(each["uri"], each["version"], each["sequence"]) for each in attempts} == {(URI, 1, 1)}
    assert "next_at" in attempts[0]


async def test_the_schedules_end_is_told_and_the_next_article_goes_out(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500, 500), retry=[0.05])
    await wire.submit(story())
    await attempted(hook, 2)
    await hook.drained()
    assert await outcomes(hook) == ["retry", "exhausted"]
    await wire.submit(story(uri(2)))
    await receiver.got("hook", 3)
    await hook.drained()
    assert await outcomes(hook) == ["retry", "exhausted", "delivered"]


async def test_410_disables_and_enabling_sends_what_waited(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 410))
    await wire.submit(story())

    async def disabled() -> bool:
        return not (await hook.call("GET"))["enabled"]

    await until(disabled)
    assert "410" in (await hook.call("GET"))["disabled_reason"]
    assert await outcomes(hook) == ["gone"]
    await wire.submit(story(headline="Corrected while it was off"))
    await hook.logged(2)
    await wire.settled()
    assert len(receiver.pushes) == 1
    await hook.call("POST", "/enable")
    assert (await receiver.got("hook", 2))[1].version == 2
    await hook.drained()


async def test_a_disabled_webhook_gets_what_waited_when_it_is_enabled(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500, 500, 500), retry=[0.2] * 9)
    for number in range(3):
        await wire.submit(story(uri(number)))
    await attempted(hook, 3)
    await hook.call("POST", "/disable")
    sent = len(receiver.pushes)
    assert (await hook.call("GET"))["waiting"] >= 3 - (sent - 3)
    await hook.call("POST", "/enable")
    await hook.drained()
    assert sum(push.version == 1 for push in receiver.pushes) == 6
    assert len({push.id for push in receiver.pushes}) == 3


async def test_retry_after_pauses_the_whole_endpoint(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 503, **{"Retry-After": "1"}), retry=[0.05])
    other = receiver.script("other")
    await wire.hook(url=other)
    await wire.submit(story())
    await attempted(hook, 1)
    await wire.submit(story(uri(2)))
    await receiver.got("other", 2)
    pushes = await receiver.got("hook", 3)
    assert min(push.at for push in pushes[1:]) - pushes[0].at >= 0.95
    assert all(push.at < pushes[1].at for push in receiver.at("other"))


async def test_a_version_is_not_sent_again_after_a_newer_one(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[0.6])
    await wire.submit(story())
    await attempted(hook, 1)
    await wire.submit(story(headline="Corrected"))
    await receiver.got("hook", 2)
    await hook.drained()
    await wire.submit(story(uri(2)))
    await receiver.got("hook", 3)
    assert [(push.message["data"]["uri"], push.version) for push in receiver.pushes] == [
        (URI, 1),
        (URI, 2),
        (uri(2), 1),
    ]
    assert "superseded" in await outcomes(hook)
    assert await hook.types() == ["article.new", "article.corrected", "article.new"]


async def test_a_version_on_its_way_is_followed_by_the_newest_never_beside_it(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.hang("hook", first=1))
    await wire.submit(story())
    await receiver.got("hook", 1)
    for number in (2, 3, 4):
        await wire.submit(story(headline=f"Version {number}"))
    await hook.logged(4)
    await wire.settled()
    assert len(receiver.pushes) == 1
    receiver.let_go.set()
    await receiver.got("hook", 2)
    await hook.drained()
    assert [push.version for push in receiver.pushes] == [1, 4]
    assert receiver.busiest == 1
    assert await outcomes(hook) == ["superseded", "superseded", "delivered", "delivered"]


async def test_a_kill_goes_to_who_has_the_story_whatever_types_it_asked_for(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"), events=["article.new"])
    await wire.submit(story())
    await receiver.got("hook", 1)
    await wire.submit(story(headline="Corrected"))
    await wire.out(version=2)
    await wire.http.post(f"/v1/articles/{key_of(URI)}/kill", json={"ed_note": "Wrong"})
    await receiver.got("hook", 2)
    await hook.drained()
    assert await hook.types() == ["article.new", "article.killed"]


@pytest.mark.parametrize("word", ["kill", "withhold"])
async def test_after_a_kill_nobody_is_given_the_text_again(wire: Wire, receiver: Receiver, word: str) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story(body_text="An untrue sentence."))
    (first,) = await receiver.got("hook", 1)
    assert b"untrue" in first.body
    await wire.desk(word, note="Wrong")
    _, notice = await receiver.got("hook", 2)
    await hook.drained()
    assert (notice.message["data"]["uri"], notice.message["data"]["ed_note"]) == (URI, "Wrong")
    before, told = await hook.log()
    assert (before["payload"], before["reason"]) == (None, "withdrawn")
    assert told["payload"].encode() == notice.body
    attempt = await hook.call("GET", f"/attempts/{(await hook.attempts())[0]['id']}")
    assert attempt["request"]["body"] is None
    lines = await wire.http.get(f"/v1/webhooks/{hook.id}/events", headers={"Accept": "application/x-ndjson"})
    gone = await wire.article()
    assert (gone.status_code, gone.json()["detail"]) == (410, "Wrong")
    for text in (notice.body.decode(), lines.text, gone.text):
        assert "untrue" not in text
        assert "Ferry returns" not in text


async def test_a_reinstated_story_has_its_text_and_what_came_before_stays_withdrawn(wire: Wire) -> None:
    hook = await wire.hook()
    await wire.submit(story())
    await wire.out()
    await wire.desk("withhold", note="Under review")
    await hook.logged(2)
    await wire.desk("reinstate")
    entries = await hook.logged(3)
    assert [entry["payload"] is None for entry in entries] == [True, False, False]
    assert "Ferry returns" in entries[2]["payload"]


async def test_a_version_that_cannot_be_read_is_given_up_and_stops_no_other(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await hook.call("POST", "/disable")
    for number in range(3):
        await wire.submit(story(uri(number)))

    async def logged() -> bool:  # without reading the payloads, which are kept once they were made
        return bool((await hook.call("GET"))["waiting"] == 3)

    await until(logged)
    broken = key_of(uri(1))
    names = await wire.broker.hkeys(wire.keys[0].article(broken))
    await wire.broker.hset(wire.keys[0].article(broken), next(name for name in names if name.startswith(b"v:")), "{}")
    await hook.call("POST", "/enable")
    await receiver.got("hook", 2)
    await hook.drained()
    assert {push.message["data"]["uri"] for push in receiver.pushes} == {uri(0), uri(2)}
    assert sorted(await outcomes(hook)) == ["delivered", "delivered", "exhausted"]


async def test_an_endpoint_that_hangs_delays_no_other(wire: Wire, receiver: Receiver) -> None:
    slow = await wire.hook(url=receiver.hang("slow"), concurrency=4)
    await wire.hook(url=receiver.script("quick"))
    began = time.monotonic()
    for number in range(30):
        await wire.submit(story(uri(number)))
    pushes = await receiver.got("quick", 30, seconds=5)
    assert pushes[-1].at - began < 5
    assert len(receiver.at("slow")) == 4
    shown = await slow.call("GET")
    assert (shown["in_flight"], shown["waiting"]) == (4, 26)


async def test_forty_endpoints_that_hang_delay_no_other(wire: Wire, receiver: Receiver) -> None:
    for number in range(40):
        await wire.hook(url=receiver.hang(f"slow{number}"), concurrency=8)
    await wire.hook(url=receiver.script("quick"))
    for number in range(12):
        await wire.submit(story(uri(number)))
    await receiver.got("quick", 12, seconds=10)  # each attempt that hangs is given 15 s


async def test_of_fifty_endpoints_one_fails_and_the_others_get_one_push_each(wire: Wire, receiver: Receiver) -> None:
    hooks = [await wire.hook(url=receiver.script(f"hook{number}")) for number in range(49)]
    failing = await wire.hook(url=receiver.script("failing", *[500] * 9), retry=[0.05, 0.05])
    await wire.submit(story())
    await attempted(failing, 3)
    await failing.drained()
    for number, hook in enumerate(hooks):
        await receiver.got(f"hook{number}", 1)
        await hook.drained()
    assert [len(receiver.at(f"hook{number}")) for number in range(49)] == [1] * 49
    assert await outcomes(failing) == ["retry", "retry", "exhausted"]


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.worker.LEASE_MS", 1_000)


@pytest.fixture
def worker_dies_once(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Lose the first settling, as a worker does that is killed after its push went out."""
    add, deaths = Settler.add, [0]

    def die(self: Settler, attempt: Attempt) -> None:
        if not deaths[0]:
            deaths[0] += 1
            return
        add(self, attempt)

    monkeypatch.setattr(Settler, "add", die)
    return deaths


async def test_a_worker_that_dies_leaves_a_push_that_goes_out_again_under_its_id(
    short_lease: None, worker_dies_once: list[int], wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    pushes = await receiver.got("hook", 2)
    await hook.drained()
    assert worker_dies_once == [1]
    assert len(receiver.pushes) == 2
    assert pushes[0].id == pushes[1].id
    assert pushes[0].body == pushes[1].body
    assert [each["attempt"] for each in await hook.attempts()] == [1]  # the first settled nothing, and uses up nothing


async def test_after_a_worker_died_only_the_newest_version_goes_out(
    short_lease: None, worker_dies_once: list[int], wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.hang("hook", first=1))
    await wire.submit(story())
    await receiver.got("hook", 1)
    await wire.submit(story(headline="Corrected"))
    await hook.logged(2)
    receiver.let_go.set()
    await receiver.got("hook", 2)
    await hook.drained()
    assert [push.version for push in receiver.pushes] == [1, 2]


async def test_a_stopped_worker_finishes_what_is_on_its_way(quick: None, redis_url: str, receiver: Receiver) -> None:
    async with running(redis_url) as wire:
        hook = await wire.hook(url=receiver.hang("hook", first=1))
        await wire.submit(story())
        await receiver.got("hook", 1)
        asyncio.get_running_loop().call_later(0.3, receiver.let_go.set)
    async with running(redis_url) as again:
        kept = Hook(again, hook.id, hook.secret)
        await kept.drained()
        assert await outcomes(kept) == ["delivered"]
    assert len(receiver.pushes) == 1


async def test_a_broker_that_restarts_loses_no_push_that_waits(
    quick: None, short_lease: None, server: KillableServer, receiver: Receiver
) -> None:
    async with running(server.url) as wire:
        hook = await wire.hook(url=receiver.script("hook", *[500] * 10), retry=[0.8, 0.8])
        for number in range(10):
            await wire.submit(story(uri(number)))
        await attempted(hook, 10)
        await server.restart()
        pushes = await receiver.got("hook", 20)

        async def drained() -> bool:
            answer = await wire.http.get(f"/v1/webhooks/{hook.id}")
            return answer.status_code == 200 and not answer.json()["waiting"] + answer.json()["in_flight"]

        await until(drained)
        assert len({push.id for push in pushes}) == 10
        assert (await outcomes(hook)).count("delivered") == 10


async def test_a_deleted_webhook_leaves_behind_what_receipts_need_for_a_month(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[30])
    await wire.submit(story())
    await attempted(hook, 1)
    await hook.call("DELETE")
    await wire.submit(story(headline="Corrected"))
    await wire.out(version=2)
    keys = HookKeys(hook.id, 1)
    left = {key.decode() async for key in wire.broker.scan_iter(f"*{hook.id}*")}
    assert left == {keys.gone, keys.log, keys.seen}
    assert all([0 < await wire.broker.ttl(key) <= 30 * 86_400 for key in left])
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{wire.url}/v1/webhooks", headers={"Authorization": f"Bearer {OPERATOR}"})
    assert answer.json()["items"] == []
