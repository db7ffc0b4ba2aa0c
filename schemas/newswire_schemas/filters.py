"""The one filter language of feeds, webhooks, social accounts and the live stream.

An empty filter matches everything. Within a field any value may match; every
field that is given must match; ``all`` and ``any`` nest filters, and ``exclude``
takes away what would have matched:

    {"languages": ["de", "en"], "urgency": 3, "exclude": {"sections": ["Sport"]}}

Values compare without regard to case. A language also matches its regional
forms (``de`` matches ``de-AT``); a topic also matches its descendants in IPTC
Media Topics. The compiled form lives in the publisher's ``routing``.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from newswire_schemas.article import Language

Value = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Values = Annotated[tuple[Value, ...], Field(max_length=500)]


class Filter(BaseModel):
    """Which articles a feed, subscription or account gets."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    languages: Annotated[tuple[Language, ...], Field(max_length=500)] = ()
    topics: Values = Field(
        (), description="IPTC Media Topics (`medtop:04000000`) with their descendants, or any subject qcode."
    )
    sections: Values = ()
    places: Values = Field((), description="Names or qcodes of places, the dateline's city among them.")
    sources: Values = ()
    genres: Values = ()
    urgency: int | None = Field(
        None,
        ge=1,
        le=9,
        description="At most this number: 3 matches 1, 2 and 3. An article without urgency counts as 5.",
    )
    words: Values = Field((), description="Whole words in the headline, summary or text.")
    phrases: Values = Field((), description="Runs of words in the headline, summary or text.")
    all: Annotated[tuple["Filter", ...], Field(max_length=20)] = ()
    any: Annotated[tuple["Filter", ...], Field(max_length=20)] = ()
    exclude: "Filter | None" = None
