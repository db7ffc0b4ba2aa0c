"""One article as the ``<item>`` of an RSS 2.0 feed: bytes that are made once per version and kept.

    article ─feedgen─▶ item ─what feedgen lacks or gets wrong─▶ element ─cut out of a root─▶ bytes

feedgen makes the elements that it makes right. Dates (it calls ``setlocale``
for each), further links (it drops them, with rel and type), Dublin Core and
media (it puts each file into a group) are added to its element. The item is
serialised inside a root that declares the namespaces, then cut out, so that
it declares none and joins any of our documents.

The bytes depend on the article and the base address only: no clock, locale,
time zone or hash order. All text is cleaned of what XML cannot carry; what
still cannot be written raises `EntryError`, which costs a feed this one item
and never the others.
"""

import html
from typing import Any

from feedgen.entry import FeedEntry
from lxml import etree

from newswire_publisher.feeds.markup import excerpt, markup_of, plain, safe_markup, web_address
from newswire_publisher.feeds.moments import rfc822, rfc3339
from newswire_publisher.feeds.namespaces import ATOM, CONTENT, DC, MEDIA, NAMESPACES
from newswire_schemas.article import Article, Concept, Media, key_of

SCHEMES = {"medtop": "http://cv.iptc.org/newscodes/mediatopic/", "genre": "http://cv.iptc.org/newscodes/genre/"}
"""The addresses of IPTC's schemes, which an RSS category names as its domain; other aliases stand for themselves."""

_ENCODED = f"{{{CONTENT}}}encoded"
_OPEN, _CLOSE = b"<channel>", b"</channel>"


class EntryError(ValueError):
    """An article cannot be written as a feed's item; the message names its uri and the cause. Leave it out."""


def render_entry(article: Article, base_url: str, *, page_url: str | None = None) -> bytes:
    """Return the article's ``<item>`` as UTF-8, without namespace declarations.

    ``base_url`` is the address that readers reach us at, without a slash at its
    end; the item links to ``{base_url}/articles/{key}`` or to ``page_url``.
    The guid is the article's uri and follows neither. Raises `EntryError`.
    """
    try:
        item = _basic_item(article, page_url or page_address(base_url, article.uri))
        _add_facts(item, article)
        _add_links(item, article, base_url)
        for media in article.associations:
            _add_media(item, media)
        return _cut_out(item)
    except (ValueError, TypeError, AttributeError) as error:  # what lxml and feedgen make of a bad value
        raise EntryError(f"feeds: the item of {article.uri!r} cannot be written: {error}") from error


def page_address(base_url: str, uri: str) -> str:
    """Return the address of an article's page."""
    return f"{base_url}/articles/{key_of(uri)}"


def title_of(article: Article) -> str:
    """Return what an item is called: its headline, or the next best thing that the article has."""
    for candidate in (article.headline, article.slugline):
        if candidate and (title := " ".join(plain(candidate).splitlines()).strip()):
            return title
    return excerpt(article.body_text or article.summary or "", 100) or plain(article.uri)


def description_of(article: Article) -> str:
    """Return the item's description as HTML: what a correction says of itself, then the summary."""
    summary = article.summary or excerpt(article.body_text or "")
    return _notice(article) + markup_of(summary) if _notice(article) else html.escape(plain(summary), quote=False)


def content_of(article: Article) -> str:
    """Return the item's content as safe HTML: what a correction says of itself, then the body."""
    body = safe_markup(article.body_html) if article.body_html else markup_of(article.body_text or "")
    return _notice(article) + body if body else ""


def _notice(article: Article) -> str:
    """Return the editor's note of a later version, which says what changed; a first version's is for editors only."""
    if article.version == 1 or not article.ed_note:
        return ""
    return f"<p><em>{html.escape(plain(article.ed_note), quote=False)}</em></p>"


def _basic_item(article: Article, page: str) -> "etree._Element":
    entry = FeedEntry()
    entry.guid(plain(article.uri), permalink=False)
    entry.title(title_of(article))
    entry.link(href=plain(page), rel="alternate")
    entry.description(description_of(article), isSummary=True)
    if content := content_of(article):
        entry.content(content, type="CDATA")
    entry.category([{"term": term, "scheme": scheme} for term, scheme in _categories(article)])
    item: etree._Element = entry.rss_entry()
    only = item.find("description")
    if content and only is not None and item.find(_ENCODED) is None:
        only.tag = _ENCODED  # without a description, feedgen writes the content in its place
    return item


def _categories(article: Article) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    if article.section:
        found.append((article.section, "section"))
    found += [each for subject in article.subjects if (each := _category(subject, None))]
    found += [each for genre in article.genres if (each := _category(genre, "genre"))]
    found += [(keyword, None) for keyword in article.keywords if keyword]
    return [(plain(term), scheme) for term, scheme in dict.fromkeys(found)]


def _category(concept: Concept, otherwise: str | None) -> tuple[str, str | None] | None:
    alias, colon, code = (concept.qcode or "").partition(":")
    scheme = SCHEMES.get(alias.lower(), plain(alias)) if colon else otherwise
    term = concept.name or (code if colon else alias)
    return (term, scheme) if term else None


def _add_facts(item: "etree._Element", article: Article) -> None:
    _add(item, "pubDate", rfc822(article.published or article.version_created))
    _add(item, f"{{{ATOM}}}updated", rfc3339(article.version_created))
    _add(item, f"{{{DC}}}creator", article.byline)
    _add(item, f"{{{DC}}}language", article.language)
    _add(item, f"{{{DC}}}source", article.source)
    _add(item, f"{{{DC}}}rights", article.copyright_holder or article.usage_terms)


def _add_links(item: "etree._Element", article: Article, base_url: str) -> None:
    if article.evolved_from:
        _add(item, f"{{{ATOM}}}link", rel="related", href=page_address(base_url, article.evolved_from))
    for link in article.links:
        if href := web_address(link.href):
            _add(item, f"{{{ATOM}}}link", rel=link.rel, href=href, type=link.media_type, title=link.title)


def _add_media(item: "etree._Element", media: Media) -> None:
    files = [(href, each) for each in media.renditions if (href := web_address(each.href))]
    if not files:
        return
    if item.find("enclosure") is None:
        href, first = files[0]
        # RSS 2.0 asks for all three; a length of 0 stands for one that is not known.
        _add(item, "enclosure", url=href, length=first.size or 0, type=first.media_type or "application/octet-stream")
    kind = {"picture": "image", "graphic": "image"}.get(media.type, media.type)
    for href, each in files:
        content = _add(
            item,
            f"{{{MEDIA}}}content",
            url=href,
            type=each.media_type,
            medium=kind if kind in {"image", "audio", "video", "document", "executable"} else None,
            width=each.width,
            height=each.height,
            fileSize=each.size,
        )
        _add(content, f"{{{MEDIA}}}title", media.headline)
        _add(content, f"{{{MEDIA}}}description", media.description)
        _add(content, f"{{{MEDIA}}}credit", media.credit)
        _add(content, f"{{{MEDIA}}}copyright", media.copyright_notice)


def _add(parent: Any, tag: str, text: str | None = None, **attributes: str | int | None) -> Any:
    """Append an element with what is given of text and attributes; nothing where nothing is."""
    given = {name: plain(str(value)) for name, value in attributes.items() if value is not None}
    if not text and not given:
        return None
    element = etree.SubElement(parent, tag, given)
    if text:
        element.text = plain(text)
    return element


def _cut_out(item: "etree._Element") -> bytes:
    root = etree.Element("rss", nsmap=NAMESPACES)
    etree.SubElement(root, "channel").append(item)
    document: bytes = etree.tostring(root, encoding="UTF-8")
    return document[document.index(_OPEN) + len(_OPEN) : document.rindex(_CLOSE)]
