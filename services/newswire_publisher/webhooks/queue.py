"""The queue of each subscription: its log, and which of its entries are pushed next.

    append ─▶ log ─▶ take (leases) ─▶ settle: delivered, again later, given up

All decisions are made on the server, in scripts (queue.lua has the picture), so that any number of
workers may ask at once. What waits for its first push is only the log after a cursor, a few bytes an
entry; what failed, is urgent or is replayed has sets of its own.

Cases of failure:
- a worker dies: its leases end, and the pushes go out again under the same id; what is of note in what it has settled
  is written down, and any worker follows it up;
- two workers: a lease is given once, and who settles without it changes nothing;
- the server forgets the scripts: they are loaded again;
- settings that arrive late: an older revision changes nothing.
"""

import json
from collections.abc import Sequence

from newswire_publisher.webhooks.model import MOST_CONCURRENCY, Webhook
from newswire_publisher.webhooks.pushes import Appending, Counts, Leased, Proof, Settlement
from newswire_publisher.webhooks.standings import Standings
from newswire_runtime.client import MOST_IN_BATCH, Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.streams import HookKeys, hook_bell, hook_notes, hook_turns, partition_of

KILL_LANE, IN_TURN = 0, 4
"""Lanes: a kill, the urgencies 1 to 3 as they are, and everything else in turn."""
MOST_LOOKED_AT = 256
"""Endpoints that one look may serve."""
CIRCUIT_FAILURES = 10
"""Messages in a row that fail at their first attempt, after which an endpoint gets one probe at a time."""
CIRCUIT_LONGEST_MS = 300_000
CIRCUIT_HOPELESS_MS = 3_600_000
"""Nothing but failures for so long opens it too: few messages, each tried again and again."""
GONE_SECONDS = 3_600
"""How long a deleted subscription is remembered: who appends to it knows of its end long before."""
LOWEST_RATE = 1e-6
_SUPERSEDED = -2
_SECOND = 1_000


class TooManyReplaysError(Exception):
    """A hundred replays of the subscription wait already."""


class SameReplayError(Exception):
    """The very same replay waits already; ``entries``: how many it has."""

    def __init__(self, entries: int) -> None:
        super().__init__(f"a replay of these {entries} entries waits already")
        self.entries = entries


class SupersededError(Exception):
    """A newer version has come, which alone is sent: entry ``newest``."""

    def __init__(self, newest: int) -> None:
        super().__init__(f"entry {newest} has a newer version")
        self.newest = newest


class HookQueues:
    """The queues of all subscriptions."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions
        self._standings = Standings(client, partitions)
        self._cancel = Script("newswire_publisher.webhooks", "cancel_replays.lua")
        self._append, self._take, self._settle, self._configure, self._replay = (
            Script("newswire_publisher.webhooks", f"{name}.lua")
            for name in ("append", "take", "settle", "configure", "replay")
        )

    async def append(self, appendings: Sequence[Appending]) -> list[int]:
        """Append entries; return each one's number, or 0 where a newer version is known or none is wanted."""
        calls: list[tuple[list[str], list[Word]]] = []
        places: list[list[int]] = []
        grouped: dict[tuple[int, tuple[Word, ...]], list[int]] = {}
        for place, each in enumerate(appendings):
            head: tuple[Word, ...] = each.key, each.rank, "retract" if each.retracts else "show", each.lane, each.entry
            grouped.setdefault((partition_of(each.hook_id, self._partitions), head), []).append(place)
        for (partition, head), members in grouped.items():
            for start in range(0, len(members), MOST_IN_BATCH):
                some = members[start : start + MOST_IN_BATCH]
                words = [word for place in some for word in (appendings[place].hook_id, appendings[place].how)]
                calls.append((_shared(partition), [*head, *words]))
                places.append(some)
        numbers = [0] * len(appendings)
        for some, answer in zip(places, await self._append.many(self._client, calls), strict=True):
            for place, number in zip(some, answer, strict=True):
                numbers[place] = int(number)
        return numbers

    async def take(
        self, partition: int, *, room: int, most: int, lease: str, lease_ms: int, share: int = MOST_CONCURRENCY
    ) -> tuple[list[Leased], int | None, str]:
        """Lease what is due: ``room`` at most, ``most`` of one endpoint, and none but kills of one that has ``share``.

        Returns it, the milliseconds until more is (None if nothing waits), and what `listen` wants to know.
        """
        words: list[Word] = [room, most, lease_ms, lease, MOST_LOOKED_AT, share]
        wait, rung, entries, granted = json.loads(await self._take(self._client, _shared(partition), words))
        leased: list[Leased] = []
        for grant in granted:
            hook_id, revision, *each = grant.split(" ")
            leased += [
                Leased(hook_id, int(number), int(attempt), kind, lease, entries[int(place) - 1], int(revision))
                for number, attempt, kind, place in zip(each[::4], each[1::4], each[2::4], each[3::4], strict=True)
            ]
        return leased, None if wait < 0 else wait, rung

    async def listen(self, partition: int, rung: str, wait_ms: int) -> None:
        """Wait until the bell has rung since ``rung``, but no longer than ``wait_ms``."""
        await self._client.xread({hook_bell(partition): rung}, block=max(1, wait_ms), count=1)

    def serves(self, partition: int, hook_id: str) -> bool:
        """Return whether a subscription is the partition's."""
        return partition_of(hook_id, self._partitions) == partition

    async def settle(self, partition: int, settlements: Sequence[Settlement], oldest_ms: int, patience_ms: int) -> None:
        """Settle attempts in one step, and note what is to be followed up (`Note`).

        What is known of attempts before ``oldest_ms`` is dropped; after ``patience_ms`` of nothing but failures an
        endpoint is hopeless.
        """
        lines = "".join(map(_line, settlements))
        words: list[Word] = [oldest_ms, CIRCUIT_FAILURES, CIRCUIT_LONGEST_MS, CIRCUIT_HOPELESS_MS, patience_ms, lines]
        await self._settle(self._client, [*_shared(partition), hook_notes(partition)], words)

    async def apply(self, hook: Webhook, *, anew: bool = False) -> None:
        """Bring a subscription's settings to its queue; safe to repeat, and an older revision changes nothing.

        ``anew``: it is made now, or comes back. Without it, what was deleted a moment ago stays deleted.
        """
        burst = max(1, int(hook.rate / 20)) if hook.rate else 1
        # A burst and what flows after it must fit the rate in any one second.
        gap = _SECOND / max(hook.rate - burst if burst > 1 else hook.rate, LOWEST_RATE) if hook.rate else 0
        words: list[Word] = [
            hook.id,
            hook.revision,
            int(hook.is_pushed),
            hook.concurrency,
            gap,
            burst,
            int(hook.ordered),
            (hook.max_age or 0) * _SECOND,
            int(anew),
        ]
        await self._configure(self._client, _shared(partition_of(hook.id, self._partitions)), words)

    async def counts(self, hook_ids: Sequence[str]) -> list[Counts]:
        """Return how each subscription stands, in one round trip."""
        return [standing.counts for standing in await self._standings.of(hook_ids)]

    async def replay(self, hook_id: str, first: int, last: int, *, only_failed: bool) -> int:
        """Queue a range of the log again, after all live traffic; return how many entries it has.

        Raises:
            SameReplayError: the same waits already, and nothing was queued.
            TooManyReplaysError: a hundred wait already.
        """
        return await self._again(hook_id, first, last, "failed" if only_failed else "all")

    async def cancel_replays(self, hook_id: str) -> int:
        """Cancel the replays that wait; return how many entries they had."""
        return int(await self._cancel(self._client, _shared(partition_of(hook_id, self._partitions)), [hook_id]))

    async def resend(self, hook_id: str, sequence: int) -> bool:
        """Send one entry again; return whether there is one. One that waits to be tried again is tried now.

        Raises:
            SupersededError: it is no more the newest version of its article.
        """
        return await self._again(hook_id, sequence, sequence, "one") > 0

    async def _again(self, hook_id: str, first: int, last: int, which: str) -> int:
        words: list[Word] = [hook_id, max(1, first), last, which]
        answer = await self._replay(self._client, _shared(partition_of(hook_id, self._partitions)), words)
        found, waits = map(int, answer)
        if found == _SUPERSEDED:
            raise SupersededError(waits)
        if found < 0:
            raise TooManyReplaysError(hook_id)
        if waits:
            raise SameReplayError(found)
        return found

    async def resume(self, hook_id: str) -> None:
        """End a pause and close the circuit: the endpoint is said to be well."""
        keys = HookKeys(hook_id, self._partitions)
        await self._client.hdel(keys.state, "pause", "fails", "failing", "half", "open", "opens", "ending", "rested")
        await self._client.zadd(keys.turns, {hook_id: 0})
        await self._client.xadd(keys.bell, {"r": 1}, maxlen=1, approximate=False)

    async def close_circuit(self, hook_id: str) -> None:
        """Let all pushes try again; a pause stays, and that it failed is over with the first that it takes."""
        keys = HookKeys(hook_id, self._partitions)
        if await self._client.hdel(keys.state, "fails", "half", "open"):
            await self._client.zadd(keys.turns, {hook_id: 0})
            await self._client.xadd(keys.bell, {"r": 1}, maxlen=1, approximate=False)

    async def forget(self, hook_id: str, proof: Proof | None = None) -> None:
        """Drop all that a deleted subscription had; with ``proof``, what it took stays known as long as that says."""
        keys = HookKeys(hook_id, self._partitions)
        kept = [] if proof is None else [keys.seen, keys.log]
        seconds = GONE_SECONDS if proof is None else max(GONE_SECONDS, proof.seconds)
        await self._client.zrem(keys.turns, hook_id)
        await self._client.set(keys.gone, "{}" if proof is None else json.dumps(proof.whose), ex=seconds)
        for key in kept:
            await self._client.expire(key, seconds)
        await self._client.delete(*(key for key in keys.own if key not in kept))


def _shared(partition: int) -> list[str]:
    return [hook_turns(partition), hook_bell(partition)]


def _line(each: Settlement) -> str:
    """Return a settlement as settle.lua reads it."""
    head = f"{each.hook_id} {each.sequence} {each.key} {each.lease} {each.what}"
    if each.what == "delivered":
        return f"{head} {each.record}\n"
    times = f"{each.retry_at_ms} {each.pause_until_ms} {each.circuit_ms} {each.revision} {each.is_alarming:d}"
    return f"{head} {times} {each.record}\n"
