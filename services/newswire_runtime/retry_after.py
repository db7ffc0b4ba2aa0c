"""Read the Retry-After of an answer (RFC 9110 section 10.2.3)."""

from datetime import UTC
from email.utils import parsedate_to_datetime

MAX_PAUSE = 30 * 24 * 3_600_000
"""Milliseconds, 30 days; what a Retry-After is cut to: an endpoint is not to silence itself for ever by a mistake."""


def retry_after_ms(header: str, now_ms: int) -> int | None:
    """Return how long a ``Retry-After`` asks to wait.

    From 0 to `MAX_PAUSE`; None if it is neither seconds nor an HTTP date.
    """
    value = header.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]) * 1_000, MAX_PAUSE)
    try:
        moment = parsedate_to_datetime(value)
        until = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(0, min(int(until) - now_ms, MAX_PAUSE))
