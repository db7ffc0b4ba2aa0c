"""Tell what belongs to a page from what belongs to its story, by a table of phrases in many languages.

The table (``data/furniture.json``) is keyed by what a phrase does to a page:

    menu    leads elsewhere, stands above the story
    inline  stands amid a story without ending it: share, print, advertisement, a picture's credit
    end     begins what follows a story: subscribe, latest news, comments
    network the name of a social network as a button

A phrase counts only as a line of its own, or as the beginning of a short line
that is no sentence: running text is never taken for furniture.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from newswire_ingest.formats.lines import Line

_MAX = 80
"""Longer lines are never furniture."""


class Furniture(StrEnum):
    """What a line of a page's furniture does."""

    MENU = "menu"
    INLINE = "inline"
    END = "end"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class _Table:
    exact: dict[str, Furniture]
    end_prefixes: tuple[str, ...]
    inline_prefixes: tuple[str, ...]
    sections: frozenset[str]
    bylines: tuple[str, ...]


def kind(line: Line, *, above: bool = False) -> Furniture | None:
    """Return what furniture a line is, or None. ``above`` the story, where a title could begin like an end phrase."""
    text = line.text
    if len(text) > _MAX:
        return None
    table = _table()
    folded = _fold(text)
    if found := table.exact.get(folded):
        return found
    if not any(c.isalnum() for c in text):
        return Furniture.INLINE if above else None
    if folded.startswith(table.inline_prefixes):
        return Furniture.INLINE
    if not above and not line.ends_sentence and folded.startswith(table.end_prefixes):
        return Furniture.END
    return None


def is_section(text: str) -> bool:
    """Whether this is the usual name of a newspaper's section."""
    return _fold(text) in _table().sections


def byline_of(line: Line) -> str | None:
    """Return the author whom a line such as ``Von Anna Muster`` names."""
    text = line.text
    if len(text) > _MAX or line.ends_sentence or line.words > 8:
        return None
    folded = text.casefold()
    for prefix in _table().bylines:
        if folded.startswith(prefix) and (rest := text[len(prefix) :].strip(" :：")):
            name = rest if rest[:1].isupper() or not rest[:1].isascii() else ""
            if name and not any(c.isdigit() for c in name):
                return name
    return None


def _fold(text: str) -> str:
    return text.casefold().strip(" :：.…>›»|•-–—#*")


@cache
def _table() -> _Table:
    data = json.loads((files("newswire_ingest.formats") / "data" / "furniture.json").read_text("utf-8"))

    def phrases(group: str) -> list[str]:
        return [phrase for language in data[group].values() for phrase in language]

    exact: dict[str, Furniture] = dict.fromkeys(data["networks"], Furniture.NETWORK)
    for group in (Furniture.MENU, Furniture.INLINE, Furniture.END):
        exact.update(dict.fromkeys(phrases(group), group))
    ends = [
        phrase for phrase in phrases("end") if " " in phrase or "-" in phrase or len(phrase.encode()) >= 3 * len(phrase)
    ]
    return _Table(
        exact=exact,
        end_prefixes=tuple(f"{phrase}{after}" for phrase in ends for after in ("", ":")),
        inline_prefixes=tuple(
            f"{p}{after}" for p in phrases("inline") for after in (": ", " : ", "：", ". ", " (", "（")
        ),
        sections=frozenset(phrases("sections")),
        bylines=tuple(f"{p}{after}" for p in phrases("byline") for after in (" ", ":", "：")),
    )
