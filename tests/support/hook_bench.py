"""One subscription's queue on a real server, and what a worker does with it."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.notes import Note
from newswire_publisher.webhooks.pushes import Appending, Leased, Settlement, What
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_schemas.streams import EVENT_FIELD, HookKeys, hook_notes

HOOK = "wh_0"


def _record(push: Leased, what: What, **cause: Any) -> str:
    record = {"sequence": push.sequence, "outcome": what, "at_ms": 1, "lease": push.lease, **cause}
    return json.dumps(record, ensure_ascii=False)


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
        patience: int = 2**44,
        alarming: bool = False,
        **cause: Any,
    ) -> list[str]:
        """Settle pushes alike, and return what was noted of it. ``cause`` joins the records."""
        revision = self.revision if revision is None else revision
        rows = [
            Settlement(
                *(each.hook_id, each.sequence, each.entry.split()[0], each.lease, what, _record(each, what, **cause)),
                *(at, pause, circuit, revision, alarming),
            )
            for each in leased
        ]
        noted = await self.client.xlen(hook_notes(0))
        await self.queues.settle(0, rows, 0, patience)
        return [note.type for note in (await self.notes())[noted:]]

    async def notes(self) -> list[Note]:
        rows = await self.client.xrange(hook_notes(0))
        return [Note.model_validate_json(row[EVENT_FIELD]) for _, row in rows]

    async def holds(self, push: Leased) -> bool:
        """Return whether the lease of a push is the one that counts."""
        flight = (await self.client.hget(HookKeys(push.hook_id, 1).state, "flight") or b"").decode()
        return f" {push.sequence} {push.lease} " in flight

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


@contextlib.asynccontextmanager
async def opened(redis_url: str) -> AsyncIterator[Bench]:
    """Give the bench, with a subscription's settings applied."""
    client = make_client(redis_url)
    made = Bench(client, HookQueues(client, 1))
    await made.set()
    yield made
    await client.aclose()
