"""Moments as feeds and HTTP write them, in English whatever the locale and in UTC whatever the time zone."""

from datetime import UTC, datetime
from functools import lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@lru_cache(4_096)
def rfc822(moment: datetime) -> str:
    """Return the date as RSS 2.0 (RFC 822, four-digit year) and HTTP (RFC 9110 section 5.6.7) write it."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    date = f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04}"
    return f"{date} {utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"


@lru_cache(4_096)
def rfc3339(moment: datetime) -> str:
    """Return the date as Atom (RFC 4287 section 3.3) writes it; milliseconds only where there are any."""
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return f"{utc.isoformat(timespec=precision)[:-6]}Z"
