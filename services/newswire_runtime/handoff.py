"""The hand-off: one atomic step on the server that acknowledges an entry and applies its effects.

A stage turns each entry into a `Commit`: which entry, what to write. The commit
of a batch is one script call (``handoff.lua``). XACK is the commit: whoever gets
1 from it has the right to act, so a message that was delivered twice, or claimed
by two workers, acts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from newswire_runtime.client import Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import Rank


@dataclass(frozen=True, slots=True)
class Effect:
    """One write: a command, the key it touches, and the words after the key."""

    command: str
    key: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """What the end of one entry's handling writes.

    With a ``mark``, an article's key and rank, the effects are dropped when the stage
    has handed on that version, or a newer one, before.
    """

    entry_id: bytes
    effects: tuple[Effect, ...] = ()
    mark: tuple[str, Rank] | None = None


class Done(Enum):
    """How a commit ended: applied, applied by another before, or stale."""

    LOST = 0
    APPLIED = 1
    STALE = 2


class HandoffError(Exception):
    """An effect was refused by the server; its entry is pending again."""


class Handoff:
    """Commits batches of one stream and group."""

    def __init__(self, client: Client, stream: str, group: str, marks: str) -> None:
        self._client = client
        self._stream = stream
        self._group = group
        self._marks = marks
        self._script = Script("newswire_runtime", "handoff.lua")

    async def commit(self, commits: Sequence[Commit], deliveries: Mapping[bytes, int] | None = None) -> list[Done]:
        """Apply the commits in order; raise `HandoffError` if the server refused one's effect.

        ``deliveries`` tells how often each entry was delivered (1 where it is silent); a refused
        one keeps that count.
        """
        if not commits:
            return []
        places: dict[str, int] = {self._stream: 1, self._marks: 2}
        args: list[Word] = [self._group, len(commits)]
        for commit in commits:
            field, rank = (commit.mark[0], str(commit.mark[1])) if commit.mark else ("", "")
            args += [commit.entry_id, (deliveries or {}).get(commit.entry_id, 1), field, rank, len(commit.effects)]
            for effect in commit.effects:
                place = places.setdefault(effect.key, len(places) + 1)
                args += [len(effect.words) + 2, effect.command, place, *effect.words]
        results = await self._script(self._client, list(places), args)
        refused = [result for result in results if isinstance(result, bytes)]
        if refused:
            raise HandoffError(f"hand-off on {self._stream}: the server refused an effect: {refused[0].decode()}")
        return [Done(result) for result in results]
