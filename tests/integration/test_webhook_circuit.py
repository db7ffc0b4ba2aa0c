"""The circuit opens for an endpoint that takes nothing, not for messages that an endpoint never takes."""

from itertools import pairwise
from typing import Any

import pytest
from support.book import Faulty
from support.pushing import done, faulty_hook, numbered, submit
from support.wire import Wire

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
