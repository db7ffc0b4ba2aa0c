"""What an entry says, whatever its format: title, summary, content, authors, categories, files."""

import html
import re
from dataclasses import dataclass

from newswire_publisher.articles.links import link_of
from newswire_publisher.articles.markup import excerpt, markup_of, media_type_of, plain, safe_markup, web_address
from newswire_publisher.routing.text import text_of_html
from newswire_schemas.article import Article, Concept, Link, Media, key_of

SCHEMES = {"medtop": "http://cv.iptc.org/newscodes/mediatopic/", "genre": "http://cv.iptc.org/newscodes/genre/"}
"""The addresses of IPTC's schemes, which a category names as its scheme; other aliases stand for themselves."""

_BETWEEN_AUTHORS = re.compile(r"(?:,|;|/|\band\b|\bund\b|\bet\b|\by\b|\bи\b|&)\s+|[、，；]")
_REL = re.compile(r"[a-z][a-z0-9.-]*", re.ASCII)
_IRI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.IGNORECASE)
_BY = re.compile(r"(?:by|von|par|por|автор:?)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Category:
    """A category: its name as people read it, and the scheme and code that it comes from, where it has them."""

    term: str
    scheme: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """One file of a media object, at an absolute address."""

    href: str
    media: Media
    media_type: str
    medium: str | None
    width: int | None
    height: int | None
    size: int | None


def page_address(base_url: str, uri: str) -> str:
    """Return the address of an article's page."""
    return f"{base_url}/articles/{key_of(uri)}"


def title_of(article: Article) -> str:
    """Return what an entry is called: its headline, or the next best thing that the article has."""
    for candidate in (article.headline, article.slugline):
        if candidate and (title := " ".join(plain(candidate).splitlines()).strip()):
            return title
    return excerpt(article.body_text or article.summary or "", 100) or plain(article.uri)


def summary_of(article: Article) -> str:
    """Return the summary as plain text; the beginning of the text where there is none."""
    given = plain(article.summary or "")
    return given if given.strip() else excerpt(article.body_text or text_of_html(article.body_html or ""))


def note_of(article: Article) -> str:
    """Return the editor's note of a later version, which says what changed; a first version's is for editors only."""
    return "" if article.version == 1 else plain(article.ed_note or "")


def description_of(article: Article) -> str:
    """Return the description as HTML: what a correction says of itself, then the summary, or the title.

    It is never empty: readers take an item's content for its description where there is none.
    """
    note, summary = _note_markup(article), summary_of(article) or title_of(article)
    return note + markup_of(summary) if note else html.escape(summary, quote=False)


def content_of(article: Article) -> str:
    """Return the content as safe HTML without relative addresses: a correction's note, then the body."""
    if article.body_html:
        body = safe_markup(article.body_html, original_of(article) or None)
    else:
        body = markup_of(article.body_text or "")
    return _note_markup(article) + body if body else ""


def _note_markup(article: Article) -> str:
    note = note_of(article)
    return f"<p><em>{html.escape(note, quote=False)}</em></p>" if note else ""


def authors_of(article: Article) -> list[str]:
    """Return the people that a byline names, in its order."""
    names = (_BY.sub("", name, count=1) for name in _BETWEEN_AUTHORS.split(plain(article.byline or "")))
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def categories_of(article: Article) -> list[Category]:
    """Return section, subjects, genres and keywords, each once."""
    found: list[Category] = []
    if article.section:
        found.append(Category(plain(article.section), "section"))
    found += [each for subject in article.subjects if (each := _category(subject, None))]
    found += [each for genre in article.genres if (each := _category(genre, "genre"))]
    found += [Category(plain(keyword)) for keyword in article.keywords if keyword]
    once: dict[tuple[str, str | None], Category] = {}
    for each in found:
        once.setdefault((each.term, each.scheme), each)
    return list(once.values())


def _category(concept: Concept, otherwise: str | None) -> Category | None:
    alias, colon, code = (concept.qcode or "").partition(":")
    scheme = SCHEMES.get(alias.lower(), plain(alias)) if colon else otherwise
    term = concept.name or (code if colon else alias)
    return Category(plain(term), scheme, plain(code) if colon else None) if term else None


def files_of(article: Article) -> list[File]:
    """Return the files of all media that stand at an absolute address, in their order."""
    found = []
    for media in article.associations:
        kind = {"picture": "image", "graphic": "image"}.get(media.type, media.type)
        medium = kind if kind in {"image", "audio", "video", "document", "executable"} else None
        for each in media.renditions:
            if href := web_address(each.href):
                media_type = media_type_of(each.media_type) or "application/octet-stream"
                found.append(File(href, media, media_type, medium, each.width, each.height, each.size))
    return found


def links_of(article: Article) -> list[Link]:
    """Return the links to absolute addresses, without what is no media type (RFC 6838) and no title."""
    return [
        Link(
            href=href,
            rel=_relation(link.rel),
            title=(plain(link.title).strip() if link.title else None) or None,
            media_type=media_type_of(link.media_type),
        )
        for link in article.links
        if (href := web_address(link.href))
    ]


def _relation(rel: str) -> str:
    """Return a relation type (RFC 8288 section 2.1: a name in lower case, or an IRI); ``related`` for what is none."""
    rel = plain(rel)
    if _REL.fullmatch(rel.lower()):
        return rel.lower()
    return rel if _IRI.fullmatch(rel) else "related"


def original_of(article: Article) -> str:
    """Return where the story stands for its readers, if its publisher said so; empty otherwise."""
    own = link_of(article, "")
    return own if own.startswith("http") else ""
