"""What the fan-out needs of an output: feeds, webhooks and social queues are each one kind of sink.

The fan-out decides who gets an article and remembers it in the ledger; then it
hands each kind its dispatches. A delivery is idempotent: the sink keeps the rank
of the newest version it has seen of each article, in the same slot as its own
state, and an older or equal version is a no-op there. So a batch that is processed
twice, or out of order, or by two workers, changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newswire_schemas.article import Act, Article
from newswire_schemas.filters import Filter

RETRACTIONS = frozenset({Act.KILL, Act.WITHHOLD, Act.EXPIRE})
"""Acts that take an article away from those who got it."""

WITHDRAWALS = frozenset({Act.KILL, Act.WITHHOLD})
"""Those of them that must reach everybody: an expiry needs no notice."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One version of one article for one sink.

    ``published`` is when the article's first version went out, ``moment`` when this one did.
    ``received_at`` is when its submission was accepted, for the measure of how long it took.
    ``matches`` says whether the sink's filter takes this version; a later version also goes to sinks that
    have an earlier one.
    """

    sink: str
    act: Act
    article: Article
    published: datetime
    moment: datetime
    received_at: datetime
    trace_id: str
    matches: bool = True


class Sinks(Protocol):
    """One kind of output. ``kind`` is its name in the ledger: ``feed``, ``hook`` or ``post``."""

    kind: str

    async def filters(self) -> Mapping[str, Filter]:
        """Return the filters of the sinks that take articles now, by name; the same object until one changes."""

    async def deliver(self, dispatches: Sequence[Dispatch]) -> None:
        """Take the dispatches, durably; raise if any could not be taken. Safe to repeat."""
