"""RSS 2.0."""

from datetime import datetime

from newswire_publisher.feeds import document
from newswire_publisher.feeds.entry import render_entry
from newswire_publisher.feeds.formats.page import Frame, Page
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article


class Rss:
    """RSS 2.0 with the content, Dublin Core, Atom and Media RSS modules."""

    extension = "rss"
    media_type = document.MEDIA_TYPE
    separator = b"\n"
    tombstones_first = True

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:  # noqa: ARG002
        return render_entry(article, base_url)

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:  # noqa: ARG002
        return b""

    def frame(self, page: Page) -> Frame:
        channel = page.channel
        head = document.channel_head(
            document.Channel(
                name=channel.name,
                title=channel.title,
                base_url=channel.base_url,
                description=channel.description,
                language=channel.language,
                ttl=channel.ttl,
            ),
            page.updated,
        )
        return Frame(head + b"\n", b"", document.TAIL)
