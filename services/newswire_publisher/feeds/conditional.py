"""Does the reader already have it? Conditional requests (RFC 9110 section 13), decided from headers alone.

``If-None-Match`` decides where it is given, and then ``If-Modified-Since`` is
ignored (section 13.2.2). What is malformed asks nothing: the answer is then
the whole representation, which is always right.
"""

import re
from datetime import UTC, datetime

_TAG = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|\Z)')
_GAP = re.compile(r"[\s,]*")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = f"({'|'.join(_MONTHS)})"
_IMF = re.compile(rf"[A-Z][a-z]{{2}}, (\d\d) {_MONTH} (\d{{4}}) (\d\d):(\d\d):(\d\d) GMT\Z", re.ASCII)
_RFC850 = re.compile(rf"[A-Z][a-z]+, (\d\d)-{_MONTH}-(\d\d) (\d\d):(\d\d):(\d\d) GMT\Z", re.ASCII)
_ASCTIME = re.compile(rf"[A-Z][a-z]{{2}} {_MONTH} ([ \d]\d) (\d\d):(\d\d):(\d\d) (\d{{4}})\Z", re.ASCII)


def not_modified(
    *,
    etag: str,
    modified: datetime | None = None,
    if_none_match: str | None = None,
    if_modified_since: str | None = None,
    method: str = "GET",
) -> bool:
    """Return whether the answer is 304. Several header lines of one name are joined with commas beforehand."""
    if method not in {"GET", "HEAD"}:
        return False
    if if_none_match is not None:
        return none_match_fails(if_none_match, etag)
    if if_modified_since is not None and modified is not None:
        since = parse_http_date(if_modified_since, modified)
        return since is not None and modified.replace(microsecond=0) <= since
    return False


def none_match_fails(header: str, etag: str) -> bool:
    """Return whether ``If-None-Match`` names this ETag, by weak comparison (section 8.8.3.2), or any (``*``)."""
    if header.strip() == "*":
        return True
    opaque = etag.removeprefix("W/")
    place = _match_end(_GAP, header, 0)
    named = False
    while place < len(header):
        tag = _TAG.match(header, place)
        if tag is None:
            return False
        named = named or tag[1] == opaque
        place = _match_end(_GAP, header, tag.end())
    return named


def _match_end(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def parse_http_date(text: str, near: datetime) -> datetime | None:
    """Read an HTTP date in any of its three forms (section 5.6.7); None if it is none.

    The second form has a year of two digits: the one meant is at most 50 years after ``near``.
    """
    text = text.strip()
    if found := _IMF.match(text):
        day, month, year, *clock = found.groups()
    elif found := _RFC850.match(text):
        day, month, year, *clock = found.groups()
        full = near.year - near.year % 100 + int(year)
        year = str(full - 100 if full > near.year + 50 else full)
    elif found := _ASCTIME.match(text):
        month, day, *clock, year = found.groups()
    else:
        return None
    hour, minute, second = map(int, clock)
    try:
        # A leap second is written as 60; the second before it is as near as a datetime comes.
        return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
