"""Times of ninjs items, some of which name no time zone."""

from datetime import UTC, datetime

from newswire_ingest.formats.context import ParseContext


def aware(value: object, context: ParseContext | None) -> tuple[object, bool]:
    """Return the moment that an ISO 8601 text names, and whether UTC was guessed.

    What is no such text, and a text without zone where ``context`` is None, is
    returned as it is, for the content model to refuse.
    """
    if not isinstance(value, str) or context is None or len(value) > 40:
        return value, False
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value, False
    if moment.tzinfo is not None:
        return value, False
    zone = context.timezone
    try:
        return moment.replace(tzinfo=zone or UTC).astimezone(UTC), zone is None
    except OverflowError:
        return value, False
