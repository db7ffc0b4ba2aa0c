"""What a feed tells of an article that it no longer has (RFC 6721).

It is written when the article leaves, so that a later version elsewhere changes nothing
here, and comes from the article as its readers may see it: after a kill that is the notice.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch
from newswire_schemas.article import Utc

MOST = 500
"""Tombstones that a feed keeps; its document shows the newest of them, as many as it may show articles."""


class Tombstone(BaseModel):
    """An article that has left: its uri and last version, when, why, and what the desk says of it.

    ``act`` is ``kill``, ``withhold`` or ``expire``; ``leave`` where the article is still published but no
    longer matches the feed's filter.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    uri: str
    version: int = 1
    when: Utc
    act: Literal["kill", "withhold", "expire", "leave"]
    note: str | None = None


def tombstone_of(dispatch: Dispatch) -> Tombstone:
    """Return what a feed tells of an article that a dispatch takes away."""
    article = dispatch.article
    if dispatch.act in RETRACTIONS:
        return Tombstone(
            uri=article.uri,
            version=article.version,
            when=dispatch.moment,
            act=dispatch.act.value,
            note=article.ed_note,
        )
    return Tombstone(uri=article.uri, version=article.version, when=dispatch.moment, act="leave")
