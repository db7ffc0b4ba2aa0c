"""Moments as feeds and HTTP write them, in English whatever the locale and in UTC whatever the time zone."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache


@lru_cache(4_096)
def rfc822(moment: datetime) -> str:
    """Return the date as RSS 2.0 (RFC 822, four-digit year) and HTTP (RFC 9110 section 5.6.7) write it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


@lru_cache(4_096)
def rfc3339(moment: datetime) -> str:
    """Return the date as Atom (RFC 4287 section 3.3) writes it; milliseconds only where there are any."""
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
