"""A feed as an operator configures it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from newswire_schemas.article import Language, Line
from newswire_schemas.filters import Filter

ALL = "all"
"""The feed that always exists and takes everything."""


class Feed(BaseModel):
    """What a feed is called, which articles it takes, and who may read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Line
    description: Line | None = None
    language: Language | None = None
    filter: Filter = Filter()
    limit: int = Field(50, ge=1, le=500, description="How many articles the document shows.")
    access: Literal["public", "token"] = "public"
    order: Literal["published", "updated"] = "published"


DEFAULT_ALL = Feed(title="All stories")
