"""A page as a person copied it from an agency's site, or plain wire copy: headline, blank line, paragraphs.

    bytes ──decode──▶ text ──lines.split──▶ paragraphs ──page.layout──▶ story ──▶ Draft

A page's times are local: in the source's configured time zone, else in that of
the agency which the dateline names, else in UTC with a warning. A page has no
identity, so one is made from who, when and what: the same page submitted twice
is the same article.
"""

import hashlib
import re
from datetime import UTC, datetime, tzinfo

from pydantic import ValidationError

from newswire_ingest.formats.context import ParseContext, decode, zone
from newswire_ingest.formats.errors import MalformedInput
from newswire_ingest.formats.lines import split
from newswire_ingest.formats.page import Page, layout
from newswire_schemas.agencies import Agency, in_dateline, lookup
from newswire_schemas.article import Draft, Warning_, clean_text

name = "text"
content_types = ("text/plain",)

_SAMPLE = 4_096
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = (b"<", b"{", b"[")
_SLUG = re.compile(r"[^a-z0-9.]+")


def recognise(body: bytes) -> bool:
    """Whether the body is text and no markup: no control characters (older wire formats), no ``<`` or ``{`` first."""
    start = body[:_SAMPLE].lstrip(b"\xef\xbb\xbf \t\r\n")
    return bool(start) and not start.startswith(_MARKUP) and not _CONTROL.search(start)


def parse(body: bytes, context: ParseContext) -> list[Draft]:
    """Return the one story in a page. Refuses what has no text or no headline."""
    text = clean_text(decode(name, body, context.charset))
    lines = split(name, text)
    if not lines:
        raise MalformedInput(f"{name}: the text is empty; send a headline, a blank line and the paragraphs")
    page = layout(lines)
    if page.headline is None:
        raise MalformedInput(f"{name}: no headline found: put it on a line of its own above the first paragraph")
    warnings = [Warning_(code=code, text=sentence) for code, sentence in page.doubts]
    agency = _agency(page, context)
    made, changed = _times(page, _zone(context, agency, page, warnings), warnings)
    try:
        draft = Draft(
            uri=context.uri or _uri(context, agency, page, made),
            headline=page.headline,
            section=page.section,
            byline=page.byline,
            body_text="\n\n".join(page.paragraphs) or None,
            source=agency.name if agency else context.defaults.get("agency"),
            first_created=made,
            version_created=changed,
            warnings=tuple(warnings),
        )
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False, include_context=False)[0]
        raise MalformedInput(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
    return [draft]


def _agency(page: Page, context: ParseContext) -> Agency | None:
    # A lead may stand before the paragraph that has the dateline.
    named = next((found for text in page.paragraphs[:3] if (found := in_dateline(text))), None)
    return named or lookup(context.defaults.get("agency", ""))


def _zone(context: ParseContext, agency: Agency | None, page: Page, warnings: list[Warning_]) -> tzinfo:
    if configured := context.timezone:
        return configured
    if agency is not None:
        return zone(agency.zone)
    if any(date.date.offset is None for date in page.dates):
        text = "The page names no time zone and its agency is not known; its time was taken as UTC."
        warnings.append(Warning_(code="time-zone-missing", text=text))
    return UTC


def _times(page: Page, local: tzinfo, warnings: list[Warning_]) -> tuple[datetime | None, datetime | None]:
    """Return when the story was first published and when it was last changed, as the page says."""
    moments = sorted(moment for date in page.dates if (moment := date.moment(local)) is not None)
    if not moments:
        return None, None
    if not any(date.has_time for date in page.dates):
        warnings.append(Warning_(code="time-missing", text="The page says a day and no time; midnight was taken."))
    return moments[0], moments[-1]


def _uri(context: ParseContext, agency: Agency | None, page: Page, made: datetime | None) -> str:
    """Return ``urn:newsml:{provider}:{date}:{hash}`` (RFC 3085) from provider, time and headline.

    A page without a time is told from others with its headline by its text.
    """
    provider = context.defaults.get("provider") or (agency.domain if agency else "") or context.source
    provider = _SLUG.sub("-", provider.lower()).strip("-.")[:100] or "unknown"
    what = made.isoformat() if made else "\n".join(page.paragraphs)
    digest = hashlib.blake2b(f"{provider}\n{page.headline}\n{what}".encode(), digest_size=10).hexdigest()
    return f"urn:newsml:{provider}:{made.strftime('%Y%m%d') if made else '00000000'}:{digest}"
