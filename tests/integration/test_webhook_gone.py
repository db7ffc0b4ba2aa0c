"""410 Gone by mistake: what the endpoint has not got is kept for the day when it is enabled again."""

import asyncio
from typing import Any

from support.wire import Hook, Receiver, Wire, story, until


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def enable(hook: Hook) -> None:
    await hook.call("POST", "/enable")


async def replay_failed(hook: Hook) -> dict[str, Any]:
    answer = await hook.wire.http.post(f"/v1/webhooks/{hook.id}/replay", json={"after": 0, "only": "failed"})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_kill_that_is_answered_410_is_sent_once_the_endpoint_is_enabled(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 204, 410), retry=[0.2])
    await wire.submit(story(uri(0)))
    await receiver.got("hook", 1)
    await wire.desk("kill", uri(0))
    await hook.disabled()
    await until(lambda: _told(hook, "webhook.kill_untaken"), what="the operator is told that the kill is not taken")

    await enable(hook)

    last = (await receiver.got("hook", 3))[-1]
    assert last.message["type"] == "article.killed"
    assert last.message["data"]["uri"] == uri(0)
    await hook.drained()


async def test_a_410_of_a_story_cancels_no_kill_that_waits(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 204, 500, 410), retry=[30], concurrency=1)
    await wire.submit(story(uri(0)))
    await receiver.got("hook", 1)
    await wire.desk("kill", uri(0))
    await receiver.got("hook", 2)
    await wire.submit(story(uri(1)))
    await hook.disabled()
    assert (await hook.call("GET"))["waiting"] == 1

    await enable(hook)

    last = (await receiver.got("hook", 4, 12))[-1]
    assert (last.message["type"], last.message["data"]["uri"]) == ("article.killed", uri(0))


async def test_what_a_410_gave_up_and_cancelled_is_sent_by_a_replay_of_what_failed(
    wire: Wire, receiver: Receiver
) -> None:
    url = receiver.hang("hook")
    hook = await wire.hook(url=url, concurrency=1)
    for number in range(4):
        await wire.submit(story(uri(number)))
    await hook.logged(4)
    await receiver.got("hook", 1)
    receiver.script("hook", 410)  # from the next one on; what hangs is answered 204
    receiver.let_go.set()
    await hook.disabled()
    assert (await hook.call("GET"))["given_up"] == 3

    await enable(hook)
    assert await replay_failed(hook) == {"first": 1, "last": 4, "entries": 3}

    pushes = await receiver.got("hook", 5)
    assert [push.message["data"]["uri"] for push in pushes[2:]] == [uri(1), uri(2), uri(3)]
    await hook.drained()
    assert (await hook.call("GET"))["given_up"] == 0


async def test_what_was_too_old_is_sent_by_a_replay_of_what_failed(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 204), max_age=1)
    await hook.call("POST", "/disable")
    await wire.submit(story(uri(0)))
    await hook.logged(1)
    await asyncio.sleep(1.1)  # what is tested is the time itself
    await enable(hook)
    await until(lambda: _outcome(hook, "expired"), what="the entry is too old")
    assert receiver.at("hook") == []

    assert (await replay_failed(hook))["entries"] == 1
    await receiver.got("hook", 1)


async def _told(hook: Hook, what: str) -> bool:
    answer = await hook.wire.http.get("/v1/webhooks/notices")
    return any(notice["type"] == what and notice["webhook"] == hook.id for notice in answer.json()["items"])


async def _outcome(hook: Hook, outcome: str) -> bool:
    return any(attempt["outcome"] == outcome for attempt in await hook.attempts())
