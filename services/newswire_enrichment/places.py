"""What cities and countries are called in the wire's languages; the names themselves are data."""

import json
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class City(NamedTuple):
    """A city: its English name, and its country's ISO 3166-1 alpha-2 code if known."""

    name: str
    country: str | None


def city(name: str) -> City | None:
    """Return the city of a name in any of the languages, in any letter case."""
    return _cities().get(name.casefold())


def country(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country's name in any of the languages."""
    return _countries().get(name.casefold())


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    loaded: dict[str, dict[str, list[str]]] = json.loads(
        (files("newswire_enrichment") / "data" / "places.json").read_text("utf-8")
    )
    return loaded


@cache
def _cities() -> dict[str, City]:
    return {
        written.casefold(): City(name, code)
        for name, (code, *others) in _table()["cities"].items()
        for written in (name, *others)
    }


@cache
def _countries() -> dict[str, str]:
    return {name.casefold(): code for code, names in _table()["countries"].items() for name in names}
