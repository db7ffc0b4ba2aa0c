"""Weighted lists in which a client says what it takes: ``Accept``, ``Accept-Encoding`` (RFC 9110 section 12.4.2).

A member whose weight cannot be read is left out: nobody is given what they may have
meant to refuse.
"""

import re
from typing import NamedTuple

MOST_MEMBERS = 64
"""Members that are read; browsers send some ten."""
_WEIGHT = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)\Z", re.ASCII)


class Weighted(NamedTuple):
    """A member of such a list, in lower case, without its parameters, and its weight from 0 (refused) to 1."""

    value: str
    weight: float


def read_weights(header: str) -> list[Weighted]:
    """Return the members of a header's value in their order. Several lines of one name are joined with commas."""
    found = []
    for member in header.split(",", MOST_MEMBERS)[:MOST_MEMBERS]:
        value, *parameters = (part.strip() for part in member.lower().split(";"))
        weight = _weight(parameters)
        if value and weight is not None:
            found.append(Weighted(value, weight))
    return found


def _weight(parameters: list[str]) -> float | None:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            value = value.strip()
            return float(value) if _WEIGHT.match(value) else None
    return 1.0
