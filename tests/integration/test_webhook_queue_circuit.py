"""The circuit of an endpoint: what opens it, what closes it, and what passes it."""

from collections.abc import AsyncIterator

import pytest
from support.hook_bench import HOOK, Bench, opened
from support.waiting import until

from newswire_publisher.webhooks.pushes import Leased


@pytest.fixture
async def bench(redis_url: str) -> AsyncIterator[Bench]:
    async with opened(redis_url) as made:
        yield made


async def test_a_kill_passes_a_circuit_that_is_open(bench: Bench) -> None:
    await bench.break_down(circuit=100_000)
    assert (await bench.queues.counts([HOOK]))[0].circuit == "open"
    await bench.append("b")
    assert await bench.take() == []
    await bench.append("bad0", 2, kill=True)
    assert await bench.numbers() == [12]


async def test_ten_failures_open_the_circuit_and_one_probe_closes_it(bench: Bench) -> None:
    for number in range(16):
        await bench.append(f"k{number}")
    await bench.set(concurrency=16)
    noted = await bench.settle(await bench.take(), "retry", at=0, circuit=50)
    assert noted == ["opened"]
    assert await bench.take() == []
    assert (await bench.wait() or 0) <= 50

    async def probed() -> list[Leased]:
        return await bench.take()

    probe = await until(probed, what="the circuit lets a probe through")
    assert len(probe) == 1
    assert await bench.take() == []
    assert await bench.settle(probe) == ["recovered"]
    assert len(await bench.take()) == 15


async def test_a_probe_that_fails_doubles_the_pause(bench: Bench) -> None:
    await bench.break_down(circuit=30)
    await bench.append("a")
    probe = await until(bench.take, what="a probe")
    await bench.settle(probe, "retry", at=0, circuit=30)
    assert 30 < (await bench.wait() or 0) <= 60


async def test_a_probe_with_what_failed_before_opens_the_circuit_for_no_longer(bench: Bench) -> None:
    await bench.break_down(circuit=30, at=0)
    for _ in range(5):
        probe = await until(bench.take, what="a probe")
        await bench.settle(probe, "retry", at=0, circuit=30)
        assert 0 < (await bench.wait() or 0) <= 30


async def test_what_fails_again_and_again_opens_no_circuit(bench: Bench) -> None:
    await bench.append("a")
    for _ in range(30):
        assert await bench.settle(await bench.take(), "retry", at=0, circuit=100_000) == []
        assert (await bench.queues.counts([HOOK]))[0].circuit == "closed"


async def test_replays_of_what_it_never_takes_open_no_circuit(bench: Bench) -> None:
    for number in range(20):
        await bench.append(f"k{number}")
        await bench.settle(await bench.take(), "exhausted", circuit=100_000 if number % 2 else 0)
        if not number % 2:
            await bench.append(f"good{number}")
            await bench.settle(await bench.take())
    await bench.queues.replay(HOOK, 1, 100, only_failed=True)
    for _ in range(10):
        assert await bench.settle(await bench.take(room=2), "exhausted", circuit=100_000) == ["exhausted"] * 2
        assert (await bench.queues.counts([HOOK]))[0].circuit == "closed"


async def test_nothing_but_failures_for_an_hour_opens_the_circuit(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.queue.CIRCUIT_HOPELESS_MS", 50)
    await bench.append("a")

    async def opened() -> bool:
        return await bench.settle(await bench.take(), "retry", at=0, circuit=100_000) == ["opened"]

    await until(opened, what="the circuit opens")


async def test_probes_are_by_turns_of_what_has_failed_and_what_has_not(bench: Bench) -> None:
    await bench.break_down(circuit=20, at=0)
    for key in ("a", "b"):
        await bench.append(key)
    probes = []
    for _ in range(4):
        (probe,) = await until(bench.take, what="a probe")
        probes.append((probe.sequence, probe.attempt))
        await bench.settle([probe], "retry", at=0, circuit=20)
    assert [probes[0][0], probes[2][0]] == [11, 12]
    assert min(probes[1][1], probes[3][1]) > 1
