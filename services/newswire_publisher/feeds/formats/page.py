"""What a format needs to know of a document, and what it gives back.

    Page ─▶ frame ─▶ head + entries and tombstones, joined + tail

A document is a frame round two lists of parts that are made once and kept: the
entries and the tombstones. Everything is a function of its input, so that every
replica writes the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article

KEPT_HEADS = 2_000
"""Heads that a format keeps, of some kB each and without what changes with every article."""


@dataclass(frozen=True, slots=True)
class Channel:
    """What a document says of its feed. ``ttl`` is in minutes; ``base_url`` has no slash at its end."""

    name: str
    title: str
    base_url: str
    description: str = ""
    language: str | None = None
    ttl: int = 1


@dataclass(frozen=True, slots=True)
class Page:
    """One document of a feed.

    ``updated`` is the moment of the newest version that the feed has had, None if it never had one; it is never
    the time of rendering. ``kind`` is ``archive`` for a page behind the current document (RFC 5005) and ``delta``
    for what came since a reader's last look (RFC 3229). All addresses are absolute: ``self_url`` is the document's
    own, ``alternates`` those of the other formats by extension, ``hub`` the WebSub hub's; ``current``,
    ``prev_archive`` and ``next_archive`` are RFC 5005's links, ``next_url`` is JSON Feed's.
    """

    channel: Channel
    updated: datetime | None
    self_url: str
    kind: Literal["current", "archive", "delta"] = "current"
    alternates: Mapping[str, str] = field(default_factory=dict)
    hub: str | None = None
    current: str | None = None
    prev_archive: str | None = None
    next_archive: str | None = None
    next_url: str | None = None


def link_header(page: Page) -> str:
    """Return a document's links as a header has them (RFC 8288): its hub's (WebSub section 4) and its archive's."""
    named = (
        ("self", page.self_url),
        ("hub", page.hub),
        ("current", page.current),
        ("prev-archive", page.prev_archive),
        ("next-archive", page.next_archive),
    )
    return ", ".join(f'<{href}>; rel="{rel}"' for rel, href in named if href)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands before, between and after the two lists of parts."""

    head: bytes
    middle: bytes
    tail: bytes


class FeedFormat(Protocol):
    """One format. ``separator`` stands between two parts of a list; ``tombstones_first`` is their order.

    ``lists`` is 1 where entries and tombstones share a list, and then the frame has no middle; else 2.
    """

    extension: str
    media_type: str
    separator: bytes
    tombstones_first: bool
    lists: int

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:
        """Return the article's entry; raise `EntryError` if it cannot be written. ``published`` is set."""

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:
        """Return what is told of an article that has left."""

    def frame(self, page: Page) -> Frame:
        """Return the frame of a document."""
