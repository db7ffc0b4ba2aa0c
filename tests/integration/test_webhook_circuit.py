"""The circuit opens for an endpoint that takes nothing, not for messages that an endpoint never takes."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from support.book import Faulty
from support.pushing import done, faulty_hook, numbered, submit
from support.wire import Hook, Receiver, Wire, until

STORIES = 60


@pytest.mark.parametrize("answer", [422, 500, "reset"])
async def test_what_an_endpoint_refuses_for_good_slows_nothing_that_it_takes(
    wire: Wire, faulty: Faulty, answer: Any
) -> None:
    """Every second message fails for ever, so that soon most requests are their retries."""
    hook = await faulty_hook(wire, faulty, "hook", plan={"never": [2, answer]}, retry=[0.5] * 40)
    await submit(wire, [numbered(number) for number in range(STORIES)])

    async def shown() -> dict[str, Any]:
        found: dict[str, Any] = await hook.call("GET")
        return found

    def taken() -> set[int]:
        return {each.sequence for each in faulty.book.at("hook") if each.took}

    await faulty.until(lambda: len(taken()) == STORIES // 2, 20, "all that it takes was taken")
    # Now nothing but retries: thirty failures in a row, again and again.
    before = len(faulty.book.at("hook"))
    await faulty.got("hook", before + 2 * STORIES, seconds=20)
    assert (await shown())["circuit"] == "closed"
    for number in range(STORIES, STORIES + 10):
        await submit(wire, [numbered(number)])
    await faulty.until(lambda: len(taken()) == STORIES // 2 + 5, 5, "the next that it takes are taken")
    told = (await wire.http.get("/v1/webhooks/notices", params={"webhook": hook.id})).json()["items"]
    assert [notice["type"] for notice in told] == []


async def test_an_endpoint_that_takes_nothing_gets_one_probe_at_a_time(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook", plan={"answers": [500] * 14}, retry=[0.2] * 20, concurrency=4)
    notices = await wire.hook(events=["webhook.failing", "webhook.recovered"])
    await submit(wire, [numbered(number) for number in range(30)])
    await done(hook, 30, seconds=30)
    seen = faulty.book.at("hook")
    # Ten open it, three more are on their way with the tenth; then each waits for the answer to the one before.
    failures = [each for each in seen if not each.took]
    probes = seen[13 : len(failures) + 1]
    assert all(after.at > before.ended for before, after in pairwise(probes))
    await notices.logged(2)
    assert await notices.types() == ["webhook.failing", "webhook.recovered"]


async def _opened(wire: Wire, receiver: Receiver) -> Hook:
    """Return a webhook that took one story and failed with ten more; an eleventh waits."""
    hook = await wire.hook(url=receiver.script("hook"), retry=[600], concurrency=1)
    await submit(wire, [numbered(0)])
    await receiver.got("hook", 1)
    receiver.script("hook", *[500] * 10)
    await submit(wire, [numbered(number) for number in range(1, 12)])
    await receiver.got("hook", 11)
    await hook.drained_to(waiting=11)
    return hook


async def test_an_open_circuit_says_when_the_next_probe_comes_and_a_test_that_is_taken_closes_it(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await _opened(wire, receiver)
    shown = await hook.call("GET")
    probe = datetime.fromisoformat(shown["next_probe"]) - datetime.now(UTC)
    assert (shown["circuit"], shown["health"]) == ("open", "failing")
    assert timedelta(minutes=4) < probe <= timedelta(minutes=5)
    assert (await wire.http.get("/v1/webhooks")).json()["items"][0]["next_probe"] == shown["next_probe"]
    receiver.script("hook", 500)
    assert not (await hook.call("POST", "/test"))["delivered"]
    assert (await hook.call("GET"))["circuit"] == "open"
    assert (await hook.call("POST", "/test"))["delivered"]
    await receiver.got("hook", 14)  # the story that waited behind those that failed
    await hook.drained_to(waiting=10)
    shown = await hook.call("GET")
    assert (shown["circuit"], "next_probe" in shown, "failing_since" in shown) == ("closed", False, False)
    told = (await wire.http.get("/v1/webhooks/notices", params={"webhook": hook.id})).json()["items"]
    assert sorted(notice["type"] for notice in told) == ["webhook.failing", "webhook.recovered"]


async def test_a_test_that_is_taken_ends_no_pause(wire: Wire, receiver: Receiver) -> None:
    hook = await _opened(wire, receiver)
    receiver.script("hook", 429, **{"Retry-After": "3600"})
    await wire.desk("kill", numbered(0)["uri"], "Wrong")
    await receiver.got("hook", 12)
    await until(lambda: _shows(hook, "paused_until"))
    shown = await hook.call("GET")
    assert shown["next_probe"] == shown["paused_until"]
    assert (await hook.call("POST", "/test"))["delivered"]
    after = await hook.call("GET")
    assert (after["circuit"], after["paused_until"]) == ("closed", shown["paused_until"])


async def _shows(hook: Hook, name: str) -> bool:
    return name in await hook.call("GET")


async def test_a_resend_says_what_it_waits_for(wire: Wire, receiver: Receiver) -> None:
    hook = await _opened(wire, receiver)
    taken = (await hook.attempts())[0]["id"]

    async def waits_for() -> object:
        answer = await wire.http.post(f"/v1/webhooks/{hook.id}/attempts/{taken}/resend")
        assert answer.status_code == 202
        return answer.json()["waits_for"]

    assert await waits_for() == "circuit"
    await hook.call("POST", "/disable")
    assert await waits_for() == "disabled"
    await hook.call("POST", "/enable")
    assert await waits_for() is None
