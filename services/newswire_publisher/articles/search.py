"""Public articles that a filter matches, newest first: the list, the pages and the dry run read through it.

A search looks at so many articles at most, and says where to go on: a filter that matches
nothing costs the same as one that matches all.
"""

import base64
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.routing.facts import facts_of
from newswire_publisher.routing.shape import compile_filter
from newswire_publisher.routing.topics import TopicTree
from newswire_runtime.problems import Problem
from newswire_schemas.article import to_ms
from newswire_schemas.filters import Filter

SCANNED = 2_000
"""Articles that one call with a filter looks at, at most; the cursor goes on from there."""

PAGE = 25
"""Articles that a dry run reads and compares in one go: between two, others have their turn."""

FACETS_SCANNED = 300
FACETS_S = 1.0

Place = tuple[int, str]
"""Where an article stands in the list: when it was published, in ms, and its key."""


@dataclass(frozen=True, slots=True)
class Found:
    """The rows that matched; ``after`` is where a next search goes on, None at the end."""

    rows: tuple[Row, ...]
    scanned: int
    after: Place | None


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a filter would have carried in a time. ``truncated``: there were more articles than were looked at."""

    scanned: int
    matched: int
    rows: tuple[Row, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the newest articles there are of each language and section."""

    counted: Mapping[tuple[str, str], int]

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages, most frequent first."""
        return _by_count((language, count) for (language, _), count in self.counted.items())

    def sections(self, language: str | None) -> tuple[str, ...]:
        """Return the sections, most frequent first; with a language, those that it is written in."""
        wanted = (language or "").partition("-")[0].lower()
        return _by_count((name, count) for (of, name), count in self.counted.items() if wanted in ("", of))


class ArticleSearch:
    """Searches in what is public now."""

    def __init__(self, store: ArticleStore, topics: TopicTree, clock: Callable[[], float]) -> None:
        self._store = store
        self._topics = topics
        self._clock = clock
        self._facets: tuple[float, Facets] = (float("-inf"), Facets({}))

    async def page(self, wanted: Filter, limit: int, before: Place | None = None, most: int = SCANNED) -> Found:
        """Return up to ``limit`` matching articles below ``before``, of the next ``most`` that there are."""
        holds = compile_filter(wanted)
        rows: list[Row] = []
        scanned = 0
        while scanned < most:
            places = await self._store.newest(limit, before)
            if not places:
                return Found(tuple(rows), scanned, None)
            scanned += len(places)
            for place, row in zip(places, await self._store.rows([key for _, key in places]), strict=True):
                before = place
                if row is not None and row.is_public and holds(facts_of(row.article, self._topics)):
                    rows.append(row)
                    if len(rows) == limit:
                        return Found(tuple(rows), scanned, before)
        return Found(tuple(rows), scanned, before)

    async def dry_run(self, wanted: Filter, days: int, now: datetime, shown: int = 50) -> DryRun:
        """Return what the filter matches of the articles that were published in the last days, the newest ``shown``."""
        holds = compile_filter(wanted)
        since = to_ms(now - timedelta(days=days))
        rows: list[Row] = []
        scanned = matched = 0
        before: Place | None = None
        while True:
            places = [place for place in await self._store.newest(PAGE, before) if place[0] >= since]
            if not places or scanned >= SCANNED:
                return DryRun(scanned, matched, tuple(rows), truncated=bool(places))
            before = places[-1]
            for row in await self._store.rows([key for _, key in places]):
                if row is None or not row.is_public:
                    continue
                scanned += 1
                if holds(facts_of(row.article, self._topics)):
                    matched += 1
                    if len(rows) < shown:
                        rows.append(row)

    async def facets(self) -> Facets:
        """Return what the newest articles are about; at most `FACETS_S` seconds old."""
        made, facets = self._facets
        if self._clock() - made < FACETS_S:
            return facets
        counted: Counter[tuple[str, str]] = Counter()
        places = await self._store.newest(FACETS_SCANNED)
        for row in await self._store.rows([key for _, key in places]):
            if row is not None and row.is_public:
                counted[(row.article.language or "").partition("-")[0], row.article.section or ""] += 1
        facets = Facets(counted)
        self._facets = (self._clock(), facets)
        return facets


def _by_count(found: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    counted: Counter[str] = Counter()
    for name, count in found:
        counted[name] += count
    return tuple(sorted(filter(None, counted), key=lambda name: (-counted[name], name)))


def write_cursor(place: Place) -> str:
    """Return a place as the opaque cursor of a list."""
    return base64.urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> Place | None:
    """Return the place that a cursor names; raise a 422 problem for what is none of ours."""
    if text is None:
        return None
    try:
        ms, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(":")
        return int(ms), key
    except ValueError as exc:
        raise Problem(422, "unknown-cursor", "the cursor is not one of ours; start without it") from exc
