"""The lines of a page that say when its story was published."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from newswire_ingest.formats.lines import Line
from newswire_runtime.human_dates import HumanDate, find

_MAX = 90
_MAX_OTHER = 3
"""How many lines the slow reader of other languages may look at."""
_OTHER = ["it", "pt", "nl", "tr", "cs", "el", "sv", "ro", "bg", "fi", "hu", "lt", "lv", "et", "da", "ja", "ko", "ar"]


@dataclass(frozen=True, slots=True)
class DateLine:
    """A line that is a date and little else; ``rest`` is that little."""

    date: HumanDate
    rest: str

    @property
    def has_time(self) -> bool:
        return self.date.hour is not None

    def moment(self, zone: tzinfo) -> datetime | None:
        return self.date.moment(zone)


def date_line(line: Line) -> DateLine | None:
    """Return what a line says if it is a date with its year, and at most a few words around it."""
    text = line.text
    if len(text) > _MAX or not any(c.isdigit() for c in text):
        return None
    date = find(text)
    if date is None or date.year is None:
        return None
    rest = f"{text[: date.start]} {text[date.end :]}".strip(" ,.|")
    return DateLine(date, rest) if Line(rest).words <= 5 else None


def other_language(lines: dict[int, Line]) -> dict[int, DateLine]:
    """Return the date lines in languages that our own table lacks, by dateparser.

    It costs 150 ms to import and up to 130 ms at a language's first use, so it sees at most three
    short lines, and only of a page where nothing else was found.
    """
    likely = {
        index: line
        for index, line in lines.items()
        if len(line.text) <= 60 and sum(c.isdigit() for c in line.text) >= 5 and line.words <= 8
    }
    if not likely:
        return {}
    import dateparser  # slow, and rarely needed

    found: dict[int, DateLine] = {}
    for index, line in list(likely.items())[-_MAX_OTHER:]:
        try:
            moment = dateparser.parse(
                line.text,
                languages=_OTHER,
                settings={"PARSERS": ["absolute-time"], "STRICT_PARSING": True, "DATE_ORDER": "DMY"},
            )
        except (ValueError, OverflowError, RecursionError, TypeError):
            continue  # a third-party parser's trouble with a line is no reason to lose the page
        if moment is None or not 1900 <= moment.year < 2100:
            continue
        timed = ":" in line.text or "." in line.text[-6:]
        date = HumanDate(
            month=moment.month,
            day=moment.day,
            year=moment.year,
            hour=moment.hour if timed else None,
            minute=moment.minute if timed else None,
            offset=moment.tzinfo,
        )
        found[index] = DateLine(date, "")
    return found
