"""What a backup is, and what restoring one would change: pure decisions.

    {"format": "newswire-backup", "version": 1, "created": …}
    {"kind": "feeds", "name": "sport", "value": {…}}                 as it is kept, secrets still sealed
    {"kind": "webhooks", "name": "wh_…", "value": {…}, "sequence": 812}
    {"end": true, "things": 2}

One JSON object a line. The last line says that it is whole: a file that was cut off is refused, and so is one
of a newer version, before anything is changed.

What went out after it was made is not in it, so that webhooks' numbers go on after a leap: see `numbers_ahead`.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from newswire_runtime.problems import Problem, pointer
from newswire_runtime.strict_json import read_json
from newswire_schemas.article import Utc, to_iso
from newswire_schemas.faults import fault_of

FORMAT, VERSION = "newswire-backup", 1
MOST_THINGS = 200_000
_IGNORED = {"webhooks": frozenset({"revision"})}
"""What says nothing of a thing itself: a revision only counts its changes."""
_LEAP, _LEAP_LASTS = 1_000_000, timedelta(seconds=1_000)
"""Numbers that a log leaves out for each such time since a backup: no wire has carried 1,000 articles/s for long."""

Value = dict[str, Any]


class Thing(BaseModel):
    """One configured thing. ``sequence`` is the number of a webhook's newest entry."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: Annotated[str, Field(min_length=1, max_length=200)]
    value: Value
    sequence: Annotated[int, Field(ge=0, le=2**53)] | None = None


class Header(BaseModel):
    """The first line."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["newswire-backup"]
    version: int
    created: Utc


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is whole: when it was made, and what is in it."""

    created: datetime
    things: list[Thing]


@dataclass(frozen=True, slots=True)
class Plan:
    """What restoring would do: things that there are not yet, that differ, and how many are there just so."""

    new: tuple[Thing, ...]
    differing: tuple[Thing, ...]
    unchanged: int


def write(things: Iterable[Thing], created: datetime) -> Iterator[bytes]:
    """Yield a backup's lines."""
    yield _line({"format": FORMAT, "version": VERSION, "created": to_iso(created)})
    count = 0
    for thing in things:
        count += 1
        yield _line(thing.model_dump(mode="json", exclude_none=True) | {"value": thing.value})
    yield _line({"end": True, "things": count})


def numbers_ahead(created: datetime, now: datetime) -> int:
    """Return how many numbers a log that comes back leaves out: more than it can have used since the backup.

    At least a million, which bears clocks that differ by a quarter of an hour; a day makes it 87 million.
    """
    return _LEAP * max(1, math.ceil((now - created) / _LEAP_LASTS))


def read(body: bytes, models: Mapping[str, type[BaseModel]]) -> Backup:
    """Read a backup, and hold each thing against the model of its kind.

    Raises:
        Problem: 422: no backup, a newer version, cut off, too many things, or a bad one (its line in the pointer).
    """
    lines = body.splitlines()
    header = _header(lines[0] if lines else b"")
    if header.version > VERSION:
        detail = f"the backup is of version {header.version} and this newswire reads {VERSION}: update newswire first"
        raise Problem(422, "newer-backup", detail)
    if len(lines) > MOST_THINGS + 2:
        raise Problem(422, "malformed-backup", f"the backup has more than {MOST_THINGS} things")
    if len(lines) < 2 or _json(lines[-1]) != {"end": True, "things": len(lines) - 2}:
        raise Problem(422, "malformed-backup", "the backup is cut off: its last line does not say that it is whole")
    return Backup(header.created, [_thing(number, line, models) for number, line in enumerate(lines[1:-1], start=2)])


def plan(kept: Mapping[tuple[str, str], Value], wanted: Sequence[Thing]) -> Plan:
    """Compare what is kept, by kind and name, with what is to be restored."""
    new = tuple(thing for thing in wanted if (thing.kind, thing.name) not in kept)
    both = [thing for thing in wanted if (thing.kind, thing.name) in kept]
    differing = tuple(
        thing
        for thing in both
        if _compared(thing.kind, kept[thing.kind, thing.name]) != _compared(thing.kind, thing.value)
    )
    return Plan(new, differing, len(both) - len(differing))


def _compared(kind: str, value: Value) -> Value:
    return {name: each for name, each in value.items() if name not in _IGNORED.get(kind, ())}


def _header(line: bytes) -> Header:
    try:
        return Header.model_validate_json(line)
    except ValidationError as exc:
        raise Problem(422, "malformed-backup", "this is no backup: `newswire backup FILE` writes one") from exc


def _thing(number: int, line: bytes, models: Mapping[str, type[BaseModel]]) -> Thing:
    try:
        thing = Thing.model_validate_json(line)
    except ValidationError as exc:
        raise _bad(number, (), exc) from exc
    model = models.get(thing.kind)
    if model is None:
        known = ", ".join(models)
        raise _refused(number, ("kind",), f"there is no kind {thing.kind!r}; there are {known}")
    try:
        model.model_validate_json(json.dumps(thing.value))
    except ValidationError as exc:
        raise _bad(number, ("value",), exc) from exc
    return thing


def _bad(number: int, place: Sequence[str | int], exc: ValidationError) -> Problem:
    error = exc.errors()[0]
    return _refused(number, (*place, *error["loc"]), fault_of(error))


def _refused(number: int, place: Sequence[str | int], what: str) -> Problem:
    at = {"pointer": pointer((number, *place)), "detail": what}
    return Problem(
        422, "malformed-backup", f"line {number}: {pointer(place)}: {what}; nothing was changed", errors=[at]
    )


def _json(line: bytes) -> object:
    try:
        return read_json(line)
    except ValueError:
        return None


def _line(value: Value) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"
