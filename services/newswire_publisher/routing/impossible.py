"""Filters that can match nothing: a mistake that is better told when a filter is written than seen as silence.

Sound, not complete: what is named here never matches an article, whatever the article; a filter
that is not named may still match none (a section that no source uses). Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newswire_publisher.routing.shape import comparable_values
from newswire_publisher.routing.text import run_of
from newswire_schemas.filters import Filter

Path = tuple[str | int, ...]
_VALUES = ("languages", "topics", "sections", "places", "sources", "genres", "words", "phrases")


@dataclass(frozen=True, slots=True)
class Impossible:
    """Where in a filter (the path of a JSON pointer) the reason lies why it matches nothing, and the reason."""

    path: Path
    reason: str


def impossible(wanted: Filter) -> Impossible | None:
    """Return why the filter can match nothing, or None if that is not plain to see."""
    for field in ("words", "phrases"):
        values: Sequence[str] = getattr(wanted, field)
        if values and not any(map(run_of, values)):
            return Impossible((field,), "has no letter or digit to look for; such a value matches nothing")
    if wanted.exclude is not None and _takes_all_of(wanted.exclude, wanted):
        reason = "excludes all that the rest of the filter takes; make it narrower, or leave it out"
        return Impossible(("exclude",), reason)
    if _languages_apart(list(_conjuncts(wanted))):
        return Impossible(("all",), "asks for languages that no article has at once; put them in one list, or in `any`")
    return _nested(wanted)


def _nested(wanted: Filter) -> Impossible | None:
    for number, each in enumerate(wanted.all):
        if found := impossible(each):
            return Impossible(("all", number, *found.path), found.reason)
    found_any = [impossible(each) for each in wanted.any]
    if found_any and found_any[0] is not None and all(found_any):
        return Impossible(("any", 0, *found_any[0].path), found_any[0].reason)
    return None


def _conjuncts(wanted: Filter) -> Iterator[Filter]:
    """Yield the filters that an article must match all of: this one and, however deep, those of its ``all``."""
    yield wanted
    for each in wanted.all:
        yield from _conjuncts(each)


def _languages_apart(filters: Sequence[Filter]) -> bool:
    asked = [{tag.lower().partition("-")[0] for tag in each.languages} for each in filters if each.languages]
    return len(asked) > 1 and not set.intersection(*asked)


def _takes_all_of(wide: Filter, narrow: Filter) -> bool:
    """Return whether it is certain that ``wide`` matches every article that ``narrow`` (its exclude apart) does."""
    if wide.exclude is not None:
        return False
    parts = list(_conjuncts(narrow))
    if wide.urgency is not None and not any(
        part.urgency is not None and part.urgency <= wide.urgency for part in parts
    ):
        return False
    for field in _VALUES:
        values = comparable_values(field, getattr(wide, field))
        if values and not any(
            len(asked := comparable_values(field, getattr(part, field))) > 0 and _within(field, asked, values)
            for part in parts
        ):
            return False
    if not all(_takes_all_of(each, narrow) for each in wide.all):
        return False
    return not wide.any or any(_takes_all_of(each, narrow) for each in wide.any)


def _within(field: str, asked: frozenset[str], values: frozenset[str]) -> bool:
    if field != "languages":
        return asked <= values
    return all(any(tag == value or tag.startswith(f"{value}-") for value in values) for tag in asked)
