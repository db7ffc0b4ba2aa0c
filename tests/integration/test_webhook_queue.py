"""The queue of a subscription on a real server: lanes, order, rate, circuit, replays; and chance against its rules."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from support.waiting import until

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.webhooks.attempts import START, Attempts
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Appending, Leased, Settlement, What
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues, TooManyReplaysError
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys

HOOK = "wh_0"


def _record(push: Leased, what: What) -> str:
    return json.dumps({"sequence": push.sequence, "outcome": what, "at_ms": 1, "lease": push.lease})


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    made = make_client(redis_url)
    yield made
    await made.aclose()


@dataclass
class Bench:
    """One subscription and what a worker does with it."""

    client: Client
    queues: HookQueues
    moment: int = 1_700_000_000_000
    revision: int = 0
    rank: int = 0

    async def set(self, hook_id: str = HOOK, **settings: Any) -> None:
        self.revision += 1
        hook = {"id": hook_id, "owner": "o", "created": "2025-02-07T12:00:00Z", "url": "http://receiver.example/"}
        await self.queues.apply(Webhook.model_validate({**hook, "revision": self.revision, **settings}), anew=True)

    async def append(
        self,
        key: str,
        version: int = 1,
        *,
        lane: int = IN_TURN,
        kill: bool = False,
        hook_id: str = HOOK,
        how: Any = "push",
        moment: int | None = None,
    ) -> int:
        type_ = "article.killed" if kill else "article.new"
        entry = f"{key} {type_} {moment or self.moment} 1 1 {version}:0 t urn:{key}"
        one = Appending(hook_id, how, key, f"{version}:0", kill, 0 if kill else lane, entry)
        return (await self.queues.append([one]))[0]

    async def take(self, room: int = 100, lease_ms: int = 60_000, lease: str = "a") -> list[Leased]:
        leased, _, _ = await self.queues.take(0, room=room, most=16, lease=lease, lease_ms=lease_ms)
        return leased

    async def wait(self) -> int | None:
        leased, wait, _ = await self.queues.take(0, room=1, most=16, lease="a", lease_ms=1)
        assert not leased
        return wait

    async def numbers(self, room: int = 100) -> list[int]:
        return [each.sequence for each in await self.take(room)]

    async def settle(
        self,
        leased: list[Leased],
        what: What = "delivered",
        *,
        at: int = 0,
        pause: int = 0,
        circuit: int = 0,
        revision: int | None = None,
    ) -> list[str]:
        revision = self.revision if revision is None else revision
        rows = [
            Settlement(
                *(each.hook_id, each.sequence, each.entry.split()[0], each.lease, what, _record(each, what)),
                *(at, pause, circuit, revision),
            )
            for each in leased
        ]
        return [note.what for note in await self.queues.settle(0, rows, 0)]

    async def break_down(self, circuit: int, at: int = 2**44) -> None:
        """Let ten entries, 1 to 10, fail at their first attempt."""
        await self.set(concurrency=10)
        for number in range(10):
            await self.append(f"bad{number}")
        assert (await self.settle(await self.take(), "retry", at=at, circuit=circuit))[-1] == "opened"

    async def end_leases(self) -> None:
        """Let the leases of workers that are gone end now."""
        keys = HookKeys(HOOK, 1)
        flight = (await self.client.hget(keys.state, "flight")).decode()
        lines = [line.split(" ") for line in flight.split("\n")[1:]]
        ended = "".join("\n" + " ".join([*words[:3], "1", *words[4:]]) for words in lines)
        await self.client.hset(keys.state, mapping={"flight": ended, "ends": 1})
        await self.client.zadd(keys.turns, {HOOK: 0})

    async def outcomes(self) -> list[str]:
        rows = await self.client.xrange(HookKeys(HOOK, 1).attempts)
        return [json.loads(record)["outcome"] for _, row in rows for record in row[b"a"].split(b"\n")]

    async def now(self) -> int:
        seconds, micros = await self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000


@pytest.fixture
async def bench(client: Client) -> Bench:
    made = Bench(client, HookQueues(client, 1))
    await made.set()
    return made


async def test_every_key_of_the_scripts_is_one_of_the_lists(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for number in range(4):
        await bench.append(f"k{number}", lane=1 + number)
    await bench.append("k9", kill=True)
    await bench.append("k1", 2)
    await bench.append("k9", 1)
    leased = await bench.take()
    await bench.settle(leased[:1], "exhausted")
    await bench.settle(leased[1:], "retry", at=2**44, circuit=1)
    await bench.queues.replay(HOOK, 1, 9, only_failed=False)
    await bench.queues.resend(HOOK, 1)
    keys = HookKeys(HOOK, 1)
    found = {key.decode() async for key in bench.client.scan_iter("hook:*")}
    assert found <= {*keys.own, keys.turns, keys.bell}
    await bench.queues.forget(HOOK)
    assert {key.decode() async for key in bench.client.scan_iter("*wh_0*")} == {keys.gone}
    assert await bench.client.ttl(keys.gone) > 0


async def test_entries_go_out_in_the_order_of_the_log(bench: Bench) -> None:
    for number in range(5):
        await bench.append(f"k{number}")
    assert await bench.numbers() == [1, 2, 3, 4, 5]


async def test_no_more_are_out_than_the_endpoint_allows(bench: Bench) -> None:
    await bench.set(concurrency=3)
    for number in range(7):
        await bench.append(f"k{number}")
    first = await bench.take()
    assert len(first) == 3
    assert await bench.take() == []
    await bench.settle(first[:2])
    assert [each.sequence for each in await bench.take()] == [4, 5]


async def test_kills_and_urgent_stories_pass_the_backlog(bench: Bench) -> None:
    await bench.append("killed")
    for number in range(20):
        await bench.append(f"k{number}")
    await bench.settle(await bench.take(room=1))
    await bench.append("urgent", lane=3)
    await bench.append("flash", lane=1)
    await bench.append("killed", 2, kill=True)
    assert await bench.numbers(room=5) == [24, 23, 22, 2, 3]


async def test_the_newest_version_goes_in_the_place_of_an_older_one(bench: Bench) -> None:
    for key in ("a", "b", "c"):
        await bench.append(key)
    await bench.append("a", 2)
    assert await bench.numbers() == [4, 2, 3]
    assert await bench.outcomes() == ["superseded"]
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0


async def test_a_kill_cancels_what_waits_for_another_try(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take(), "retry", at=2**44)
    await bench.append("a", 2, kill=True)
    (kill,) = await bench.take()
    assert (kill.sequence, kill.kind) == (2, "kill")
    await bench.settle([kill])
    assert await bench.take() == []
    assert await bench.outcomes() == ["retry", "superseded", "delivered"]


async def test_a_kill_waits_for_the_version_that_is_on_its_way(bench: Bench) -> None:
    await bench.append("a")
    first = await bench.take()
    await bench.append("a", 2, kill=True)
    assert await bench.take() == []
    await bench.settle(first)
    assert [(each.sequence, each.kind) for each in await bench.take()] == [(2, "kill")]


async def test_a_kill_goes_out_though_the_endpoint_pauses_and_its_rate_is_used_up(bench: Bench) -> None:
    await bench.set(rate=0.001)
    for key in ("a", "b"):
        await bench.append(key)
    (first,) = await bench.take()
    await bench.settle([first], pause=2**44)
    await bench.append("a", 2, kill=True)
    kills = await bench.take()
    assert [each.sequence for each in kills] == [3]
    await bench.settle(kills, "retry", at=0)
    assert [each.sequence for each in await bench.take()] == [3]


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
    assert noted == ["failing"] * 9 + ["opened"] + ["failing"] * 6
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
        noted = await bench.settle(await bench.take(), "retry", at=0, circuit=100_000)
        assert noted == ["failing"]


async def test_replays_of_what_it_never_takes_open_no_circuit(bench: Bench) -> None:
    for number in range(20):
        await bench.append(f"k{number}")
        await bench.settle(await bench.take(), "exhausted", circuit=100_000 if number % 2 else 0)
        if not number % 2:
            await bench.append(f"good{number}")
            await bench.settle(await bench.take())
    await bench.queues.replay(HOOK, 1, 100, only_failed=True)
    for _ in range(10):
        assert await bench.settle(await bench.take(room=2), "exhausted", circuit=100_000) == ["failing"] * 2


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


async def test_ordered_endpoints_wait_for_what_fails(bench: Bench) -> None:
    await bench.set(ordered=True)
    for key in ("a", "b", "c"):
        await bench.append(key, lane=1)
    first = await bench.take()
    assert [each.sequence for each in first] == [1]
    await bench.settle(first, "retry", at=await bench.now() + 100)
    assert await bench.take() == []
    again = await until(bench.take, what="the first is due again")
    assert [(each.sequence, each.attempt) for each in again] == [(1, 2)]
    await bench.settle(again)
    assert await bench.numbers() == [2]


async def test_an_ordered_endpoint_skips_what_is_superseded_and_keeps_the_order(bench: Bench) -> None:
    await bench.set(ordered=True)
    for key, version in (("a", 1), ("b", 1), ("a", 2)):
        await bench.append(key, version)
    sent = []
    while leased := await bench.take():
        sent += [each.sequence for each in leased]
        await bench.settle(leased)
    assert sent == [2, 3]


async def test_the_rate_is_a_bound_in_every_second(bench: Bench) -> None:
    await bench.set(rate=100, concurrency=100)
    for number in range(90):
        await bench.append(f"k{number}")
    taken: list[int] = []

    async def all_taken() -> bool:
        leased = await bench.take()
        now = await bench.now()
        taken.extend([now] * len(leased))
        await bench.settle(leased)
        return len(taken) == 90

    await until(all_taken, what="all are taken")
    assert max(sum(start <= moment < start + 500 for moment in taken) for start in taken) <= 53
    assert taken[-1] - taken[0] >= 800


async def test_what_is_too_old_is_not_sent(bench: Bench) -> None:
    await bench.set(max_age=60)
    now = await bench.now()
    await bench.append("old", moment=now - 61_000)
    await bench.append("new", moment=now)
    assert await bench.numbers() == [2]
    assert await bench.outcomes() == ["expired"]


async def test_a_replay_comes_after_all_live_traffic(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for number in range(4):
        await bench.append(f"k{number}")
    while leased := await bench.take():
        await bench.settle(leased)
    assert await bench.queues.replay(HOOK, 1, 3, only_failed=False) == 3
    for number in range(4, 7):
        await bench.append(f"k{number}")
    sent = []
    while leased := await bench.take():
        sent += [(each.sequence, each.kind) for each in leased]
        await bench.settle(leased)
    assert sent == [(5, "live"), (6, "live"), (7, "live"), (1, "replay"), (2, "replay"), (3, "replay")]


async def test_only_what_failed_is_replayed_if_asked(bench: Bench) -> None:
    for number in range(5):
        await bench.append(f"k{number}")
    leased = await bench.take()
    await bench.settle(leased[1:3], "exhausted")
    await bench.settle([leased[0], *leased[3:]])
    assert await bench.queues.replay(HOOK, 1, 99, only_failed=True) == 2
    replayed = await bench.take()
    assert [each.sequence for each in replayed] == [2, 3]
    await bench.settle(replayed)
    assert (await bench.queues.counts([HOOK]))[0].given_up == 0
    assert await bench.queues.replay(HOOK, 1, 99, only_failed=True) == 0


async def test_a_replay_never_sends_what_a_newer_version_has_replaced(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take())
    await bench.append("a", 2, kill=True)
    await bench.settle(await bench.take())
    await bench.queues.replay(HOOK, 1, 2, only_failed=False)
    assert await bench.numbers() == [2]


async def test_what_failed_and_was_replaced_is_given_up_no_more_after_a_replay(bench: Bench) -> None:
    await bench.append("a")
    await bench.settle(await bench.take(), "exhausted")
    await bench.append("a", 2)
    await bench.settle(await bench.take())
    assert (await bench.queues.counts([HOOK]))[0].given_up == 1
    await bench.queues.replay(HOOK, 1, 9, only_failed=True)
    assert await bench.take() == []
    assert (await bench.queues.counts([HOOK]))[0].given_up == 0


async def test_one_entry_is_sent_again_and_one_that_waits_is_tried_now(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    leased = await bench.take()
    await bench.settle(leased[:1])
    await bench.settle(leased[1:], "retry", at=2**44)
    assert await bench.take() == []
    assert await bench.queues.resend(HOOK, 1)
    assert await bench.queues.resend(HOOK, 2)
    assert not await bench.queues.resend(HOOK, 3)
    again = await bench.take()
    assert [(each.sequence, each.attempt, each.kind) for each in again] == [(2, 2, "live"), (1, 1, "replay")]


async def test_replays_without_end_are_refused(bench: Bench) -> None:
    await bench.set(enabled=False)
    await bench.append("a")
    for _ in range(100):
        await bench.queues.replay(HOOK, 1, 1, only_failed=False)
    with pytest.raises(TooManyReplaysError):
        await bench.queues.replay(HOOK, 1, 1, only_failed=False)


async def test_an_endpoint_that_is_gone_has_nothing_waiting(bench: Bench) -> None:
    await bench.set(concurrency=2)
    for number in range(6):
        await bench.append(f"k{number}", lane=1 + number)
    first = await bench.take()
    await bench.settle(first[:1], "gone")
    counts = (await bench.queues.counts([HOOK]))[0]
    assert (counts.waiting, counts.in_flight) == (0, 1)
    assert await bench.take() == []
    assert (await bench.outcomes()).count("cancelled") == 2  # one in a lane, and the rest of the log
    await bench.settle(first[1:], "retry", at=0)
    assert [each.sequence for each in await bench.take()] == [2]


async def test_410_of_an_address_that_was_changed_meanwhile_cancels_nothing(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    (first,) = await bench.take(room=1)
    await bench.set(url="http://other.example/")
    await bench.settle([first], "gone", revision=1)
    assert [(each.sequence, each.attempt) for each in await bench.take()] == [(1, 2), (2, 1)]


async def test_410_cancels_however_much_waits(bench: Bench) -> None:
    await bench.append("a")
    (push,) = await bench.take()
    keys = HookKeys(HOOK, 1)
    rows = {f"k{number}": f"{number} 1 live" for number in range(2, 10_000)}
    await bench.client.hset(keys.items, mapping=rows)
    await bench.client.zadd(keys.retry, {str(number): 2**44 for number in range(2, 10_000)})
    await bench.client.hset(keys.state, "lanes", 1)
    await bench.settle([push], "gone")
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0
    assert (await bench.outcomes()).count("cancelled") == 9_998


async def test_a_resend_does_not_put_a_kill_beside_the_story_that_is_on_its_way(bench: Bench) -> None:
    await bench.append("a")
    (story,) = await bench.take()
    await bench.append("a", 2, kill=True)
    assert await bench.take() == []
    await bench.queues.resend(HOOK, 1)
    await bench.queues.replay(HOOK, 1, 2, only_failed=False)
    assert await bench.take() == []
    assert await bench.take() == []
    assert await bench.settle([story]) == []
    assert await bench.numbers() == [2]


async def test_what_is_overdue_has_no_right_of_way(bench: Bench) -> None:
    past = await bench.now() - 3_600_000
    for number in range(150):
        hook_id = f"wh_{number + 10}"
        await bench.set(hook_id, concurrency=100)
        for entry in range(8):
            await bench.append(f"k{entry}", hook_id=hook_id)
    while leased := await bench.take(512):
        await bench.settle(leased, "retry", at=past)
        if all(each.attempt > 1 for each in leased):
            break
    await bench.set("wh_flash")
    await bench.append("flash", lane=1, hook_id="wh_flash")
    looks = 0
    while "wh_flash" not in {each.hook_id for each in await bench.take(512, lease=f"l{looks}")}:
        looks += 1
    assert looks <= 2


async def test_kills_do_not_use_up_the_rate(bench: Bench) -> None:
    await bench.set(rate=1)
    for number in range(8):
        await bench.append(f"k{number}")
    await bench.settle(await bench.take())
    for number in range(8):
        await bench.append(f"k{number}", 2, kill=True)
    await bench.settle(await bench.take())
    assert (await bench.wait() or 0) <= 1_000


async def test_a_shorter_pause_does_not_end_a_longer_one(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    first, second = await bench.take()
    long, short = await bench.now() + 100_000, await bench.now() + 1_000
    await bench.settle([first], "retry", at=long, pause=long)
    await bench.settle([second], "retry", at=short, pause=short)
    assert (await bench.queues.counts([HOOK]))[0].paused_until_ms == long


async def test_an_address_that_is_taken_away_cancels_what_waits_and_says_so(bench: Bench) -> None:
    for key in ("a", "b"):
        await bench.append(key)
    await bench.append("c", how="keep")
    assert await bench.outcomes() == ["cancelled"]


async def test_a_replay_of_an_ordered_endpoint_is_in_order_too(bench: Bench) -> None:
    await bench.set(ordered=True)
    for key in ("a", "b"):
        await bench.append(key)
    while leased := await bench.take():
        await bench.settle(leased)
    await bench.queues.replay(HOOK, 1, 2, only_failed=False)
    first = await bench.take()
    await bench.settle(first, "retry", at=await bench.now() + 50)
    assert await bench.take() == []
    again = await until(bench.take, what="the first is due again")
    assert [each.sequence for each in again] == [1]
    await bench.settle(again)
    assert await bench.numbers() == [2]


async def test_a_settling_that_is_sent_again_is_logged_once(bench: Bench) -> None:
    await bench.append("a")
    leased = await bench.take()
    await bench.settle(leased)
    assert await bench.settle(leased) == []
    assert await bench.outcomes() == ["delivered"]


async def test_who_settles_after_the_end_of_the_lease_is_logged_and_changes_nothing(bench: Bench) -> None:
    await bench.append("a")
    late = await bench.take(lease="late")
    await bench.end_leases()
    (again,) = await bench.take(lease="second")
    assert await bench.settle(late) == ["lost"]
    assert (await bench.queues.counts([HOOK]))[0].in_flight == 1
    assert await bench.settle([again], "retry", at=2**44) == []
    assert await bench.outcomes() == ["delivered", "retry"]


async def test_what_is_appended_to_a_deleted_subscription_leaves_nothing(bench: Bench) -> None:
    await bench.append("a")
    await bench.queues.forget(HOOK)
    assert await bench.append("b") == 0
    assert await bench.append("c", how="skip") == 0
    keys = HookKeys(HOOK, 1)
    assert [key.decode() async for key in bench.client.scan_iter("*wh_0*")] == [keys.gone]
    await bench.set()
    assert await bench.append("b") == 1


async def test_what_one_settling_logs_is_read_page_by_page(bench: Bench) -> None:
    for number in range(7):
        await bench.append(f"k{number}")
    leased = await bench.take()
    await bench.settle(leased[:4])
    await bench.settle(leased[4:])
    attempts = Attempts(bench.client, HookLog(bench.client, ArticleStore(bench.client, 1), "http://wire.example", 1), 1)
    every = [each["id"] for each in await attempts.newest(HOOK, 99)]
    assert len(set(every)) == 7
    for size in (1, 2, 3, 5):
        down: list[str] = []
        while page := await attempts.newest(HOOK, size, down[-1] if down else None):
            down += [each["id"] for each in page]
        up: list[str] = []
        while page := await attempts.after(HOOK, up[-1] if up else START, size):
            up += [each["id"] for each in page]
        assert down == up[::-1] == every
    for attempt_id in every:
        found = await attempts.get(HOOK, attempt_id)
        assert found is not None
        assert found.shown["id"] == attempt_id


async def test_a_kill_of_what_was_never_in_the_log_is_not_in_it_either(bench: Bench) -> None:
    await bench.append("a", how="skip")
    assert await bench.append("a", 2, kill=True) == 0


async def test_an_older_revision_of_the_settings_changes_nothing(bench: Bench) -> None:
    await bench.set(concurrency=1)
    bench.revision -= 2
    await bench.set(concurrency=9)
    for key in ("a", "b"):
        await bench.append(key)
    assert await bench.numbers() == [1]


async def test_ten_thousand_that_wait_for_one_leave_the_others_their_turns(bench: Bench) -> None:
    await bench.set("wh_1")
    rows = [bench.append(f"k{number}") for number in range(300)]
    for row in rows:
        await row
    await bench.set(concurrency=100)
    await bench.append("other", hook_id="wh_1")
    assert {each.hook_id for each in await bench.take()} == {HOOK, "wh_1"}


async def test_a_subscription_without_address_only_keeps_its_log(bench: Bench) -> None:
    assert await bench.append("a", how="keep") == 1
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0
    assert await bench.append("b", how="push") == 2
    assert await bench.numbers() == [2]


async def test_what_went_ahead_is_counted_once_after_the_address_was_taken_away(bench: Bench) -> None:
    await bench.set(concurrency=1)
    for key, lane in (("a", 4), ("b", 4), ("flash", 1)):
        await bench.append(key, lane=lane)
    await bench.settle(await bench.take())
    await bench.append("c", how="keep")
    assert (await bench.queues.counts([HOOK]))[0].waiting == 0


@pytest.mark.parametrize("seed", range(12))
async def test_chance_breaks_no_rule(bench: Bench, seed: int) -> None:
    """Versions, kills, two workers, faults and dead workers, in a random order."""
    dice = random.Random(seed)
    ordered = seed % 4 == 3
    await bench.set(concurrency=3, ordered=ordered)
    logged: dict[int, str] = {}
    versions: dict[str, int] = {}
    taken: dict[str, list[int]] = {}
    out: list[Leased] = []
    dead: set[tuple[int, str]] = set()

    async def act() -> None:
        nonlocal out
        match dice.choice(["append", "append", "take", "settle", "settle"]):
            case "append":
                key = f"k{dice.randrange(12)}"
                versions[key] = versions.get(key, 0) + 1
                kill = dice.random() < 0.15 and versions[key] > 1
                number = await bench.append(key, versions[key], lane=dice.randint(1, 4), kill=kill)
                logged[number] = key
            case "take":
                lease = f"w{dice.random()}"
                leased = await bench.take(dice.randint(1, 4), 1 if dice.random() < 0.1 else 60_000, lease)
                out += leased
                if dice.random() < 0.1:
                    dead.update((each.sequence, each.lease) for each in leased)
            case "settle" if out:
                push = out.pop(dice.randrange(len(out)))
                if (push.sequence, push.lease) in dead:
                    return  # its worker is gone; a lease of 60 s is made to end below
                what = dice.choice(
                    ["delivered", "delivered", "retry", "exhausted"] if push.kind == "live" else ["delivered", "retry"]
                )
                noted = await bench.settle([push], what, at=0)  # type: ignore[arg-type]
                if what == "delivered" and "lost" not in noted:
                    taken.setdefault(logged[push.sequence], []).append(push.sequence)

    for _ in range(400):
        await act()
        assert (await bench.queues.counts([HOOK]))[0].in_flight <= (1 if ordered else 3)
    for push in out:
        await bench.settle([push], "retry", at=0)
    await bench.end_leases()
    while (rest := await bench.take()) or await bench.wait() == 0:
        for push in rest:
            taken.setdefault(logged[push.sequence], []).append(push.sequence)
        await bench.settle(rest)
    counts = (await bench.queues.counts([HOOK]))[0]
    assert (counts.waiting, counts.in_flight, counts.last_sequence) == (0, 0, len(logged))
    exhausted = {int(number) for number in await bench.client.zrange(HookKeys(HOOK, 1).failed, 0, -1)}
    for key in versions:
        sent = taken.get(key, [])
        assert sent == sorted(set(sent)), "an article's versions went backwards, or twice"
        newest = max(number for number, of in logged.items() if of == key)
        assert newest in sent or newest in exhausted, "the newest version was lost"
    state = await bench.client.hgetall(HookKeys(HOOK, 1).items)
    assert state == {}
    assert not await bench.client.exists(HookKeys(HOOK, 1).ahead)
