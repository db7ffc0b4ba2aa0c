"""A filter in the form in which it compares, and as a predicate.

Two filters that ask the same, whatever the order and letter case of their
values, have equal shapes; the index keeps one of them.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from newswire_publisher.routing.facts import Facts
from newswire_publisher.routing.text import fold, run_of
from newswire_publisher.routing.topics import topic_code
from newswire_schemas.filters import Filter

TEXT_FIELDS = frozenset({"words", "phrases"})
"""The fields whose values are looked for in the article's text."""

_COMPARABLE: dict[str, Callable[[str], str]] = {
    "languages": str.lower,
    "topics": topic_code,
    "sections": fold,
    "places": fold,
    "sources": fold,
    "genres": fold,
    "words": run_of,
    "phrases": run_of,
}

Asks = frozenset[tuple[str, frozenset[str]]]
"""What a filter asks apart from nested ones: each field that is given, with the values of which one must match."""


class Shape(NamedTuple):
    """A filter whose values are comparable and in no order."""

    asks: Asks
    all: frozenset["Shape"] = frozenset()
    any: frozenset["Shape"] = frozenset()
    exclude: "Shape | None" = None

    @property
    def is_flat(self) -> bool:
        """Whether nothing is nested in it."""
        return not self.all and not self.any and self.exclude is None


def shape_of(wanted: Filter) -> Shape:
    """Return the filter's shape."""
    asks = {(field, comparable_values(field, values)) for field in _COMPARABLE if (values := getattr(wanted, field))}
    if wanted.urgency is not None:
        asks.add(("urgency", frozenset({str(wanted.urgency)})))
    return Shape(
        asks=frozenset(asks),
        all=frozenset(map(shape_of, wanted.all)),
        any=frozenset(map(shape_of, wanted.any)),
        exclude=shape_of(wanted.exclude) if wanted.exclude is not None else None,
    )


def comparable_values(field: str, values: Iterable[str]) -> frozenset[str]:
    """Return a field's values as they compare, each once."""
    return frozenset(map(_COMPARABLE[field], values))


Predicate = Callable[[Facts], bool]


def compile_filter(wanted: Filter) -> Predicate:
    """Return a function that tells whether the filter matches an article's facts.

    For one filter against many articles (a dry run, a search); many filters
    against one article are the index's work.
    """
    return predicate_of(shape_of(wanted))


def predicate_of(shape: Shape) -> Predicate:
    """Return the shape as a function of an article's facts."""
    tests = [_values_test(field, values) for field, values in sorted(shape.asks, key=_by_cost)]
    tests += map(predicate_of, shape.all)
    if shape.any:
        tests.append(_any_test([predicate_of(part) for part in shape.any]))
    if shape.exclude is not None:
        tests.append(_none_test(predicate_of(shape.exclude)))
    if len(tests) == 1:
        return tests[0]

    def holds(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110 - a plain loop costs half of what all() over a generator does
            if not test(facts):
                return False
        return True

    return holds


def _by_cost(ask: tuple[str, frozenset[str]]) -> bool:
    return ask[0] in TEXT_FIELDS


def _values_test(field: str, values: frozenset[str]) -> Predicate:
    if field in TEXT_FIELDS:
        return _text_test(values)
    return lambda facts: not values.isdisjoint(facts.values[field])


def _text_test(runs: frozenset[str]) -> Predicate:
    # A look-up for single words: looking through the text for each costs fifty times that.
    longer = sorted(run for run in runs if " " in run)
    singles = runs.difference(longer)
    return lambda facts: not singles.isdisjoint(facts.vocabulary) or any(map(facts.has_run, longer))


def _any_test(parts: list[Predicate]) -> Predicate:
    return lambda facts: any(part(facts) for part in parts)


def _none_test(part: Predicate) -> Predicate:
    return lambda facts: not part(facts)
