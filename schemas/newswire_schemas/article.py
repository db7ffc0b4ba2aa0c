"""The content model: one news item, in the vocabulary of IPTC ninjs 3.1.

Names and meanings follow ninjs 3.1 in snake_case (``embargoed_until``,
``ed_note``, ``pub_status`` …), plus what wires use and ninjs lacks:
``dateline``, ``priority`` (transmission order), ``source``, ``evolved_from``.

Three shapes share the same content fields:

``Draft``    what a submission says: ``uri`` and ``version`` may be missing and
             an unknown field is an error, so that a typo is never lost.
``Article``  what travels between the services: identity is settled, and unknown
             fields are ignored, so that services can be upgraded one by one.
``Rank``     the order of versions of one article (design invariant 4).
"""

import base64
import hashlib
import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, NamedTuple

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from newswire_schemas.uris import has_scheme

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_VERSION = 2**53 - 1
"""The largest version that every JSON reader and the server's scripts keep exact."""

_XML_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\Z")


def clean_text(text: str) -> str:
    """Drop the characters that XML 1.0 (section 2.2) cannot carry, and make line ends ``\\n``."""
    if _XML_ILLEGAL.search(text):
        text = _XML_ILLEGAL.sub("", text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _written_time(value: object) -> object:
    """Refuse numbers: pydantic reads them, and texts of digits, as seconds since 1970."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE.match(value)):
        return value
    raise PydanticCustomError("not_a_time", 'write a time as RFC 3339 has it, such as "2026-01-31T12:00:00Z"')


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _language(tag: str) -> str:
    """Return the tag in the letter case that BCP 47 (RFC 5646 section 2.1.1) recommends."""
    if not _LANGUAGE.match(tag):
        raise ValueError("not a BCP 47 language tag such as 'de' or 'zh-Hant'")
    first, *rest = tag.split("-")
    cased = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part.lower() for part in rest]
    return "-".join([first.lower(), *cased])


def _uri(uri: str) -> str:
    if any(c.isspace() or not c.isprintable() for c in uri):
        raise ValueError("a uri has no spaces and no control characters")
    return uri


def _identity(uri: str) -> str:
    if not has_scheme(uri):
        raise ValueError("a uri begins with a scheme, such as 'urn:', 'tag:' or 'https:'")
    return uri


Text = Annotated[str, AfterValidator(clean_text)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000), AfterValidator(clean_text)]
Body = Annotated[Text, StringConstraints(max_length=2_000_000)]
Utc = Annotated[AwareDatetime, BeforeValidator(_written_time), AfterValidator(_utc)]
Language = Annotated[str, AfterValidator(_language)]
Uri = Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_uri)]
Identity = Annotated[Uri, AfterValidator(_identity)]
"""A uri that is submitted: every output shows it where its standard wants a URI."""
Version = Annotated[int, Field(ge=1, le=MAX_VERSION)]
Level = Annotated[int, Field(ge=1, le=9)]


class PubStatus(StrEnum):
    """Whether the item may be used (ninjs ``pubStatus``)."""

    USABLE = "usable"
    WITHHELD = "withheld"
    CANCELED = "canceled"


class Act(StrEnum):
    """What a version does to its article (design section 5)."""

    NEW = "new"
    CORRECTION = "correction"
    REWRITE = "rewrite"
    KILL = "kill"
    WITHHOLD = "withhold"
    REINSTATE = "reinstate"
    EXPIRE = "expire"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Dateline(_Part):
    """Where and when a story was filed, as its first words say: ``MOSKAU, 7. Februar (BelTA) -``."""

    city: Line | None = None
    country: Line | None = Field(None, description="ISO 3166-1 alpha-2 code, if known.")
    date: Line | None = Field(None, description="ISO 8601 date, in the agency's time zone.")
    agency: Line | None = None
    text: Line | None = Field(None, description="The dateline as it was written.")


class Concept(_Part):
    """A subject, place, person, organisation or genre. ``qcode`` is an IPTC QCode such as ``medtop:11000000``."""

    qcode: Line | None = None
    name: Line | None = None
    rel: Line | None = None
    confidence: float | None = Field(None, ge=0, le=1)


class Rendition(_Part):
    """One file of a media object."""

    href: Line
    media_type: Line | None = None
    width: int | None = Field(None, ge=0)
    height: int | None = Field(None, ge=0)
    size: int | None = Field(None, ge=0, description="Bytes.")


class Media(_Part):
    """A picture, video, audio or graphic that goes with the story (ninjs ``associations``)."""

    name: Line | None = None
    type: Line = "picture"
    uri: Line | None = None
    headline: Text | None = None
    description: Text | None = None
    credit: Line | None = None
    copyright_notice: Line | None = None
    usage_terms: Text | None = None
    renditions: tuple[Rendition, ...] = ()


class Link(_Part):
    """A related resource."""

    href: Line
    rel: Line = "related"
    title: Line | None = None
    media_type: Line | None = None


class Warning_(_Part):  # noqa: N801 - `Warning` is a builtin
    """Something a reader should know that was not repaired: a stable code and a sentence."""

    code: Line
    text: Text


class Content(BaseModel):
    """The fields that a submission and an article share."""

    model_config = ConfigDict(frozen=True)

    pub_status: PubStatus = PubStatus.USABLE
    urgency: Level | None = Field(None, description="1 (flash) to 9.")
    priority: Level | None = Field(None, description="Order of transmission, 1 (first) to 9.")
    language: Language | None = Field(None, description="BCP 47.")
    headline: Line | None = None
    slugline: Line | None = None
    byline: Line | None = None
    dateline: Dateline | None = None
    located: Line | None = None
    body_html: Body | None = None
    body_text: Body | None = None
    summary: Text | None = None
    section: Line | None = None
    subjects: tuple[Concept, ...] = ()
    places: tuple[Concept, ...] = ()
    people: tuple[Concept, ...] = ()
    organisations: tuple[Concept, ...] = ()
    genres: tuple[Concept, ...] = ()
    keywords: tuple[Line, ...] = ()
    source: Line | None = None
    ed_note: Text | None = None
    embargoed_until: Utc | None = None
    expires: Utc | None = None
    first_created: Utc | None = None
    version_created: Utc | None = None
    published: Utc | None = Field(None, description="When the first version became public.")
    evolved_from: Uri | None = Field(None, description="The uri of the story that this one rewrites.")
    story: Line | None = Field(None, description="Groups the articles that tell one running story.")
    usage_terms: Text | None = None
    copyright_holder: Line | None = None
    associations: tuple[Media, ...] = ()
    links: tuple[Link, ...] = ()
    extras: dict[str, JsonValue] = Field(default_factory=dict, description="What the input said and no field holds.")
    warnings: tuple[Warning_, ...] = ()


class Draft(Content):
    """A news item as it was submitted, before ingest settles its identity and version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: Identity | None = None
    version: Version | None = None
    evolved_from: Identity | None = Field(None, description="The uri of the story that this one rewrites.")


class Article(Content):
    """A news item whose identity, version and times are settled."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    uri: Uri
    version: Version
    version_created: Utc
    first_created: Utc

    @property
    def key(self) -> str:
        return key_of(self.uri)

    @property
    def rank(self) -> "Rank":
        return Rank(self.version, to_ms(self.version_created))


class Rank(NamedTuple):
    """The order of an article's versions: the number first, then the time it was made.

    On the server it is written as ``"version:milliseconds"``.
    """

    version: int
    created_ms: int

    def __str__(self) -> str:
        return f"{self.version}:{self.created_ms}"

    @classmethod
    def parse(cls, text: str) -> "Rank":
        version, _, created = text.partition(":")
        return cls(int(version), int(created or 0))


def to_ms(moment: datetime) -> int:
    """Return whole milliseconds since the epoch."""
    return int(moment.timestamp() * 1000)


def to_iso(moment: datetime) -> str:
    """Return a moment in UTC as RFC 3339 with milliseconds and ``Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_ms(ms: float) -> datetime:
    """Return the moment of milliseconds since the epoch, in UTC.

    By arithmetic: `datetime.fromtimestamp` and `datetime.now` are 27 s off where ``TZ`` counts leap seconds.
    """
    return EPOCH + timedelta(milliseconds=ms)


@lru_cache(4_096)  # an article's is asked for some forty times on its way
def key_of(uri: str) -> str:
    """Return the URL-safe short name of a uri: 24 characters of ``a-z2-7``, 120 bits of BLAKE2b."""
    digest = hashlib.blake2b(uri.encode(), digest_size=15).digest()
    return base64.b32encode(digest).decode().lower()
