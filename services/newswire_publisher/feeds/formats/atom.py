"""Atom 1.0 (RFC 4287), with tombstones (RFC 6721), archives (RFC 5005) and Media RSS.

The feed's id is made of its name alone and outlives the host's name; an entry's id is the
article's uri. feedgen builds an entry's plain elements; authors, links, rights and times are
added, because it drops rel and type, and writes a time of its own where none is given.
"""

from datetime import datetime
from functools import lru_cache
from typing import Any

from feedgen.entry import FeedEntry
from lxml import etree

from newswire_publisher.articles.markup import plain
from newswire_publisher.feeds.formats.content import (
    authors_of,
    categories_of,
    content_of,
    files_of,
    links_of,
    note_of,
    page_address,
    summary_of,
    title_of,
)
from newswire_publisher.feeds.formats.media import add_media_content
from newswire_publisher.feeds.formats.page import KEPT_HEADS, Channel, Frame, Page
from newswire_publisher.feeds.formats.rss import GENERATOR, Related, archive_links, deleted_entry, written
from newswire_publisher.feeds.formats.xml import (
    ATOM,
    DECLARATION,
    HISTORY,
    MEDIA,
    THREAD,
    TOMBSTONES,
    XML,
    EntryError,
    Prefixes,
    add,
    cut_out,
    joined,
    open_tag,
    tag,
)
from newswire_publisher.feeds.moments import rfc3339
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article

_PREFIXES: Prefixes = {None: ATOM, "media": MEDIA, "thr": THREAD}
_ROOT: Prefixes = {**_PREFIXES, "fh": HISTORY, "at": TOMBSTONES}
_EPOCH = "1970-01-01T00:00:00Z"
_OWN_RELS = frozenset({"self", "alternate", "enclosure", "edit", "hub", "current", "prev-archive", "next-archive"})


class Atom:
    """Atom 1.0 (RFC 4287)."""

    extension = "atom"
    media_type = "application/atom+xml; charset=utf-8"
    separator = b"\n"
    tombstones_first = True
    lists = 2

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:
        try:
            return cut_out(_entry(article, updated, base_url), _PREFIXES)
        except (ValueError, TypeError, AttributeError) as error:
            raise EntryError(f"feeds: the Atom entry of {article.uri!r} cannot be written: {error}") from error

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:  # noqa: ARG002
        return deleted_entry(gone)

    def frame(self, page: Page) -> Frame:
        updated = rfc3339(page.updated) if page.updated else _EPOCH
        links: list[Related] = [("self", page.self_url, "application/atom+xml")]
        links.append(("alternate", f"{page.channel.base_url}/", "text/html"))
        links += [("hub", page.hub, None)] if page.hub else []
        moving = f"<updated>{updated}</updated>" + written("link", archive_links(page))
        before, after = _head(page.channel, tuple(links), page.kind == "archive")
        return Frame(joined(before, moving, after), b"\n", b"\n</feed>\n")


@lru_cache(maxsize=KEPT_HEADS)
def _head(channel: Channel, links: tuple[Related, ...], archive: bool) -> tuple[bytes, bytes]:
    """Return the head without its time and its archive's links: what stands before and after them.

    An archive page is a document of the same feed, and has its id (RFC 5005 section 4).
    """
    before = [
        open_tag("feed", _ROOT, xml_lang=channel.language),
        tag("id", f"urn:newswire:feed:{channel.name}"),
        tag("title", channel.title or channel.name),
        tag("subtitle", channel.description),
    ]
    after = [
        tag("generator", GENERATOR),
        f"<author>{tag('name', channel.title or channel.name)}</author>",
        written("link", links),
        "<fh:archive/>" if archive else "",
        "\n",
    ]
    return DECLARATION + "".join(before).encode(), "".join(after).encode()


def _entry(article: Article, updated: datetime, base_url: str) -> Any:
    made = FeedEntry()
    made.id(plain(article.uri))
    made.title(title_of(article))
    made.updated(updated)
    made.published(article.published or article.version_created)
    made.link(href=page_address(base_url, article.uri))
    for each in categories_of(article):
        made.category(term=each.code or each.term, scheme=_scheme(each.scheme), label=each.term)
    if content := content_of(article):
        made.content(content, type="html")
    entry = made.atom_entry()
    if article.language:
        entry.set(f"{{{XML}}}lang", article.language)
    for name, moment in (("updated", updated), ("published", article.published or article.version_created)):
        entry.find(name).text = rfc3339(moment)
    page = entry.find("link")  # of which feedgen drops both
    page.set("rel", "alternate")
    page.set("type", "text/html")
    for name in authors_of(article):
        add(etree.SubElement(entry, "author"), "name", name)
    summary = "\n".join(filter(None, (note_of(article), summary_of(article))))
    add(entry, "summary", summary or (None if content else title_of(article)))
    add(entry, "rights", article.copyright_holder or article.usage_terms)
    _add_links(entry, article, base_url)
    _add_media(entry, article)
    return _in_atom(entry)


def _scheme(scheme: str | None) -> str | None:
    """Return a category's scheme as the IRI that Atom asks for (RFC 4287 section 4.2.2.2)."""
    if scheme is None or ":" in scheme:
        return scheme
    return f"urn:newswire:scheme:{scheme}" if scheme.isascii() and scheme.replace("-", "").isalnum() else None


def _add_links(entry: Any, article: Article, base_url: str) -> None:
    if article.evolved_from:
        page = page_address(base_url, article.evolved_from)
        add(entry, "link", rel="related", href=page)
        add(entry, f"{{{THREAD}}}in-reply-to", ref=article.evolved_from, href=page, type="text/html")
    for link in links_of(article):
        rel = "related" if link.rel in _OWN_RELS else link.rel
        add(entry, "link", rel=rel, href=link.href, type=link.media_type, title=link.title)


def _add_media(entry: Any, article: Article) -> None:
    for file in files_of(article):
        add(entry, "link", rel="enclosure", href=file.href, type=file.media_type, length=file.size)
        add_media_content(entry, file)


def _in_atom(element: Any) -> Any:
    """Put elements that have no namespace into Atom's."""
    for each in element.iter():
        if isinstance(each.tag, str) and not each.tag.startswith("{"):
            each.tag = f"{{{ATOM}}}{each.tag}"
    return element
