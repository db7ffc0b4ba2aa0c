"""All runs of words that any filter asks for, found in an article in one go.

Runs of one and two words are looked up as they are. A longer run is anchored
at one pair of neighbouring words in it, and compared whole only in articles
that have this pair.
"""

from collections import Counter
from collections.abc import Iterable

from newswire_publisher.routing.facts import Facts
from newswire_publisher.routing.text import pairs_of


class RunTable:
    """The runs in use, counted, so that a run leaves with the last filter that asks for it."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._singles: set[str] = set()
        self._pairs: set[str] = set()
        self._anchored: dict[str, set[str]] = {}

    def add(self, runs: Iterable[str]) -> None:
        for run in runs:
            self._uses[run] += 1
            if self._uses[run] == 1:
                self._enter(run)

    def remove(self, runs: Iterable[str]) -> None:
        for run in runs:
            self._uses[run] -= 1
            if not self._uses[run]:
                del self._uses[run]
                self._leave(run)

    def find(self, facts: Facts) -> set[str]:
        """Return the runs in use that occur in the article's text."""
        if not self._uses:
            return set()
        found = self._singles & facts.singles
        if self._pairs or self._anchored:
            pairs = facts.pairs
            found |= self._pairs & pairs
            for anchor in self._anchored.keys() & pairs:
                found.update(filter(facts.has_run, self._anchored[anchor]))
        return found

    def _enter(self, run: str) -> None:
        words = run.split(" ")
        if len(words) > 2:
            self._anchored.setdefault(_anchor(words), set()).add(run)
        elif run:
            (self._singles if len(words) == 1 else self._pairs).add(run)

    def _leave(self, run: str) -> None:
        words = run.split(" ")
        if len(words) > 2:
            anchor = _anchor(words)
            self._anchored[anchor].discard(run)
            if not self._anchored[anchor]:
                del self._anchored[anchor]
        elif run:
            (self._singles if len(words) == 1 else self._pairs).discard(run)


def _anchor(words: list[str]) -> str:
    """Return the longest pair: long words are the rare ones."""
    return max(pairs_of(words), key=len)
