"""What a subscriber's token may read: which feeds, which articles, and what of them.

    {"feeds": ["sport"], "filter": {"languages": ["de"]}, "rights": ["text", "archive"]}

What is left out is not limited. An empty list of rights leaves headline, summary and
link of the newest stories.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from newswire_schemas.filters import Filter

Right = Literal["text", "media", "archive"]


class Entitlement(BaseModel):
    """The limits of one token. ``filter`` says which articles it may see, in every feed, list and stream."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feeds: Annotated[tuple[str, ...], Field(max_length=500)] | None = Field(
        None, description="Names of the feeds that it may read; all if left out."
    )
    filter: Filter = Filter()
    rights: frozenset[Right] | None = Field(
        None,
        description="`text`: the full text, else headline and summary; `media`: pictures and other files; "
        "`archive`: what is no longer in the feed's own document. All if left out.",
    )
