"""NewsML-G2: a newsMessage whose itemSet holds a newsItem for each article, and one for each that has left."""

from datetime import datetime
from functools import lru_cache

from lxml import etree

from newswire_publisher.articles import newsml
from newswire_publisher.articles.newsml import CATALOG, NAR, STANDARD
from newswire_publisher.feeds.formats.page import KEPT_HEADS, Channel, Frame, Page
from newswire_publisher.feeds.formats.rss import REASONS
from newswire_publisher.feeds.formats.xml import DECLARATION, EntryError, Prefixes, cut_out, joined, open_tag, tag
from newswire_publisher.feeds.moments import rfc3339
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article

_ROOT: Prefixes = {None: NAR}
_EPOCH = "1970-01-01T00:00:00Z"


class NewsMl:
    """NewsML-G2 2.34."""

    extension = "newsml"
    media_type = "application/vnd.iptc.g2.newsmessage+xml; charset=utf-8"
    separator = b"\n"
    tombstones_first = True
    lists = 2

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:  # noqa: ARG002
        try:
            return cut_out(newsml.news_item(article, base_url), _ROOT)
        except (ValueError, TypeError, AttributeError, etree.LxmlError) as error:
            raise EntryError(f"feeds: the newsItem of {article.uri!r} cannot be written: {error}") from error

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:  # noqa: ARG002
        """Return a newsItem that is canceled (NewsML-G2 Guidelines, "Cancelling an Item")."""
        start = tag("newsItem", guid=gone.uri, version=str(gone.version), **STANDARD)[:-2]
        meta = [
            tag("itemClass", qcode="ninat:text"),
            tag("provider", literal="newswire"),
            tag("versionCreated", rfc3339(gone.when)),
            tag("pubStatus", qcode="stat:canceled"),
            tag("edNote", gone.note or REASONS[gone.act]),
        ]
        return f"{start}>{tag('catalogRef', href=CATALOG)}<itemMeta>{''.join(meta)}</itemMeta></newsItem>".encode()

    def frame(self, page: Page) -> Frame:
        sent = rfc3339(page.updated) if page.updated else _EPOCH
        before, after = _head(page.channel, page.self_url)
        return Frame(joined(before, f"<sent>{sent}</sent>", after), b"\n", b"\n</itemSet></newsMessage>\n")


@lru_cache(maxsize=KEPT_HEADS)
def _head(channel: Channel, self_url: str) -> tuple[bytes, bytes]:
    """Return the head without its time: what stands before and after it."""
    start = open_tag("newsMessage", _ROOT, xml_lang=channel.language)
    header = [tag("sender", "newswire"), tag("transmitId", self_url), tag("channel", channel.name)]
    return DECLARATION + f"{start}<header>".encode(), f"{''.join(header)}</header><itemSet>\n".encode()
