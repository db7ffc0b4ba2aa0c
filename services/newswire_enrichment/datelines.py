"""Read a dateline: the first words of a story, which say where, when and by whom it was filed.

    MOSKAU, 7. Februar (BelTA) -       МОСКВА, 7 февраля /Корр. БЕЛТА/.     LONDON, Feb 7 (Reuters) -
    МИНСК, 7 фев - РИА Новости.        Madrid, 7 feb (EFE).-                7 лютага, Мінск /Кар. БЕЛТА/.
    GROSSETO, Italy (AP) --            Berlin/München (dpa) -               新华社北京2月7日电

A dateline is what stands before its mark of end, and it must prove itself: by an
agency that we know, or by a date beside a place. ``Die Union (EU) - …`` is none.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from newswire_enrichment.places import City, city, country
from newswire_runtime.human_dates import HumanDate, find
from newswire_schemas.agencies import HEAD, Agency, lookup
from newswire_schemas.article import Dateline

_DASH = r"\s{0,3}[-–—]{1,3}(?=\s|\Z|[^\W\d_])"
_BRACKETED = re.compile(
    r"(?P<pre>[^()（）\n]{0,90}?)\s{0,3}(?:[(（](?P<agency>[^()（）\n]{2,60})[)）]|/(?P<slashed>[^/\n]{2,40})/)"
    rf"(?P<end>\.?{_DASH}|\.(?=\s|\Z))"
)
_NAMED = re.compile(
    r"(?P<pre>[^()\n]{2,60}?)(?:\s[-–—]\s(?P<agency>[^.()\n]{2,30})(?P<end>\.)(?=\s|\Z)"
    r"|\.\s(?P<first>[^.()\n]{2,30}?)(?P<dash>\s[-–—])(?=\s))"
)
_BARE = re.compile(r"(?P<pre>[^()\n]{3,60}?)(?P<end>\s[-–—]{1,3}(?=\s))")
_CHINESE = re.compile(
    r"(?P<open>[【（(]?)(?P<agency>[\u4e00-\u9fff]{2,8}?[社网])(?P<place>[\u4e00-\u9fff·]{2,10}?)"
    r"(?P<date>(?:\d{4}年)?\d{1,2}月\d{1,2}日)[】）)]?\s?[电電讯]?"
)
_PARTS = re.compile(r"[,;，、]\s{0,3}|\.\s{1,3}|\.\Z")
_ARTICLES = frozenset(("der", "die", "das", "ein", "eine", "the", "a", "an", "this"))
"""No place begins with these; ``Der Bericht (dpa) - …`` is a sentence."""
_LETTERS = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Found:
    """A dateline, how much of the text it and its dash take, and how sure that is (0 to 1)."""

    dateline: Dateline
    end: int
    confidence: float


def read(text: str, day: date) -> Found | None:
    """Return the dateline at the start of a story, or None. ``day`` gives the year that datelines leave out."""
    head = text[:HEAD].lstrip()
    indent = len(text[:HEAD]) - len(head)
    for candidate in _candidates(head):
        if found := _judge(candidate, day):
            return Found(found.dateline, found.end + indent, found.confidence)
    return None


@dataclass(frozen=True, slots=True)
class _Candidate:
    place: str
    agency: str | None
    text: str
    end: int
    bracketed: bool = True


def _candidates(head: str) -> Iterator[_Candidate]:
    if m := _CHINESE.match(head):
        yield _Candidate(f"{m['place']}, {m['date']}", m["agency"], m[0].strip("【】（）()"), m.end())
    if m := _BRACKETED.match(head):
        written = head[: m.start("end")].rstrip()
        yield _Candidate(m["pre"], m["agency"] or m["slashed"], written, m.end())
    if m := _NAMED.match(head):
        end = m.start("end") if m["end"] else m.start("dash")
        yield _Candidate(m["pre"], m["agency"] or m["first"], head[:end].rstrip(), m.end(), bracketed=False)
    if m := _BARE.match(head):
        yield _Candidate(m["pre"], None, head[: m.start("end")].rstrip(), m.end())


def _judge(candidate: _Candidate, day: date) -> Found | None:
    when, places = _take_apart(candidate.place)
    agency = lookup(candidate.agency) if candidate.agency else None
    known = city(places[0]) if places else None
    if known is None and places and "/" in places[0]:
        known = city(places[0].partition("/")[0].strip())
    confidence = _confidence(candidate, agency, known, when, places)
    if not confidence:
        return None
    agency_name = agency.name if agency else candidate.agency if candidate.bracketed else None
    return Found(
        Dateline(
            city=known.name if known else _cased(places[0].partition("/")[0].strip()) if places else None,
            country=(country(places[-1]) if len(places) > 1 else None) or (known.country if known else None),
            date=when.near(day).isoformat() if when else None,
            agency=agency_name,
            text=candidate.text,
        ),
        candidate.end,
        confidence,
    )


def _confidence(
    candidate: _Candidate, agency: Agency | None, known: City | None, when: HumanDate | None, places: list[str]
) -> float:
    if len(places) > 3 or any(len(place) > 40 or place.count(" ") > 3 for place in places):
        return 0.0
    capitals = bool(places) and places[0].isupper()
    if agency is not None:
        if known or when:
            return 0.99
        return 0.0 if places and places[0].partition(" ")[0].casefold() in _ARTICLES else 0.9
    if candidate.agency is not None:
        return 0.8 if candidate.bracketed and (when or known) and (known or capitals) else 0.0
    if when is not None:
        return 0.8 if known or capitals else 0.0
    return 0.7 if known and capitals else 0.0


def _take_apart(pre: str) -> tuple[HumanDate | None, list[str]]:
    """Return the date in the words before the agency, and the places: city first, then region or country."""
    when = find(pre)
    if when is not None:
        pre = f"{pre[: when.start].rstrip()}, {pre[when.end :].lstrip()}"
    if city(whole := pre.strip(" .,，")):
        return when, [whole]  # "St. Petersburg" has a stop of its own
    places = [place for part in _PARTS.split(pre) if _LETTERS.search(place := part.strip(" .,，-–—"))]
    return when, places


def _cased(name: str) -> str:
    """Return a name without its capitals: GROSSETO is Grosseto."""
    return name.title() if name.isupper() and len(name) > 3 else name
