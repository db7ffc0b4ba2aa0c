"""A model of one subscription's queue: what it must have done, told by what was asked of it."""

import json
import random
from typing import Any

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Appending, Leased, Settlement
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys

HOOK = "wh_0"
KEYS = HookKeys(HOOK, 1)


def record_of(push: Leased, what: str) -> str:
    return json.dumps({"sequence": push.sequence, "outcome": what, "lease": push.lease})


class Model:
    """What a subscription must have done, told by what was asked of it."""

    def __init__(self, client: Client, dice: random.Random) -> None:
        self.client = client
        self.queues = HookQueues(client, 1)
        self.dice = dice
        self.settings: dict[str, Any] = {}
        self.revision = 0
        self.versions: dict[str, int] = {}
        self.newest: dict[str, int] = {}
        self.key_of: dict[int, str] = {}
        self.out: list[Leased] = []
        self.stale: set[tuple[int, str]] = set()
        self.settled: list[Settlement] = []
        self.delivered: dict[str, list[tuple[int, str]]] = {}
        self.done: set[int] = set()
        self.trace: list[Any] = []

    async def now(self) -> int:
        seconds, micros = await self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def configure(self, **settings: Any) -> None:
        self.settings |= settings
        self.revision += 1
        hook = {"id": HOOK, "owner": "o", "created": "2025-02-07T12:00:00Z", "url": "http://receiver.example/"}
        webhook = Webhook.model_validate({**hook, **self.settings, "revision": self.revision})
        self.trace.append(("configure", settings))
        await self.queues.apply(webhook, anew=True)

    async def append(self, key: str, *, kill: bool = False, how: Any = "push", lane: int = 4, old: bool = False) -> int:
        moment = await self.now() - (5_000 if old else 0)
        if key == "-":
            entry, rank, lane = f"- notice.test {moment} 1 1 0:0 - {{}}", "0:0", 4
        else:
            version = self.versions[key] = self.versions.get(key, 0) + 1
            rank, lane = f"{version}:0", 0 if kill else lane
            entry = f"{key} article.{'killed' if kill else 'new'} {moment} 1 1 {rank} t urn:{key}"
        (number,) = await self.queues.append([Appending(HOOK, how, key, rank, kill, lane, entry)])
        self.trace.append(("append", key, number, kill, how, lane, old))
        if number:
            self.key_of[number] = key
            if key != "-":
                self.newest[key] = number
            if how == "keep":
                self.done.add(number)
        return number

    async def take(self, room: int = 100) -> list[Leased]:
        lease = f"{self.dice.getrandbits(64):x}"
        leased, _, _ = await self.queues.take(
            0, room=room, most=self.dice.choice([2, 16]), lease=lease, lease_ms=45_000
        )
        self.trace.append(("take", room, [(push.sequence, push.kind, push.attempt) for push in leased]))
        for push in leased:
            key = self.key_of[push.sequence]
            if key != "-":
                assert push.sequence == self.newest[key], "an older version is sent"
                beside = [each for each in self.out if self.key_of[each.sequence] == key and self.is_held(each)]
                assert not beside, "two of an article are on their way"
            self.out.append(push)
        return leased

    def is_held(self, push: Leased) -> bool:
        return (push.sequence, push.lease) not in self.stale

    async def settle(self, pushes: list[Leased], again: list[Settlement]) -> None:
        now = await self.now()
        rows: list[Settlement] = []
        for push in pushes:
            what: Any = self.dice.choices(["delivered", "retry", "exhausted", "gone"], [50, 30, 8, 1])[0]
            key = self.key_of[push.sequence]
            words = [str(push.sequence), str(push.attempt), str(now), f"{self.dice.random() * 1e4:.1f}", "200"]
            record = " ".join(words) if what == "delivered" else record_of(push, what)
            pause = (
                now + self.dice.choice([0, 5, 30]) if what in ("retry", "exhausted") and self.dice.random() < 0.2 else 0
            )
            circuit = 0 if what in ("delivered", "gone") else self.dice.choice([0, 1, 10])
            at = now + self.dice.choice([0, 0, 10, 40]) if what == "retry" else 0
            revision = self.revision - self.dice.choice([0, 0, 0, 1])
            rows.append(Settlement(HOOK, push.sequence, key, push.lease, what, record, at, pause, circuit, revision))
        rows += again
        self.dice.shuffle(rows)
        self.trace.append(("settle", [(row.sequence, row.what, row.lease) for row in rows]))
        flight = (await self.client.hget(KEYS.state, "flight") or b"").decode()
        await self.queues.settle(0, rows, 0, 2**44)
        for row in rows:
            if row not in again and f" {row.sequence} {row.lease} " in flight:
                if row.what == "delivered":
                    self.delivered.setdefault(row.key, []).append((row.sequence, row.lease))
                if row.what in ("delivered", "exhausted", "gone"):
                    self.done.add(row.sequence)
        self.settled += rows
        self.out = [push for push in self.out if push not in pushes]

    async def end_leases(self) -> None:
        flight = (await self.client.hget(KEYS.state, "flight") or b"").decode()
        lines = [line.split(" ") for line in flight.split("\n")[1:]]
        ended = "".join("\n" + " ".join([*words[:3], "1", *words[4:]]) for words in lines)
        await self.client.hset(KEYS.state, mapping={"flight": ended, "ends": 1})
        await self.client.zadd(KEYS.turns, {HOOK: 0})
        self.trace.append(("leases end",))
        self.stale |= {(push.sequence, push.lease) for push in self.out}
        self.out = [push for push in self.out if self.dice.random() < 0.5]  # the others' workers are dead

    async def check(self) -> None:
        """What must hold after every step."""
        names = ("flight", "held", "parked", "lanes", "plain", "sequence", "cursor", "half", "pause")
        values = dict(zip(names, await self.client.hmget(KEYS.state, *names), strict=True))
        lines = (values["flight"] or b"").decode().split("\n")[1:]
        slots = [line.split(" ")[0] for line in lines]
        assert len(slots) == len(set(slots))
        assert len(lines) == int(values["held"] or 0), "held drifts"
        assert sum(not line.endswith(" -") for line in lines) == int(values["parked"] or 0), "parked drifts"
        lanes = (KEYS.kills, KEYS.express, KEYS.retry, KEYS.replaying, KEYS.replays, KEYS.ahead)
        if values["lanes"] == b"0":
            assert not await self.client.exists(*lanes), "a lane has something that nobody looks at"
        items = await self.client.hgetall(KEYS.items)
        waiting = {
            *await self.client.zrange(KEYS.retry, 0, -1),
            *await self.client.zrange(KEYS.kills, 0, -1),
            *await self.client.zrange(KEYS.replaying, 0, -1),
        }
        assert {text.split()[0] for text in items.values()} <= waiting, "an item that nothing leads to"
        assert not set(slots) & {slot.decode() for slot in items}, "on its way, and waits"
        if values["plain"] == b"1":
            s = self.settings
            assert not (s.get("rate") or s.get("ordered") or s.get("max_age") or not s.get("enabled", True)), (
                "plain is not"
            )
            assert not values["half"], "plain is not: the circuit"
            assert int(values["pause"] or 0) <= await self.now(), "plain is not: a pause"
        (counts,) = await self.queues.counts([HOOK])
        assert counts.waiting >= 0

    async def accounted(self) -> set[int]:
        numbers: set[int] = set(self.done)
        for _, row in await self.client.xrange(KEYS.attempts):
            for record in row[b"a"].split(b"\n"):
                if record.startswith(b"{"):
                    told = json.loads(record)
                    if told["outcome"] in ("cancelled", "expired", "exhausted", "gone"):
                        numbers |= set(range(told.get("from", told["sequence"]), told["sequence"] + 1))
        return numbers
