"""A feed as an operator configures it, and what is remembered of one that is no more."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from newswire_schemas.article import Language, Line
from newswire_schemas.filters import Filter

ALL = "all"
"""The feed that always exists and takes everything."""

Access = Literal["public", "token"]


class Feed(BaseModel):
    """What a feed is called, which articles it takes, and who may read it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Line
    description: Line | None = None
    language: Language | None = None
    filter: Filter = Filter()
    limit: int = Field(50, ge=1, le=500, description="How many articles the document shows.")
    access: Access = "public"
    order: Literal["published", "updated"] = "published"


DEFAULT_ALL = Feed(title="All stories")


def feed_of(feeds: Mapping[str, Feed], name: str) -> Feed | None:
    """Return the feed of that name among those that are configured; `ALL` is there also if it is not."""
    return feeds.get(name) or (DEFAULT_ALL if name == ALL else None)


def with_all(feeds: Mapping[str, Feed]) -> dict[str, Feed]:
    """Return the feeds that there are: those that are configured, and `ALL`."""
    return {ALL: DEFAULT_ALL} | dict(feeds)


class FormerFeed(BaseModel):
    """A feed that was deleted (410), or renamed to ``moved_to`` (301); who could read it is still who may know."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    access: Access
    moved_to: str | None = None
