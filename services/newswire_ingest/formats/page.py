"""Find the story in a page that a person copied, or in plain wire copy.

    lines ──▶ anchor: the first line that is surely running text
          ──▶ above it, upwards: date lines, byline, the headline (the top of the nearest run of titles), section
          ──▶ from the headline down: the story, until a phrase that ends stories

Structure decides, and a table of phrases helps. In doubt a line of text stays,
with a warning; only what stands above the headline, what the table knows, and
short lines after the end of the story are left out.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from newswire_ingest.formats.furniture import Furniture, byline_of, is_section, kind
from newswire_ingest.formats.lines import Line
from newswire_ingest.formats.page_dates import DateLine, date_line, other_language
from newswire_schemas.agencies import in_dateline

_NEAR = 3
"""A story's own date stands at most so many lines above its headline; a page's clock stands further away."""
_MAX_HEADLINE = 500
_CRUMBS = re.compile(r"\s{0,5}[>›»→|]\s{0,5}|\s/\s|\s[•·]\s")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page says. ``dates`` are the story's own, in their order on the page."""

    headline: str | None
    paragraphs: tuple[str, ...] = ()
    section: str | None = None
    byline: str | None = None
    dates: tuple[DateLine, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()
    """Codes and sentences for the article's warnings."""


def layout(lines: list[Line]) -> Page:
    """Return the story of a page. Without a headline, ``headline`` is None and the rest is empty."""
    above = _Above(lines, _anchor(lines))
    top = above.headline
    if top is None:
        return Page(headline=None)
    dates = above.dates_near(top)
    section, inner = above.section(top)
    between = [
        lines[i] for i in range(top + 1, above.anchor) if i not in above.dates and i != inner and not above.is_aside(i)
    ]
    paragraphs, doubts = _story([*between, *lines[above.anchor :]], lines[top].text)
    return Page(
        headline=lines[top].text,
        paragraphs=paragraphs,
        section=section,
        byline=next((above.bylines[i] for i in range(max(0, top - 1), above.anchor) if i in above.bylines), None),
        dates=dates,
        doubts=doubts,
    )


def _is_start(line: Line) -> bool:
    return line.is_prose or line.size >= 400 or (line.size >= 40 and in_dateline(line.text) is not None)


def _anchor(lines: list[Line]) -> int:
    """Return the index of the first line of running text; the number of lines if there is none."""
    for index, line in enumerate(lines):
        if _is_start(line):
            return index
    for index, line in enumerate(lines):
        if index and line.ends_sentence and line.words >= 4 and kind(line) is None and date_line(line) is None:
            return index
    return len(lines)


class _Role(Enum):
    """What a line above the running text can be."""

    TITLE = auto()
    SHORT = auto()
    SENTENCE = auto()
    DATE = auto()
    ASIDE = auto()
    WALL = auto()


_NO_TEXT = (_Role.DATE, _Role.ASIDE, _Role.WALL)


class _Above:
    """The lines above the running text, and what each of them is."""

    def __init__(self, lines: list[Line], anchor: int) -> None:
        self.lines = lines
        self.anchor = anchor
        self.dates: dict[int, DateLine] = {}
        self.bylines: dict[int, str] = {}
        self.furniture: dict[int, Furniture] = {}
        for index in range(anchor):
            line = lines[index]
            if (found := kind(line, above=True)) is not None:
                self.furniture[index] = found
            elif (date := date_line(line)) is not None:
                self.dates[index] = date
            elif index and (byline := byline_of(line)) is not None:
                self.bylines[index] = byline
        if not self.dates:
            self.dates = other_language({i: lines[i] for i in range(anchor) if i not in self.furniture})
        self.headline = self._headline()

    def is_aside(self, index: int) -> bool:
        return index in self.bylines or index in self.furniture

    def _role(self, index: int) -> _Role:
        line = self.lines[index]
        if index in self.dates:
            return _Role.DATE
        if self.is_aside(index):
            inner = self.furniture.get(index, Furniture.INLINE) is Furniture.INLINE
            return _Role.ASIDE if inner else _Role.WALL
        if _crumbs(line.text):
            return _Role.WALL
        if (line.words >= 3 or line.size >= 18) and not line.text.endswith((".", "。")):
            return _Role.TITLE
        return _Role.SENTENCE if line.ends_sentence else _Role.SHORT

    def _headline(self) -> int | None:
        if self.anchor == len(self.lines):
            # No running text at all: a flash. Its first words are its headline.
            found = next((i for i in range(self.anchor) if self._role(i) not in _NO_TEXT), None)
        else:
            found = self._climb()
        return found if found is not None and self.lines[found].size <= _MAX_HEADLINE else None

    def _climb(self) -> int | None:
        """Go up from the running text to the top of the nearest run of titles: a headline, perhaps with its lead."""
        run: list[int] = []
        others: dict[_Role, list[int]] = {_Role.SHORT: [], _Role.SENTENCE: []}
        for index in range(self.anchor - 1, -1, -1):
            role = self._role(index)
            if role is _Role.TITLE:
                run.append(index)
                if len(run) == 3:
                    break
            elif role is _Role.DATE:
                if run and self._is_single_title(index - 1):
                    run.append(index - 1)  # headline, date, lead: nothing is lost if it was date, headline
                if run:
                    break
            elif role in (_Role.SHORT, _Role.WALL) and run:
                break
            elif role in others:
                if role is _Role.SHORT and self._stands_as_headline(index):
                    return index
                others[role].append(index)
        return next(iter(run[-1:] or others[_Role.SHORT][:1] or others[_Role.SENTENCE][-1:]), None)

    def _is_single_title(self, index: int) -> bool:
        """Whether one title stands here, and not a list of them that leads to other stories."""
        return (
            index >= 0 and self._role(index) is _Role.TITLE and (index == 0 or self._role(index - 1) is not _Role.TITLE)
        )

    def _stands_as_headline(self, index: int) -> bool:
        beside_date = index - 1 in self.dates or index + 1 in self.dates
        return (beside_date or index == self.anchor - 1) and not is_section(self.lines[index].text)

    def dates_near(self, top: int) -> tuple[DateLine, ...]:
        near = [date for index, date in self.dates.items() if top - _NEAR <= index]
        timed = [date for date in near if date.has_time]
        if near:
            return tuple(timed or near)
        far = [date for date in self.dates.values() if date.has_time]
        return tuple(far[-1:])

    def section(self, top: int) -> tuple[str | None, int | None]:
        """Return the section's name, and the index of its line if that stands below the headline."""
        for index in range(top + 1, self.anchor):
            if is_section(self.lines[index].text):
                return self.lines[index].text, index
        for index in range(top - 1, max(-1, top - 1 - _NEAR), -1):
            if index in self.dates:
                if label := next((part for part in _CRUMBS.split(self.dates[index].rest) if is_section(part)), None):
                    return label, None
                continue
            if self.is_aside(index):
                continue
            return self._section_at(index), None
        return None, None

    def _section_at(self, index: int) -> str | None:
        if crumbs := _crumbs(self.lines[index].text):
            return next((part for part in crumbs if kind(Line(part), above=True) is None), None)
        if not self._is_label(index):
            return None
        menu = [index]
        while not self.lines[menu[-1]].apart and self._is_label(menu[-1] - 1):
            menu.append(menu[-1] - 1)
        known = [i for i in menu if is_section(self.lines[i].text)]
        # The last entry of a menu names no section of this story, unless it alone is a section's name.
        return self.lines[index].text if len(menu) == 1 or known == [index] else None

    def _is_label(self, index: int) -> bool:
        if index < 0 or index in self.dates or self.is_aside(index):
            return False
        line = self.lines[index]
        return line.words <= 3 and len(line.text) <= 40 and not line.ends_sentence


def _crumbs(text: str) -> list[str]:
    """Return the steps of a breadcrumb trail (``Home > World > Europe``), or nothing if the line is none."""
    if len(text) > 150 or "<" in text:
        return []
    parts = [part for part in _CRUMBS.split(text) if part]
    if len(parts) < 2 or any(len(part) > 40 or Line(part).words > 4 for part in parts):
        return []
    # "Hafen | Wieder offen" is a headline: strokes and dots make a trail only from the start page, or of three steps.
    certain = len(parts) > 2 or any(c in text for c in "›»→>") or kind(Line(parts[0]), above=True) is not None
    return parts if certain else []


def _story(lines: list[Line], headline: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return the paragraphs of the story among the lines from its start on, and what is doubtful about them."""
    kept: list[Line] = []
    doubts: list[tuple[str, str]] = []
    end: str | None = None
    for line in lines:
        found = kind(line)
        if found is Furniture.END:
            end = line.text
        elif found is not None and (end is not None or found is Furniture.INLINE):
            continue
        elif end is None:
            kept.append(line)
        elif line.is_prose and not line.text.endswith(("...", "…")):
            kept.append(line)
            doubts.append(("doubtful-text", f"A paragraph after {end!r} was kept: {line.text[:60]!r}."))
    if kept and kept[0].text == headline:
        del kept[0]
    while kept and (kind(kept[-1]) is not None or not any(c.isalnum() for c in kept[-1].text)):
        kept.pop()
    last = next((i for i in range(len(kept) - 1, -1, -1) if kept[i].ends_sentence), len(kept))
    if trailing := kept[last + 1 :]:
        doubts.append(
            (
                "doubtful-line",
                f"Kept at the end, though it may be no text ({len(trailing)}): {trailing[0].text[:60]!r}.",
            )
        )
    return tuple(line.text for line in kept), tuple(doubts[:10])
