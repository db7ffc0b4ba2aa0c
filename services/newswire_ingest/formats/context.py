"""What a parser is told beside the bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from newswire_ingest.formats.errors import MalformedInput


@dataclass(frozen=True, slots=True)
class ParseContext:
    """Who submits, when, and what holds where the submission is silent.

    ``source``    name of the token or source.
    ``now``       the moment of the submission, aware; parsers never read a clock.
    ``defaults``  what an operator configured: ``language``, ``timezone`` (an IANA name), ``agency``, ``provider``
                  (the domain in made-up uris), ``usage_terms``, ``copyright_holder``, ``section``.
    ``charset``   the content type's ``charset`` parameter.
    ``uri``       the uri that the one item of this submission gets, whatever it says itself.
    """

    source: str
    now: datetime
    defaults: Mapping[str, str] = field(default_factory=dict)
    charset: str | None = None
    uri: str | None = None

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("ParseContext.now must be aware")

    @property
    def timezone(self) -> tzinfo | None:
        """The configured time zone of times that name none."""
        name = self.defaults.get("timezone")
        return zone(name) if name else None


def zone(name: str) -> tzinfo:
    """Return the time zone of an IANA name."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:
        raise MalformedInput(f"defaults: timezone {name!r} is no IANA time zone such as 'Europe/Minsk'") from exc


def decode(name: str, body: bytes, charset: str | None) -> str:
    """Return the text of a body: in its declared charset, else UTF-8, with or without a byte order mark."""
    encoding = charset or "utf-8"
    if encoding.lower().replace("_", "-") in ("utf-8", "utf8"):
        encoding = "utf-8-sig"
    try:
        return body.decode(encoding)  # refuses Python's codecs that make no text ("rot13") with a LookupError
    except LookupError as exc:
        raise MalformedInput(f"{name}: unknown charset {encoding!r}; send UTF-8") from exc
    except (UnicodeError, ValueError) as exc:
        where = f" at byte {exc.start}" if isinstance(exc, UnicodeDecodeError) else ""
        raise MalformedInput(
            f"{name}: not valid {charset or 'UTF-8'}{where}; send UTF-8 or name the charset in Content-Type"
        ) from exc
