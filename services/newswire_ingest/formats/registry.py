"""The input formats, and which of them reads a submission.

    bytes + content type ──detect──▶ Format ──parse──▶ drafts ──finish──▶ drafts with bodies and defaults

A format is a module of the shape of ``Format`` and one line in ``FORMATS``;
``tests/unit/test_formats_conformance.py`` runs on each of them. All of it is
pure: no clock, no network, no state.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.message import Message
from typing import Protocol

from newswire_ingest.formats import article, ninjs, text
from newswire_ingest.formats.bodies import complete
from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.defaults import finish
from newswire_ingest.formats.errors import MalformedInput, UnsupportedFormat
from newswire_schemas.article import Draft

GENERIC = frozenset({"", "application/json", "application/xml", "text/xml", "text/plain", "application/octet-stream"})
"""Content types that say too little; the content decides among the formats that accept them."""


class Format(Protocol):
    """One input format. ``content_types`` are lower-case media types without parameters."""

    @property
    def name(self) -> str: ...

    @property
    def content_types(self) -> tuple[str, ...]: ...

    def recognise(self, body: bytes) -> bool:
        """Whether the body looks like this format; cheap, never raises."""

    def parse(self, body: bytes, context: ParseContext) -> list[Draft]:
        """Return the items in the body, at least one; raise ``MalformedInput`` and nothing else."""


FORMATS: tuple[Format, ...] = (
    ninjs,
    article,
    text,
)
"""In the order in which they are asked about a body of a generic type: the choosy first."""


@dataclass(frozen=True, slots=True)
class ContentType:
    """A Content-Type header, taken apart (RFC 9110 section 8.3)."""

    media_type: str
    charset: str | None = None

    @classmethod
    def of(cls, header: str | None) -> "ContentType":
        if not header or not header.strip():
            return cls("")
        if ";" not in header:
            return cls(header.strip().lower())
        message = Message()
        message["content-type"] = header.replace("\r", " ").replace("\n", " ")
        charset = message.get_param("charset")
        return cls(header.partition(";")[0].strip().lower(), charset if isinstance(charset, str) else None)


def detect(content_type: str | None, format: str | None, body: bytes) -> Format:
    """Return the format of a submission: the one named, else by content type, else by content.

    Raises ``UnsupportedFormat`` that lists what is supported.
    """
    if format:
        for each in FORMATS:
            if each.name == format.lower():
                return each
        raise UnsupportedFormat(f"format {format[:100]!r} is not known; there are {_listed(names())}", supported())
    media_type = ContentType.of(content_type).media_type
    listed = [each for each in FORMATS if media_type in each.content_types]
    if media_type not in GENERIC:
        if listed:
            return listed[0]
        detail = f"content type {media_type[:100]!r} is not supported; there are {_listed(supported())}"
        raise UnsupportedFormat(detail, supported())
    anyone = media_type in ("", "application/octet-stream")
    for each in FORMATS if anyone else listed:
        if each.recognise(body):
            return each
    if listed:
        # Nothing recognised it, but its type is one of ours: that parser says best what is wrong.
        return listed[-1]
    detail = f"{media_type or 'a body without content type'}: the content is in none of {_listed(names())}"
    raise UnsupportedFormat(detail, supported())


def parse(
    body: bytes,
    *,
    context: ParseContext,
    content_type: str | None = None,
    format: str | None = None,
) -> tuple[Format, list[Draft]]:
    """Read a submission: detect its format, parse it, sanitise and complete the bodies, fill in defaults.

    Raises ``UnsupportedFormat`` or ``MalformedInput``.
    """
    chosen = detect(content_type, format, body)
    charset = ContentType.of(content_type).charset
    drafts = chosen.parse(body, replace(context, charset=charset) if charset else context)
    if context.uri and len(drafts) > 1:
        raise MalformedInput(f"{chosen.name}: {len(drafts)} items, but the uri that was asked for fits only one")
    return chosen, [complete(finish(draft, context)) for draft in drafts]


def names() -> tuple[str, ...]:
    """The names of all formats."""
    return tuple(each.name for each in FORMATS)


def supported() -> tuple[str, ...]:
    """All content types that some format reads."""
    return tuple(dict.fromkeys(content_type for each in FORMATS for content_type in each.content_types))


def _listed(values: Sequence[str]) -> str:
    return ", ".join(sorted(values))
