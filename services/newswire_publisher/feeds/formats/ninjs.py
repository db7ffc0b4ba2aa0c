"""IPTC ninjs 3.1: one item of type ``composite`` whose associations are the feed's items.

What has left is there as an association whose ``pubStatus`` is ``canceled``.
"""

from datetime import datetime
from functools import lru_cache

from newswire_publisher.articles import ninjs
from newswire_publisher.articles.markup import safe_markup, web_address
from newswire_publisher.feeds.formats.content import original_of
from newswire_publisher.feeds.formats.jsonfeed import dumped, filled
from newswire_publisher.feeds.formats.page import KEPT_HEADS, Channel, Frame, Page
from newswire_publisher.feeds.formats.rss import REASONS
from newswire_publisher.feeds.formats.xml import EntryError, joined
from newswire_publisher.feeds.moments import rfc3339
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article, Media, key_of
from newswire_schemas.uris import name_of


class Ninjs:
    """ninjs 3.1."""

    extension = "ninjs"
    media_type = ninjs.MEDIA_TYPE
    separator = b","
    tombstones_first = False
    lists = 1

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:  # noqa: ARG002
        try:
            return dumped({"name": article.key, **ninjs.to_ninjs(_safe(article))})
        except (ValueError, TypeError, AttributeError) as error:
            raise EntryError(f"feeds: the ninjs item of {article.uri!r} cannot be written: {error}") from error

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:  # noqa: ARG002
        return dumped(
            {
                "name": key_of(gone.uri),
                "uri": name_of(gone.uri),
                "type": "text",
                "representationType": "partial",
                "version": str(gone.version),
                "versionCreated": rfc3339(gone.when),
                "pubStatus": "canceled",
                "edNote": gone.note or REASONS[gone.act],
            }
        )

    def frame(self, page: Page) -> Frame:
        updated = f',"versionCreated":"{rfc3339(page.updated)}"' if page.updated else ""
        before, after = _head(page.channel, page.self_url)
        return Frame(joined(before, updated, after), b"", b"]}\n")


@lru_cache(maxsize=KEPT_HEADS)
def _head(channel: Channel, self_url: str) -> tuple[bytes, bytes]:
    """Return the head without its time: what stands before and after it."""
    before = {
        "uri": self_url,
        "standard": {"name": "ninjs", "version": "3.1", "schema": ninjs.SCHEMA},
        "type": "composite",
        "representationType": "full",
    }
    after = {
        "pubStatus": "usable",
        "language": channel.language,
        "headlines": [{"role": "main", "value": channel.title or channel.name}],
        "descriptions": [{"role": "summary", "value": channel.description}] if channel.description else None,
    }
    return dumped(before)[:-1], b"," + dumped(filled(after))[1:-1] + b',"associations":['


def _safe(article: Article) -> Article:
    """Return the article as every other format shows it: safe HTML, and addresses that anybody can follow."""
    safe: dict[str, object] = {}
    if article.body_html:
        safe["body_html"] = safe_markup(article.body_html, original_of(article) or None)
    if article.links:
        links = ((link, web_address(link.href)) for link in article.links)
        safe["links"] = tuple(link.model_copy(update={"href": href}) for link, href in links if href)
    if article.associations:
        safe["associations"] = tuple(_reachable(media) for media in article.associations)
    return article.model_copy(update=safe) if safe else article


def _reachable(media: Media) -> Media:
    files = ((file, web_address(file.href)) for file in media.renditions)
    kept = tuple(file.model_copy(update={"href": href}) for file, href in files if href)
    return media.model_copy(update={"renditions": kept})
