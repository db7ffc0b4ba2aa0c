"""Dead letters: what could not be processed, with its bytes, reason, stage and attempts.

One stream a partition. A letter is listed, shown, replayed once or dropped. Its
id is ``partition.entry-id``. A replay puts the event back into the stream that
it came from, in one step with the removal.
"""

from dataclasses import dataclass

from newswire_runtime.client import Client
from newswire_runtime.handoff import Effect
from newswire_runtime.scripts import Script
from newswire_schemas.streams import WireKeys


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter. ``at`` is in milliseconds since the epoch; ``event`` are the bytes as they came."""

    id: str
    stage: str
    reason: str
    detail: str
    attempts: int
    at: int
    origin: str
    event: bytes
    replayable: bool = True


class UnknownDeadLetterError(LookupError):
    """There is no such dead letter: it was replayed or dropped before, or never was."""


def burial(keys: WireKeys, *, stage: str, origin: str, event: bytes, reason: str, detail: str, attempts: int) -> Effect:
    """Return the write that makes an entry a dead letter; ``origin`` is '' if it can't be replayed."""
    words = ("*", "stage", stage, "origin", origin, "reason", reason, "detail", detail[:2_000], "attempts", attempts)
    return Effect("XADD", keys.dead, (*words, "event", event))


class DeadLetters:
    """The dead letters of all partitions."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._keys = [WireKeys(partition) for partition in range(partitions)]
        self._take = Script("newswire_runtime", "dead.lua")

    async def count(self) -> int:
        return sum([await self._client.xlen(keys.dead) for keys in self._keys])

    async def newest(self, limit: int = 100, before: str | None = None) -> list[DeadLetter]:
        """Return letters newest first; ``before`` is the id of the last one of the page before."""
        ceiling = before.partition(".")[2] if before else None
        letters: list[DeadLetter] = []
        for keys in self._keys:
            # Two letters of different partitions may have the same entry id: the partition breaks the tie.
            top = "+" if ceiling is None else ceiling
            rows = await self._client.xrevrange(keys.dead, max=top, count=limit + 1)
            letters += [_letter(keys.partition, entry_id, fields) for entry_id, fields in rows]
        letters.sort(key=_order, reverse=True)
        if before is not None:
            mark = _order_of(before)
            letters = [letter for letter in letters if _order(letter) < mark]
        return letters[:limit]

    async def get(self, letter_id: str) -> DeadLetter:
        keys, entry_id = self._locate(letter_id)
        rows = await self._client.xrange(keys.dead, min=entry_id, max=entry_id)
        if not rows:
            raise UnknownDeadLetterError(letter_id)
        return _letter(keys.partition, *rows[0])

    async def replay(self, letter_id: str) -> None:
        letter = await self.get(letter_id)
        if not letter.replayable:
            raise ValueError(f"dead letter {letter_id} has no stage to go back to: {letter.reason}")
        await self._remove(letter_id, letter.origin, "replay")

    async def drop(self, letter_id: str) -> None:
        keys, _ = self._locate(letter_id)
        await self._remove(letter_id, keys.dead, "drop")

    async def _remove(self, letter_id: str, stream: str, how: str) -> None:
        keys, entry_id = self._locate(letter_id)
        if not await self._take(self._client, [keys.dead, stream], [entry_id, how]):
            raise UnknownDeadLetterError(letter_id)

    def _locate(self, letter_id: str) -> tuple[WireKeys, str]:
        try:
            partition, ms, sequence = _order_parts(letter_id)
            return self._keys[partition], f"{ms}-{sequence}"
        except (ValueError, IndexError):
            raise UnknownDeadLetterError(letter_id) from None


def _order_parts(letter_id: str) -> tuple[int, int, int]:
    partition, _, entry_id = letter_id.partition(".")
    ms, _, sequence = entry_id.partition("-")
    parts = int(partition), int(ms), int(sequence)
    if min(parts) < 0:
        raise ValueError(letter_id)
    return parts


def _order_of(letter_id: str) -> tuple[int, int, int]:
    try:
        partition, ms, sequence = _order_parts(letter_id)
    except ValueError:
        raise UnknownDeadLetterError(letter_id) from None
    return ms, sequence, partition


def _order(letter: DeadLetter) -> tuple[int, int, int]:
    return _order_of(letter.id)


def _letter(partition: int, entry_id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    text = {name.decode(): value.decode(errors="replace") for name, value in fields.items() if name != b"event"}
    return DeadLetter(
        id=f"{partition}.{entry_id.decode()}",
        stage=text.get("stage", ""),
        reason=text.get("reason", ""),
        detail=text.get("detail", ""),
        attempts=int(text.get("attempts", 0)),
        at=int(entry_id.partition(b"-")[0]),
        origin=text.get("origin", ""),
        event=fields.get(b"event", b""),
        replayable=bool(text.get("origin")),
    )
