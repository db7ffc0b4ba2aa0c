"""All runs of words that any filter asks for, found in an article in one go.

Single words are looked up as they are. A longer run is anchored at one pair of
neighbouring words in it, and compared whole only in articles that have this
pair.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

from newswire_publisher.routing.facts import Facts


class RunTable:
    """The runs in use, counted, so that a run leaves with the last filter that asks for it."""

    def __init__(self) -> None:
        self._uses: Counter[str] = Counter()
        self._singles: set[str] = set()
        self._anchored: dict[tuple[str, str], set[str]] = {}

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

    def __len__(self) -> int:
        return len(self._uses)

    def find(self, facts: Facts) -> set[str]:
        """Return the runs in use that occur in the article's text."""
        if not self._uses:
            return set()
        found = self._singles & facts.vocabulary
        if self._anchored:
            for anchor in set(filter(self._anchored.__contains__, pairwise(facts.words))):
                found.update(filter(facts.has_run, self._anchored[anchor]))
        return found

    def _enter(self, run: str) -> None:
        words = run.split()
        if len(words) == 1:
            self._singles.add(run)
        elif words:
            self._anchored.setdefault(_anchor(words), set()).add(run)

    def _leave(self, run: str) -> None:
        words = run.split()
        if len(words) == 1:
            self._singles.discard(run)
        elif words:
            anchor = _anchor(words)
            self._anchored[anchor].discard(run)
            if not self._anchored[anchor]:
                del self._anchored[anchor]


def _anchor(words: list[str]) -> tuple[str, str]:
    """Return the longest pair: long words are the rare ones."""
    return max(pairwise(words), key=lambda pair: len(pair[0]) + len(pair[1]))
