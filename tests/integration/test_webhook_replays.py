"""Attempts, replays and resends over HTTP."""

from typing import Any

import pytest
from support.hooks import pointers
from support.wire import Hook, Receiver, Wire, running, story, until


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def outcome(hook: Hook, count: int, **params: Any) -> list[dict[str, Any]]:
    """Wait for so many attempts under these conditions, and return them."""

    async def enough() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await hook.call("GET", "/attempts", params=params))["items"]
        return found if len(found) >= count else None

    found: list[dict[str, Any]] = await until(enough, what=f"{count} attempts")
    return found


async def accepted(hook: Hook, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await hook.wire.http.post(f"/v1/webhooks/{hook.id}{path}", json=body)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


# Attempts


async def test_attempts_page_newest_first_and_follow_oldest_first(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    for number in range(5):
        await wire.submit(story(uri(number)))
    every = [each["id"] for each in await outcome(hook, 5)]
    first = await hook.call("GET", "/attempts", params={"limit": 3})
    rest = await hook.call("GET", "/attempts", params={"limit": 3, "cursor": first["cursor"]})
    assert [each["id"] for each in first["items"] + rest["items"]] == every
    assert "cursor" not in rest
    newer = await hook.call("GET", "/attempts", params={"after": every[3], "limit": 2})
    more = await hook.call("GET", "/attempts", params={"after": every[3], "limit": 2, "cursor": newer["cursor"]})
    assert [each["id"] for each in newer["items"] + more["items"]] == every[2::-1]
    assert (await hook.call("GET", "/attempts", params={"after": every[0]}))["items"] == []


async def test_attempts_are_found_by_outcome_and_by_entry(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[0.05], concurrency=1)
    for number in range(3):
        await wire.submit(story(uri(number)))
    await outcome(hook, 4)
    (failed,) = await outcome(hook, 1, outcome="retry")
    assert failed["status"] == 500
    of_entry = await outcome(hook, 2, sequence=failed["sequence"])
    assert [each["outcome"] for each in of_entry] == ["delivered", "retry"]
    assert (await hook.call("GET", "/attempts", params={"outcome": "gone"})) == {"items": []}


@pytest.mark.parametrize(
    "query", ["after=x", "cursor=1", "outcome=lost", "sequence=0", "limit=0", "limit=501", "what=x"]
)
async def test_a_bad_question_for_attempts_is_refused(wire: Wire, query: str) -> None:
    hook = await wire.hook()
    answer = await wire.http.get(f"/v1/webhooks/{hook.id}/attempts?{query}")
    assert pointers(answer) == [f"/query/{query.partition('=')[0]}"]


async def test_an_attempt_shows_the_request_and_the_response(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[0.05], headers={"X-Desk": "7"})
    await wire.submit(story())
    pushes = await receiver.got("hook", 2)
    attempts = await outcome(hook, 2)
    shown = await hook.call("GET", f"/attempts/{attempts[1]['id']}")
    request = shown["request"]
    assert (request["method"], request["url"]) == ("POST", f"{receiver.url}/hook")
    assert request["body"].encode() == pushes[0].body
    assert {name: request["headers"][name] for name in ("webhook-id", "x-desk", "content-type")} == {
        name: pushes[0].headers[name] for name in ("webhook-id", "x-desk", "content-type")
    }
    assert abs(int(request["headers"]["webhook-timestamp"]) - int(pushes[0].headers["webhook-timestamp"])) <= 1
    assert (shown["response"]["status"], shown["outcome"]) == (500, "retry")
    assert "response" in (await hook.call("GET", f"/attempts/{attempts[0]['id']}"))


@pytest.mark.parametrize("name", ["1-1", "x", "..%2F..", "1-1-1", "%F0%9D%9F%99-1"])
async def test_an_attempt_that_there_is_not_is_not_found(wire: Wire, name: str) -> None:
    hook = await wire.hook(url="https://receiver.example/")
    assert (await wire.http.get(f"/v1/webhooks/{hook.id}/attempts/{name}")).status_code == 404
    assert (await wire.http.post(f"/v1/webhooks/{hook.id}/attempts/{name}/resend")).status_code == 404


async def test_an_attempt_of_another_webhook_is_not_found(wire: Wire, receiver: Receiver) -> None:
    hook, other = await wire.hook(url=receiver.script("hook")), await wire.hook(url=receiver.script("other"))
    await wire.submit(story())
    (attempt,) = await outcome(hook, 1)
    await outcome(other, 1)
    answer = await wire.http.get(f"/v1/webhooks/{other.id}/attempts/{attempt['id']}")
    assert answer.status_code == 404 or answer.json()["request"]["url"].endswith("/other")


async def test_an_entry_is_sent_again_under_its_id(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    (attempt,) = await outcome(hook, 1)
    said = await accepted(hook, f"/attempts/{attempt['id']}/resend")
    assert said["sequence"] == attempt["sequence"]
    pushes = await receiver.got("hook", 2)
    assert (pushes[0].id, pushes[0].body) == (pushes[1].id, pushes[1].body)


async def test_an_older_version_is_not_sent_again_and_the_newest_is_named(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    (attempt,) = await outcome(hook, 1)
    await wire.desk("kill")
    await outcome(hook, 2)
    answer = await wire.http.post(f"/v1/webhooks/{hook.id}/attempts/{attempt['id']}/resend")
    assert (answer.status_code, answer.json()["type"], answer.json()["newest"]) == (409, "/problems/superseded", 2)


# Replays


async def replayed(hook: Hook, receiver: Receiver, count: int) -> list[int]:
    """Wait for so many pushes beyond the first six, and return their sequences."""
    pushes = await receiver.got("hook", 6 + count)
    await hook.drained()
    return sorted(push.message["sequence"] for push in pushes[6:])


@pytest.fixture
async def six(wire: Wire, receiver: Receiver) -> Hook:
    """A webhook that got six entries."""
    hook = await wire.hook(url=receiver.script("hook"))
    for number in range(6):
        await wire.submit(story(uri(number)))
    await outcome(hook, 6)
    await hook.drained()
    return hook


async def test_a_replay_by_number_sends_the_entries_after_it_again(six: Hook, receiver: Receiver) -> None:
    assert await accepted(six, "/replay", {"after": 2}) == {"first": 3, "last": 6, "entries": 4}
    assert await replayed(six, receiver, 4) == [3, 4, 5, 6]


async def test_the_same_replay_while_it_waits_is_said_to_wait_and_goes_out_once(six: Hook, receiver: Receiver) -> None:
    await six.call("POST", "/disable")
    first = await accepted(six, "/replay", {"after": 2})

    again = await accepted(six, "/replay", {"after": 2})

    assert again == first | {"waits_already": True}
    await six.call("POST", "/enable")
    assert await replayed(six, receiver, 4) == [3, 4, 5, 6]
    assert len(receiver.at("hook")) == 10


async def test_a_replay_ends_where_it_was_told_to(six: Hook, receiver: Receiver) -> None:
    assert await accepted(six, "/replay", {"after": 0, "until": 2}) == {"first": 1, "last": 2, "entries": 2}
    assert await replayed(six, receiver, 2) == [1, 2]


async def test_a_replay_by_time_takes_the_entries_of_that_time(six: Hook, receiver: Receiver) -> None:
    entries = await six.log()
    since, until_time = entries[1]["time"], entries[4]["time"]
    said = await accepted(six, "/replay", {"since": since, "until": until_time})
    wanted = [each["sequence"] for each in entries if since <= each["time"] < until_time]
    assert said == {"first": wanted[0], "last": wanted[-1], "entries": len(wanted)}
    assert await replayed(six, receiver, len(wanted)) == wanted


@pytest.mark.parametrize("body", [{"after": 6}, {"after": 9}, {"since": "2099-01-01T00:00:00Z"}])
async def test_a_replay_of_nothing_is_told_so(six: Hook, body: dict[str, Any]) -> None:
    assert await accepted(six, "/replay", body) == {"first": None, "last": None, "entries": 0}


async def test_a_replay_of_failed_entries_leaves_out_what_was_delivered(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500, 200, 500, 200), retry=[], concurrency=1)
    for number in range(4):
        await wire.submit(story(uri(number)))
        await outcome(hook, number + 1)
    failed = {each["sequence"] for each in await outcome(hook, 2, outcome="exhausted")}
    await accepted(hook, "/replay", {"after": 0, "only": "failed"})
    pushes = await receiver.got("hook", 6)
    await hook.drained()
    assert {push.message["sequence"] for push in pushes[4:]} == failed
    assert len(receiver.at("hook")) == 6


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"only": "failed"}, ""),
        ({"after": 1, "since": "2025-01-01T00:00:00Z"}, ""),
        ({"after": 5, "until": 5}, ""),
        ({"since": "2025-01-02T00:00:00Z", "until": "2025-01-01T00:00:00Z"}, ""),
        ({"after": -1}, "/after"),
        ({"after": "1"}, "/after"),
        ({"since": "2025-01-01T00:00:00"}, "/since"),
        ({"after": 0, "until": "soon"}, "/until"),
        ({"after": 0, "until": True}, "/until"),
        ({"after": 0, "only": "delivered"}, "/only"),
        ({"after": 0, "from": 1}, "/from"),
    ],
)
async def test_a_replay_that_says_not_what_is_refused_with_what_to_give(
    wire: Wire, body: dict[str, Any], pointer: str
) -> None:
    hook = await wire.hook(url="https://receiver.example/")
    answer = await wire.http.post(f"/v1/webhooks/{hook.id}/replay", json=body)
    assert pointers(answer) == [pointer]
    if body in ({}, {"only": "failed"}):
        assert "after" in answer.json()["detail"]


async def test_a_replay_without_a_body_is_refused(wire: Wire) -> None:
    hook = await wire.hook(url="https://receiver.example/")
    assert (await wire.http.post(f"/v1/webhooks/{hook.id}/replay")).status_code == 422


async def test_logs_replays_and_attempts_work_on_a_wire_of_several_partitions(
    quick: None, redis_url: str, receiver: Receiver
) -> None:
    async with running(redis_url, partitions=3) as wire:
        hooks = [await wire.hook(url=receiver.script(f"hook{number}")) for number in range(6)]
        await wire.submit(story())
        for number, hook in enumerate(hooks):
            (attempt,) = await outcome(hook, 1)
            await accepted(hook, f"/attempts/{attempt['id']}/resend")
            await receiver.got(f"hook{number}", 2)
            assert (await accepted(hook, "/replay", {"after": 0}))["entries"] == 1
            await receiver.got(f"hook{number}", 3)
        listed = (await wire.http.get("/v1/webhooks")).json()["items"]
        assert [hook["last_sequence"] for hook in listed] == [1] * 6


async def test_replays_that_wait_are_counted_and_cancelled(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"), retry=[600])
    for number in range(4):
        await wire.submit(story(f"urn:newsml:test.example:{number}"))
    await receiver.got("hook", 4)
    await hook.drained()
    first = (await hook.attempts())[0]["id"]
    await hook.call("POST", "/disable")
    for body in ({"after": 0}, {"after": 2}, {"after": 0, "only": "failed"}):
        await wire.http.post(f"/v1/webhooks/{hook.id}/replay", json=body)
    await wire.http.post(f"/v1/webhooks/{hook.id}/attempts/{first}/resend")
    shown = await hook.call("GET")
    assert shown["replaying"] == 4 + 2 + 1
    assert await hook.call("DELETE", "/replays") == {"cancelled": 7}
    assert (await hook.call("GET"))["replaying"] == 0
    assert {each["outcome"] for each in (await hook.attempts())[4:]} == {"cancelled"}
    await hook.call("POST", "/enable")
    await wire.submit(story("urn:newsml:test.example:5"))
    assert [push.message["sequence"] for push in await receiver.got("hook", 5)][4:] == [5]


async def test_a_replayed_story_whose_retry_is_cancelled_is_replayed_anew(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"), retry=[600])
    await wire.submit(story())
    await receiver.got("hook", 1)
    await hook.drained()
    receiver.script("hook", 500)
    await wire.http.post(f"/v1/webhooks/{hook.id}/replay", json={"after": 0})
    await receiver.got("hook", 2)
    await hook.drained_to(waiting=1)
    assert (await hook.call("GET"))["replaying"] == 1
    assert await hook.call("DELETE", "/replays") == {"cancelled": 1}
    await wire.http.post(f"/v1/webhooks/{hook.id}/replay", json={"after": 0})
    await receiver.got("hook", 3)
    await hook.drained()
    assert (await hook.attempts())[-1]["attempt"] == 1  # what came before is forgotten


async def test_calls_with_an_idempotency_key_are_made_once(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    await receiver.got("hook", 1)
    await hook.drained()
    attempt = (await hook.attempts())[0]["id"]
    await hook.call("POST", "/disable")
    for path, body in (("replay", {"after": 0}), (f"attempts/{attempt}/resend", {}), ("rotate-secret", {"grace": 60})):
        address = f"/v1/webhooks/{hook.id}/{path}"
        answers = [await wire.http.post(address, json=body or None, headers={"Idempotency-Key": "k"}) for _ in range(2)]
        assert answers[0].is_success, answers[0].text
        assert answers[0].json() == answers[1].json(), path
        assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true"]
        other = await wire.http.post(address, json={"after": 1}, headers={"Idempotency-Key": "k"})
        assert other.status_code == 422
    shown = await hook.call("GET")
    assert (shown["replaying"], len(shown["keys"])) == (2, 2)


async def test_an_answer_to_a_rotation_is_kept_without_its_secret(wire: Wire) -> None:
    hook = await wire.hook()
    headers = {"Idempotency-Key": "k"}
    made = (await wire.http.post(f"/v1/webhooks/{hook.id}/rotate-secret", headers=headers)).json()
    secret = made["secret"].removeprefix("whsec_").encode()
    names = [name async for name in wire.broker.scan_iter(_type="string")]
    kept = [await wire.broker.get(name) for name in names]
    assert any(made["keys"][0]["id"].encode() in each for each in kept)
    assert not any(secret in each for each in kept)


@pytest.mark.parametrize("moment", [5, 5.5, "5", "1768469400", True, "-1"])
async def test_a_number_is_no_time(wire: Wire, moment: object) -> None:
    hook = await wire.hook(url="http://127.0.0.1:9/")
    path = f"/v1/webhooks/{hook.id}/replay"
    assert pointers(await wire.http.post(path, json={"since": moment})) == ["/since"]
    token = {"role": "integrator", "name": "x", "expires": moment}
    assert pointers(await wire.http.post("/v1/tokens", json=token)) == ["/expires"]
    article = await wire.http.post("/v1/articles", json=story(embargoed_until=moment))
    assert article.status_code == 422
