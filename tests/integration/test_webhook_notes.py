"""What is noted of attempts in the step that settles them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from support.hook_bench import HOOK, Bench, opened
from support.waiting import until

from newswire_schemas.streams import hook_notes

LATER = 2**44


@pytest.fixture
async def bench(redis_url: str) -> AsyncIterator[Bench]:
    async with opened(redis_url) as made:
        yield made


async def fail(bench: Bench, key: str = "a", **settling: Any) -> list[str]:
    """Let the one entry that is due fail; return what was noted."""
    await bench.append(key)
    return await bench.settle(await bench.take(), "retry", at=LATER, **settling)


async def test_what_came_out_as_usual_is_not_noted(bench: Bench) -> None:
    await bench.append("a")
    assert await bench.settle(await bench.take()) == []
    assert await fail(bench, "b", circuit=100) == []
    assert not await bench.client.exists(hook_notes(0))


async def test_what_was_given_up_is_noted_with_its_entry_and_the_cause(bench: Bench) -> None:
    await bench.append("a")
    (push,) = await bench.take()
    cause = {"status": 503, "error": "http", "detail": 'a "quoted" é / \x00 answer'}
    assert await bench.settle([push], "exhausted", **cause) == ["exhausted"]
    (note,) = await bench.notes()
    entry = note.about
    assert entry is not None
    assert (note.webhook, note.sequence, note.attempts, entry.uri) == (HOOK, 1, 1, "urn:a")
    assert note.cause == cause
    assert abs(note.at_ms - await bench.now()) < 5_000


@pytest.mark.parametrize("what", ["exhausted", "gone"])
async def test_a_settling_that_is_sent_again_is_noted_once(bench: Bench, what: Any) -> None:
    await bench.append("a")
    leased = await bench.take()
    assert await bench.settle(leased, what) == [what]
    assert await bench.settle(leased, what) == []


async def test_who_has_lost_the_lease_notes_nothing(bench: Bench) -> None:
    await bench.append("a")
    late = await bench.take(lease="late")
    await bench.end_leases()
    (again,) = await bench.take(lease="second")
    assert await bench.settle(late, "exhausted") == []
    assert await bench.settle([again], "exhausted") == ["exhausted"]


async def test_an_endpoint_that_has_recovered_may_be_noted_as_failing_again(bench: Bench) -> None:
    await bench.set(concurrency=10)
    for turn in range(2):
        for number in range(10):
            await bench.append(f"bad{turn}-{number}")
        assert await bench.settle(await bench.take(), "exhausted", circuit=1) == ["exhausted"] * 9 + [
            "opened",
            "exhausted",
        ]
        await bench.append(f"good{turn}")
        probe = await until(bench.take, what="a probe")
        assert await bench.settle(probe) == ["recovered"]


async def test_only_an_alarming_failure_of_a_kill_is_noted(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take())
    await bench.append("a", 2, kill=True)
    for attempt in (1, 2, 3):
        alarming = attempt == 3
        noted = await bench.settle(await bench.take(), "retry", at=0, alarming=alarming)
        assert noted == (["untaken"] if alarming else [])
    (note,) = await bench.notes()
    assert (note.attempts, note.about and note.about.type) == (3, "article.killed")


async def test_that_patience_is_over_is_noted_once_for_a_revision_and_again_for_the_next(bench: Bench) -> None:
    assert await fail(bench, "a", circuit=100, patience=0) == ["hopeless"]
    assert await fail(bench, "b", circuit=100, patience=0) == []
    await bench.set()
    assert await fail(bench, "c", circuit=100, patience=0) == ["hopeless"]
    assert [note.revision for note in await bench.notes()] == [1, 2]


async def test_that_patience_is_over_is_noted_again_after_the_endpoint_was_well(bench: Bench) -> None:
    assert await fail(bench, "a", circuit=100, patience=0) == ["hopeless"]
    await bench.append("good")
    await bench.settle(await bench.take())
    assert await fail(bench, "b", circuit=100, patience=0) == ["hopeless"]
    await bench.queues.resume(HOOK)
    assert await fail(bench, "c", circuit=100, patience=0) == ["hopeless"]


async def test_a_failure_that_says_nothing_of_the_endpoint_does_not_try_our_patience(bench: Bench) -> None:
    assert await fail(bench, "a", circuit=0, patience=0) == []


async def test_the_time_that_an_endpoint_asked_for_does_not_try_our_patience(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for key in ("a", "b"):
        await bench.append(key)
    first, second = await bench.take()
    in_an_hour = await bench.now() + 3_600_000
    assert await bench.settle([first], "retry", at=in_an_hour, pause=in_an_hour, circuit=100, patience=0) == []
    assert await bench.settle([second], "retry", at=in_an_hour, circuit=100, patience=0) == []
    await bench.queues.resume(HOOK)
    assert await fail(bench, "c", circuit=100, patience=0) == ["hopeless"]


async def test_410_is_noted_once_for_a_revision(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    first, second = await bench.take()
    assert await bench.settle([first], "gone") == ["gone"]
    assert await bench.settle([second], "gone") == []


async def test_410_of_an_address_that_was_changed_meanwhile_is_not_noted(bench: Bench) -> None:
    await bench.append("a")
    leased = await bench.take()
    await bench.set(url="http://other.example/")
    assert await bench.settle(leased, "gone", revision=1) == []
