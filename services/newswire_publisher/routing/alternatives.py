"""A shape as alternatives, each a conjunction that the index can hold in bitmaps.

Nested filters are multiplied out: ``any`` makes several alternatives, ``all``
adds to each, ``exclude`` forbids. What would grow too large, or forbids
something that is itself nested, stays a predicate that is asked only where
the rest of the alternative holds: this costs time, never correctness.
"""

from typing import NamedTuple

from newswire_publisher.routing.shape import Asks, Predicate, Shape, predicate_of

MAX_ALTERNATIVES = 24
MAX_TERMS = 6


class Alternative(NamedTuple):
    """Holds where every term of ``wanted`` does, none of ``unwanted``, and ``rest`` if there is one."""

    wanted: tuple[Asks, ...] = ()
    unwanted: tuple[Asks, ...] = ()
    rest: Predicate | None = None


class _TooLarge(Exception):  # noqa: N818 - control flow inside this module, not an error
    """Multiplying out went over a bound."""


def alternatives_of(shape: Shape) -> list[Alternative]:
    """Return alternatives of which at least one holds exactly where the shape does; never an empty list."""
    try:
        return _multiply_out(shape)
    except _TooLarge:
        return [Alternative(wanted=(shape.asks,), rest=predicate_of(shape))]


def _multiply_out(shape: Shape) -> list[Alternative]:
    found = [Alternative(wanted=(shape.asks,) if shape.asks else ())]
    for part in shape.all:
        found = _both(found, _multiply_out(part))
    if shape.any:
        found = _both(found, [each for part in shape.any for each in _multiply_out(part)])
    if shape.exclude is not None:
        found = _both(found, [_none_of(shape.exclude)])
    return found


def _none_of(shape: Shape) -> Alternative:
    unwanted: list[Asks] = []
    for each in _multiply_out(shape):
        if len(each.wanted) > 1 or each.unwanted:
            raise _TooLarge
        unwanted.append(each.wanted[0] if each.wanted else frozenset())
    return Alternative(unwanted=tuple(unwanted))


def _both(left: list[Alternative], right: list[Alternative]) -> list[Alternative]:
    if len(left) * len(right) > MAX_ALTERNATIVES:
        raise _TooLarge
    return [_join(one, other) for one in left for other in right]


def _join(one: Alternative, other: Alternative) -> Alternative:
    wanted = one.wanted
    for term in other.wanted:
        wanted = _add_term(wanted, term)
    unwanted = one.unwanted + other.unwanted
    if len(wanted) > MAX_TERMS or len(unwanted) > MAX_TERMS:
        raise _TooLarge
    return Alternative(wanted, unwanted)


def _add_term(terms: tuple[Asks, ...], term: Asks) -> tuple[Asks, ...]:
    """Put the term into one that asks nothing of the same fields, so that few terms are needed."""
    fields = {field for field, _ in term}
    for place, present in enumerate(terms):
        if fields.isdisjoint(field for field, _ in present):
            return (*terms[:place], present | term, *terms[place + 1 :])
    return (*terms, term)
