"""The inverted index: which of many filters match one article.

    filter ─shape─▶ alternatives ─▶ slots: one bit position each
    article ─facts─▶ planes fail slots ─▶ what is left ─▶ rest ─▶ names

Equal filters share their slots. Every alternative (conjunction) of a filter
takes a slot; its n-th wanted term lies in the n-th wanted plane, its unwanted
terms in the unwanted planes. One article costs a handful of integer
operations over all slots, whatever the filters are; only what could not be
multiplied out is asked one by one.

`put` and `remove` change the index in place in microseconds; it is not
thread-safe. Nothing here fails on any article: what matches nothing is left
out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from newswire_publisher.routing.alternatives import Alternative, alternatives_of
from newswire_publisher.routing.facts import Facts, facts_of
from newswire_publisher.routing.plane import Plane
from newswire_publisher.routing.runs import RunTable
from newswire_publisher.routing.shape import TEXT_FIELDS, Asks, Predicate, Shape, shape_of
from newswire_publisher.routing.topics import TopicTree
from newswire_schemas.article import Article
from newswire_schemas.filters import Filter

_BITS = tuple(tuple(bit for bit in range(8) if byte >> bit & 1) for byte in range(256))


@dataclass(eq=False)
class _Group:
    """The names whose filters have one shape, and the slots of its alternatives."""

    names: set[str] = field(default_factory=set)
    slots: dict[int, Alternative] = field(default_factory=dict)


class FilterIndex:
    """Matches an article against all filters at once. A name is whatever the caller calls a sink."""

    def __init__(self, filters: Mapping[str, Filter], topics: TopicTree) -> None:
        self._topics = topics
        self._groups: dict[Shape, _Group] = {}
        self._shapes: dict[str, Shape] = {}
        self._names: list[set[str]] = []
        self._free: list[int] = []
        self._live = 0
        self._wanted: list[Plane] = []
        self._unwanted: list[Plane] = []
        self._runs = RunTable()
        self._rest: dict[int, Predicate] = {}
        self._resting = 0
        for name, wanted in filters.items():
            self.put(name, wanted)

    def __len__(self) -> int:
        return len(self._shapes)

    def __contains__(self, name: object) -> bool:
        return name in self._shapes

    def match(self, article: Article) -> set[str]:
        """Return the names whose filters match the article."""
        return self.match_facts(facts_of(article, self._topics))

    def match_facts(self, facts: Facts) -> set[str]:
        """Return the names whose filters match what is known of an article."""
        found = self._runs.find(facts)
        hits = self._live
        for plane in self._wanted:
            hits &= ~plane.failed(facts.values, found)
        for plane in self._unwanted:
            hits &= ~(plane.members ^ plane.failed(facts.values, found))
        resting = hits & self._resting
        slots = _slots(hits ^ resting)
        slots += [slot for slot in _slots(resting) if self._rest[slot](facts)]
        return set().union(*map(self._names.__getitem__, slots))

    def put(self, name: str, wanted: Filter) -> None:
        """Add a filter, or replace the one of this name."""
        shape = shape_of(wanted)
        if self._shapes.get(name) == shape:
            return
        self.remove(name)
        group = self._groups.get(shape)
        if group is None:
            group = self._groups[shape] = _Group()
            for alternative in alternatives_of(shape):
                self._occupy(group, alternative)
        group.names.add(name)
        self._shapes[name] = shape

    def remove(self, name: str) -> None:
        """Take a filter out; a name that is not there is no error."""
        shape = self._shapes.pop(name, None)
        if shape is None:
            return
        group = self._groups[shape]
        group.names.discard(name)
        if not group.names:
            del self._groups[shape]
            for slot, alternative in group.slots.items():
                self._vacate(slot, alternative)

    def _occupy(self, group: _Group, alternative: Alternative) -> None:
        if self._free:
            slot = self._free.pop()
        else:
            slot = len(self._names)
            self._names.append(group.names)
        self._names[slot] = group.names
        group.slots[slot] = alternative
        self._live |= 1 << slot
        for planes, terms in ((self._wanted, alternative.wanted), (self._unwanted, alternative.unwanted)):
            planes.extend(Plane() for _ in range(len(terms) - len(planes)))
            for plane, asks in zip(planes, terms, strict=False):
                plane.add(slot, asks)
                self._runs.add(_runs(asks))
        if alternative.rest is not None:
            self._rest[slot] = alternative.rest
            self._resting |= 1 << slot

    def _vacate(self, slot: int, alternative: Alternative) -> None:
        self._free.append(slot)
        self._live &= ~(1 << slot)
        for planes, terms in ((self._wanted, alternative.wanted), (self._unwanted, alternative.unwanted)):
            for plane, asks in zip(planes, terms, strict=False):
                plane.remove(slot, asks)
                self._runs.remove(_runs(asks))
        if alternative.rest is not None:
            del self._rest[slot]
            self._resting &= ~(1 << slot)


def _runs(asks: Asks) -> list[str]:
    return [run for name, values in asks if name in TEXT_FIELDS for run in values]


def _slots(hits: int) -> list[int]:
    """Return the positions of the set bits, lowest first."""
    table = hits.to_bytes((hits.bit_length() + 7) >> 3, "little")
    return [base << 3 | bit for base, byte in enumerate(table) if byte for bit in _BITS[byte]]
