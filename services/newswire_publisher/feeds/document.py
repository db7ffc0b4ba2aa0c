"""A whole RSS 2.0 document: the head of its channel, the kept entries joined, and the end.

    channel_head(channel, updated) + fragments + TAIL ──▶ join

Everything comes from the feed's configuration, the kept entries and the moment
of the newest change, so that every replica writes the same bytes and an
unchanged feed keeps its ETag.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from newswire_publisher.feeds.markup import plain
from newswire_publisher.feeds.moments import rfc822
from newswire_publisher.feeds.namespaces import ATOM, DECLARATION, NAMESPACES

GENERATOR = "newswire"
"""Without a release number: replicas of neighbouring releases write the same bytes."""

MEDIA_TYPE = "application/rss+xml; charset=utf-8"
TAIL = b"\n</channel></rss>\n"


@dataclass(frozen=True)
class Channel:
    """What a document says of its feed. ``ttl`` is in minutes; ``base_url`` has no slash at its end."""

    name: str
    title: str
    base_url: str
    description: str = ""
    language: str | None = None
    ttl: int = 1

    @property
    def self_url(self) -> str:
        return f"{self.base_url}/feeds/{self.name}.rss"


def channel_head(channel: Channel, updated: datetime | None) -> bytes:
    """Return the document up to where its entries begin.

    ``updated`` is when the feed last changed (an entry came, was corrected or
    left), None if it never held one; it is never the time of rendering.
    """
    root = etree.Element("rss", {"version": "2.0"}, nsmap=NAMESPACES)
    element = etree.SubElement(root, "channel")
    for tag, text in (
        ("title", channel.title or channel.name),
        ("link", f"{channel.base_url}/"),
        ("description", channel.description or channel.title or channel.name),
        ("language", channel.language),
        ("lastBuildDate", rfc822(updated) if updated else None),
        ("generator", GENERATOR),
        ("ttl", str(channel.ttl)),
    ):
        if text:
            etree.SubElement(element, tag).text = plain(text)
    link = {"rel": "self", "type": "application/rss+xml", "href": plain(channel.self_url)}
    etree.SubElement(element, f"{{{ATOM}}}link", link)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=False)
    return DECLARATION + document.removesuffix(b"</channel></rss>")


def join(head: bytes, fragments: Iterable[bytes], tail: bytes = TAIL) -> bytes:
    """Return the document of these entries, in this order."""
    body = b"\n".join(fragments)
    return b"".join((head, b"\n", body, tail)) if body else head + tail
