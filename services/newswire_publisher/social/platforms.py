"""What fits into one post of each platform, as the platform itself counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

PlatformName = Literal["bluesky", "facebook", "generic", "linkedin", "mastodon", "telegram", "threads", "x"]


def _one(_: str) -> int:
    return 1


def _utf16(grapheme: str) -> int:
    return len(grapheme.encode("utf-16-le")) // 2


def _weighted(grapheme: str) -> int:
    """X counts Latin, Greek, Cyrillic, Arabic … as 1 and everything else, emoji and CJK among it, as 2."""
    if len(grapheme) == 2 and grapheme == "\r\n":
        return 1
    weight = 0
    for c in grapheme:
        light = c <= "\u10ff" or "\u2000" <= c <= "\u200d" or "\u2010" <= c <= "\u201f" or "\u2032" <= c <= "\u2037"
        weight += 1 if light else 2
    return min(weight, 2) if grapheme[0] > "\u10ff" else weight


@dataclass(frozen=True, slots=True)
class Platform:
    """``limit`` is in units of ``cost`` (of one grapheme); ``link`` is what any link costs, None for its length."""

    limit: int
    link: int | None = None
    cost: Callable[[str], int] = _one


PLATFORMS: dict[PlatformName, Platform] = {
    "bluesky": Platform(300),
    "facebook": Platform(5_000),
    "generic": Platform(500),
    "linkedin": Platform(3_000, cost=_utf16),
    "mastodon": Platform(500, link=23),
    "telegram": Platform(4_096, cost=_utf16),
    "threads": Platform(500),
    "x": Platform(280, link=23, cost=_weighted),
}
