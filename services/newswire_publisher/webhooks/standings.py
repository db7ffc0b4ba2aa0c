"""How many subscriptions stand at once: their queues' counts, and what came of the last push of each.

    ids ─by partition, fifty a call─▶ standing.lua ─▶ a line each ─▶ counts, and the newest attempt

A pipeline of the same commands took 235 ms for 500 subscriptions, this 15: one reply of one line is cheap to read. A
call reads fifty, so that the server is never busy with it for longer than 1 ms or so. An id that nothing is known of
stands at zero.
"""

import time
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from newswire_publisher.webhooks.attempts import attempt_of, moment_ms
from newswire_publisher.webhooks.pushes import Counts
from newswire_runtime.client import Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.streams import hook_turns, partition_of

MOST_IN_CALL = 50
_NUMBERS = 15
"""The numbers that each line begins with."""
_PAUSE, _OPENS, _REPLAYING, _REPLAYS = 4, 7, 12, 14
"""Their places."""


class Standing(NamedTuple):
    """How a subscription stands.

    ``last``: the newest attempt as its record tells it, times in ms; None for none. ``unsigned``: why its pushes cannot
    be signed, which is not read here. ``probe_ms``: when its open circuit lets the next push through; None if it is not
    open. ``replaying``: how many entries wait to be sent again by a replay.
    """

    counts: Counts
    last: dict[str, Any] | None
    unsigned: str | None = None
    probe_ms: int | None = None
    replaying: int = 0


class Standings:
    """Reads how subscriptions stand. ``keep_ms``: how old the newest attempt may be; without it, of any age."""

    def __init__(self, client: Client, partitions: int, keep_ms: int | None = None) -> None:
        self._client = client
        self._partitions = partitions
        self._keep_ms = keep_ms
        self._read = Script("newswire_publisher.webhooks", "standing.lua")

    async def of(self, hook_ids: Sequence[str]) -> list[Standing]:
        """Return how each subscription stands, in one round trip."""
        by_partition: dict[int, list[int]] = {}
        for place, hook_id in enumerate(hook_ids):
            by_partition.setdefault(partition_of(hook_id, self._partitions), []).append(place)
        parts = [
            (partition, places[start : start + MOST_IN_CALL])
            for partition, places in by_partition.items()
            for start in range(0, len(places), MOST_IN_CALL)
        ]
        calls: list[tuple[Sequence[str | bytes], Sequence[Word]]] = [
            ([hook_turns(partition)], [hook_ids[place] for place in places]) for partition, places in parts
        ]
        now_ms = int(time.time() * 1_000)
        oldest_ms = 0 if self._keep_ms is None else now_ms - self._keep_ms
        found: dict[int, Standing] = {}
        answers = await self._read.many(self._client, calls, writes=False) if calls else []
        for (_, places), lines in zip(parts, answers, strict=True):
            found |= {place: _standing(line, now_ms, oldest_ms) for place, line in zip(places, lines, strict=True)}
        return [found[place] for place in range(len(hook_ids))]


def _standing(line: bytes, now_ms: int, oldest_ms: int) -> Standing:
    words = line.split(b" ", _NUMBERS + 2)
    row = words[_NUMBERS:]
    is_kept = bool(row) and moment_ms(row[0].decode()) >= oldest_ms
    last = attempt_of(row[0].decode(), int(row[1]), row[2]) if is_kept else None
    numbers = [int(float(word)) for word in words[:_NUMBERS]]
    counts = _counts(numbers, now_ms)
    probe_ms = max(numbers[_OPENS], numbers[_PAUSE]) if counts.circuit == "open" else None
    return Standing(counts, last, probe_ms=probe_ms, replaying=numbers[_REPLAYING] + numbers[_REPLAYS])


def _counts(numbers: Sequence[int], now_ms: int) -> Counts:
    sequence, cursor, parked, held, pause, failing, half, opens, ahead, *lanes, failed, _ = numbers
    circuit: Literal["closed", "open", "half-open"] = "closed"
    if half:
        circuit = "open" if opens > now_ms else "half-open"
    return Counts(
        waiting=sequence - cursor - ahead + parked + sum(lanes),
        in_flight=held,
        last_sequence=sequence,
        paused_until_ms=pause if pause > now_ms else None,
        failing_since_ms=failing or None,
        circuit=circuit,
        given_up=failed,
    )
