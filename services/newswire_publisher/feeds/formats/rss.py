"""RSS 2.0, with the content, Dublin Core, Atom, Media RSS, archive and tombstone modules.

    article ─feedgen─▶ item ─what feedgen lacks or gets wrong─▶ element ─cut out of a root─▶ bytes

feedgen makes the elements that it makes right. Dates (it calls ``setlocale``
for each), further links (it drops them, with rel and type), Dublin Core and
media (it puts each file into a group) are added to its element. All text is
cleaned of what XML cannot carry; what still cannot be written raises
`EntryError`, which costs a feed this one item and never the others.
"""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from feedgen.entry import FeedEntry

from newswire_publisher.articles.markup import plain
from newswire_publisher.feeds.formats.content import (
    File,
    categories_of,
    content_of,
    description_of,
    files_of,
    links_of,
    page_address,
    title_of,
)
from newswire_publisher.feeds.formats.media import add_media_content
from newswire_publisher.feeds.formats.page import KEPT_HEADS, Channel, Frame, Page
from newswire_publisher.feeds.formats.xml import (
    ATOM,
    CONTENT,
    DC,
    DECLARATION,
    HISTORY,
    MEDIA,
    TOMBSTONES,
    EntryError,
    Prefixes,
    add,
    cut_out,
    joined,
    open_tag,
    tag,
)
from newswire_publisher.feeds.moments import rfc822, rfc3339
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article

GENERATOR = "newswire"
"""Without a release number: replicas of neighbouring releases write the same bytes."""

_PREFIXES: Prefixes = {"atom": ATOM, "content": CONTENT, "dc": DC, "media": MEDIA}
_ROOT: Prefixes = {**_PREFIXES, "fh": HISTORY, "at": TOMBSTONES}
_START = open_tag("rss", _ROOT, version="2.0") + "<channel>"

Related = tuple[str, str, str | None]
"""A link: rel, address and media type."""


class Rss:
    """RSS 2.0 (Advisory Board, 2.0.11)."""

    extension = "rss"
    media_type = "application/rss+xml; charset=utf-8"
    separator = b"\n"
    tombstones_first = True
    lists = 2

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:
        try:
            item = _basic_item(article, base_url)
            _add_facts(item, article, updated)
            _add_links(item, article, base_url)
            _add_media(item, files_of(article))
            return cut_out(item, _PREFIXES)
        except (ValueError, TypeError, AttributeError) as error:  # what lxml and feedgen make of a bad value
            raise EntryError(f"feeds: the item of {article.uri!r} cannot be written: {error}") from error

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:  # noqa: ARG002
        return deleted_entry(gone)

    def frame(self, page: Page) -> Frame:
        """Return the channel's head: what a reader subscribes to, and where its other documents are."""
        updated = f"<lastBuildDate>{rfc822(page.updated)}</lastBuildDate>" if page.updated else ""
        links: list[Related] = [("self", page.self_url, "application/rss+xml")]
        links += [("hub", page.hub, None)] if page.hub else []
        links += [("alternate", page.alternates["atom"], "application/atom+xml")] if "atom" in page.alternates else []
        before, after = _head(page.channel, tuple(links), page.kind == "archive")
        return Frame(
            joined(before, updated + written("atom:link", archive_links(page)), after), b"\n", b"\n</channel></rss>\n"
        )


@lru_cache(maxsize=KEPT_HEADS)
def _head(channel: Channel, links: tuple[Related, ...], archive: bool) -> tuple[bytes, bytes]:
    """Return the head without its time and its archive's links: what stands before and after them."""
    before = [
        _START,
        tag("title", channel.title or channel.name),
        tag("link", f"{channel.base_url}/"),
        tag("description", plain(channel.description) or channel.title or channel.name),
        tag("language", channel.language),
    ]
    after = [
        tag("generator", GENERATOR),
        tag("ttl", str(channel.ttl)),
        written("atom:link", links),
        "<fh:archive/>" if archive else "",
        "\n",
    ]
    return DECLARATION + "".join(before).encode(), "".join(after).encode()


def deleted_entry(gone: Tombstone) -> bytes:
    """Return RFC 6721's element (section 3), whose ``ref`` is the article's uri."""
    comment = tag("at:comment", gone.note or REASONS[gone.act])
    return (
        f"{tag('at:deleted-entry', ref=gone.uri, when=rfc3339(gone.when))[:-2]}>{comment}</at:deleted-entry>".encode()
    )


REASONS = {
    "kill": "This story was withdrawn.",
    "withhold": "This story is withheld.",
    "expire": "This story has expired.",
    "leave": "This story no longer belongs to this feed.",
}


def archive_links(page: Page) -> list[Related]:
    """Return RFC 5005's links (section 4) of a page: rel, address and media type."""
    named = (("current", page.current), ("prev-archive", page.prev_archive), ("next-archive", page.next_archive))
    return [(rel, href, None) for rel, href in named if href]


def written(name: str, links: Iterable[Related]) -> str:
    """Return links as elements of this name."""
    return "".join([tag(name, rel=rel, href=href, type=kind) for rel, href, kind in links])


def _basic_item(article: Article, base_url: str) -> Any:
    entry = FeedEntry()
    entry.guid(plain(article.uri), permalink=False)
    entry.title(title_of(article))
    entry.link(href=page_address(base_url, article.uri), rel="alternate")
    entry.description(description_of(article), isSummary=True)
    if content := content_of(article):
        entry.content(content, type="CDATA")
    entry.category([{"term": each.term, "scheme": each.scheme} for each in categories_of(article)])
    return entry.rss_entry()


def _add_facts(item: Any, article: Article, updated: datetime) -> None:
    add(item, "pubDate", rfc822(article.published or article.version_created))
    add(item, f"{{{ATOM}}}updated", rfc3339(updated))
    add(item, f"{{{DC}}}creator", article.byline)
    add(item, f"{{{DC}}}language", article.language)
    add(item, f"{{{DC}}}source", article.source)
    add(item, f"{{{DC}}}rights", article.copyright_holder or article.usage_terms)


def _add_links(item: Any, article: Article, base_url: str) -> None:
    if article.evolved_from:
        add(item, f"{{{ATOM}}}link", rel="related", href=page_address(base_url, article.evolved_from))
    for link in links_of(article):
        add(item, f"{{{ATOM}}}link", rel=link.rel, href=link.href, type=link.media_type, title=link.title)


def _add_media(item: Any, files: list[File]) -> None:
    if files:
        # RSS 2.0 asks for all three; a length of 0 stands for one that is not known.
        first = files[0]
        add(item, "enclosure", url=first.href, length=first.size or 0, type=first.media_type)
    for file in files:
        add_media_content(item, file)
