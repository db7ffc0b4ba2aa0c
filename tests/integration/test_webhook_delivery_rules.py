"""When a push comes again, by the receiver's clock: schedules, jitter, Retry-After; and by which secret."""

import time
from itertools import pairwise
from typing import Any

import pytest
from support.book import SECRET, Faulty, Seen
from support.pushing import done, faulty_hook, numbered, submit
from support.wire import Wire

JITTER = 0.1
"""The share of a delay that may be added to it."""
LATE = 0.4
"""Seconds by which a busy machine may be late."""


def gaps(seen: list[Seen]) -> list[float]:
    """Return the seconds from each answer to the next request."""
    return [after.at - before.ended for before, after in pairwise(seen)]


@pytest.mark.parametrize(
    ("retry", "expected"),
    [(None, [5.0]), ([0.3, 0.8, 0.1], [0.3, 0.8, 0.1])],
    ids=["the usual schedule begins after 5 s", "an endpoint's own"],
)
async def test_a_failed_push_comes_again_when_the_schedule_says(
    wire: Wire, faulty: Faulty, retry: list[float] | None, expected: list[float]
) -> None:
    settings = {} if retry is None else {"retry": retry}
    hook = await faulty_hook(wire, faulty, "hook", *[500] * len(expected), **settings)
    await submit(wire, [numbered(1)])
    seen = await faulty.got("hook", len(expected) + 1)
    await done(hook, 1)
    for gap, delay in zip(gaps(seen), expected, strict=True):
        assert delay <= gap <= delay * (1 + JITTER) + LATE
    assert len({each.id for each in seen}) == len({each.digest for each in seen}) == 1
    stamps = [each.timestamp for each in seen]
    assert all(abs(each.wall - stamp) < 2 for each, stamp in zip(seen, stamps, strict=True))
    assert [each.verified for each in seen] == [[0]] * len(seen)


async def test_500_failures_at_once_come_back_spread_over_the_jitters_window(wire: Wire, faulty: Faulty) -> None:
    delay, endpoints = 12.0, 5
    together = {"status": 500, "at": time.time() + 6}
    plan: dict[str, Any] = {"by": "id"}
    names = [f"hook{number}" for number in range(endpoints)]
    for name in names:
        await faulty_hook(wire, faulty, name, together, plan=plan, retry=[delay], concurrency=100)
    await submit(wire, [numbered(number) for number in range(500 // endpoints)])
    await faulty.until(lambda: len(faulty.book.at(*names)) >= 1_000, 30, "all came again")
    seen = faulty.book.at(*names)
    failures, again = seen[:500], seen[500:]
    failed = max(each.ended for each in failures)
    # At once, beside the window of 1.2 s: 100 ms on a quiet machine.
    assert failed - min(each.ended for each in failures) < 0.2
    assert len({each.id for each in again}) == 500
    window = delay * JITTER
    times = sorted(each.at - failed - delay for each in again)
    assert times[0] >= -0.1
    assert times[-1] - times[0] >= 0.8 * window
    quarters = [sum(part * window / 4 <= moment < (part + 1) * window / 4 for moment in times) for part in range(4)]
    assert min(quarters) >= 50, quarters


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["retry_after", "retry_date"])
async def test_retry_after_holds_for_the_whole_endpoint_and_for_no_other(
    wire: Wire, faulty: Faulty, status: int, form: str
) -> None:
    wait = 2
    hook = await faulty_hook(wire, faulty, "hook", {"status": status, form: wait}, retry=[0.1])
    await faulty_hook(wire, faulty, "other", retry=[0.1])
    await submit(wire, [numbered(1)])
    (asked,) = await faulty.got("hook", 1)
    await submit(wire, [numbered(number) for number in range(2, 7)])
    others = await faulty.got("other", 6)
    await done(hook, 6)
    seen = faulty.book.at("hook")
    assert len(seen) == 7
    assert {each.sequence for each in seen[1:]} == {1, 2, 3, 4, 5, 6}
    until = asked.answer.get("until", asked.wall + wait)
    assert all(until <= each.wall <= until + wait * JITTER + LATE + 0.5 for each in seen[1:])
    assert max(each.at for each in others) < asked.at + wait / 2


async def test_retry_after_of_another_status_changes_nothing(wire: Wire, faulty: Faulty) -> None:
    await faulty_hook(wire, faulty, "hook", {"status": 500, "retry_after": 60}, retry=[0.2])
    await submit(wire, [numbered(1)])
    seen = await faulty.got("hook", 2, seconds=5)
    assert gaps(seen)[0] <= 0.2 * (1 + JITTER) + LATE


async def test_a_rotated_secret_overlaps_for_its_grace_and_retries_use_what_is_valid_then(
    wire: Wire, faulty: Faulty
) -> None:
    """The first attempt is before the rotation, the second within the grace of 2 s, the third after it."""
    new = "whsec_" + "enl4d3Z1dHNycXBvbm1sa2ppaGdmZWRjYmE5ODc2NTQ="
    hook = await faulty_hook(
        *(wire, faulty, "hook"), plan={"answers": [500, 500], "secrets": [SECRET, new]}, retry=[1, 2.5]
    )
    await submit(wire, [numbered(1)])
    await faulty.got("hook", 1)
    told = await hook.call("POST", "/rotate-secret", json={"grace": 2, "secret": new})
    assert told["secret"] == new
    seen = await faulty.got("hook", 3)
    assert [(each.verified, each.signatures) for each in seen] == [([0], 1), ([0, 1], 2), ([1], 1)]
    assert len({each.id for each in seen}) == len({each.digest for each in seen}) == 1
    await hook.call("POST", "/rotate-secret", json={"grace": 0, "secret": SECRET})
    await submit(wire, [numbered(2)])
    assert (await faulty.got("hook", 4))[3].verified == [0]
