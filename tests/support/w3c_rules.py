"""What the W3C feed validator holds against RSS 2.0, Atom 1.0 and OPML, for the elements that we write.

The validator is no package that could be installed, so its rules are written down here from its documentation
(https://validator.w3.org/feed/docs/) and the specifications. Each function returns the faults that it found:
errors and warnings, in words. What is in a namespace of ours that is not named here is a fault too.
"""

import re
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from lxml import etree
from lxml import html as lxml_html

ATOM = "{http://www.w3.org/2005/Atom}"
AT = "{http://purl.org/atompub/tombstones/1.0}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
DC = "{http://purl.org/dc/elements/1.1/}"
FH = "{http://purl.org/syndication/history/1.0}"
MEDIA = "{http://search.yahoo.com/mrss/}"
THREAD = "{http://purl.org/syndication/thread/1.0}"

_MIME = re.compile(r"[^\s()<>,;:\\\"/\[\]?=]+/[^\s()<>,;:\\\"/\[\]?=]+(\s*;.*)?")
_IRI = re.compile(r"[a-zA-Z][0-9a-zA-Z+.-]*:[^\s<>\"{}|\\^`]+")
_WEB = re.compile(r"https?://[^\s/?#<>\"{}|\\^`]+[^\s<>\"{}|\\^`]*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_RFC822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_RELATION = re.compile(r"[a-z][a-z0-9.-]*")
_DANGEROUS = frozenset(
    {"applet", "base", "embed", "form", "frame", "frameset", "iframe", "link", "meta", "object", "script", "style"}
)
_ADDRESSED = ("href", "src", "cite", "action", "poster")

_CHANNEL_ONCE = ("title", "link", "description", "language", "lastBuildDate", "generator", "ttl", f"{FH}archive")
_CHANNEL_MANY = ("item", f"{ATOM}link", f"{AT}deleted-entry")
_ITEM_ONCE = (
    "title", "link", "description", f"{CONTENT}encoded", "guid", "pubDate", "enclosure", f"{ATOM}updated",
    f"{DC}language", f"{DC}source", f"{DC}rights",
)  # fmt: skip
_ITEM_MANY = ("category", f"{DC}creator", f"{ATOM}link", f"{MEDIA}content")
_MEDIA_ATTRIBUTES = frozenset(
    {"url", "fileSize", "type", "medium", "isDefault", "expression", "bitrate", "framerate", "samplingrate",
     "channels", "duration", "height", "width", "lang"}
)  # fmt: skip
_MEDIA_CHILDREN = tuple(f"{MEDIA}{name}" for name in ("title", "description", "credit", "copyright"))
_MEDIA_KINDS = frozenset({"image", "audio", "video", "document", "executable"})


def rss_faults(document: bytes) -> list[str]:
    """Return what is wrong with an RSS 2.0 document."""
    root = etree.fromstring(document)
    channels = root.findall("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or len(channels) != 1 or len(root) != 1:
        return ["the root is not rss 2.0 with one channel"]
    return [*_channel(channels[0]), *_unique("guid", channels[0].iterfind("item/guid"))]


def _channel(channel: Any) -> Iterator[str]:
    yield from _children(channel, _CHANNEL_ONCE, _CHANNEL_MANY, needed=("title", "link", "description"))
    yield from _nonblank(channel, "title", "description")
    yield from _matching(channel, "link", _IRI)
    yield from _matching(channel, "language", _LANGUAGE)
    yield from _matching(channel, "ttl", re.compile(r"[1-9]\d*"))
    yield from _dates(channel, "lastBuildDate")
    yield from _links(channel)
    yield from _self(channel)
    yield from _deleted(channel)
    order = [each.tag for each in channel if each.tag in ("item", f"{AT}deleted-entry")]
    if order != sorted(order, key=lambda tag: tag == "item"):
        yield "a tombstone behind an item"
    for item in channel.findall("item"):
        yield from _item(item)


def _item(item: Any) -> Iterator[str]:
    yield from _children(item, _ITEM_ONCE, _ITEM_MANY, needed=("title", "guid"))
    yield from _nonblank(item, "title", "category", "guid", f"{DC}creator", f"{DC}source", f"{DC}rights")
    yield from _matching(item, "link", _IRI)
    yield from _matching(item, f"{DC}language", _LANGUAGE)
    yield from _matching(item, f"{ATOM}updated", _RFC3339)
    yield from _dates(item, "pubDate")
    yield from _links(item)
    tags = [each.tag for each in item]
    if f"{CONTENT}encoded" in tags and "description" not in tags[: tags.index(f"{CONTENT}encoded")]:
        yield "content:encoded without a description before it"
    for name in ("description", f"{CONTENT}encoded"):
        yield from _safe_html(item.findtext(name) or "", name)
    for guid in item.findall("guid"):
        if guid.get("isPermaLink") not in ("true", "false") or (guid.text or "").isdigit():
            yield "a guid that is no identifier"
    for category in item.findall("category"):
        yield from _attributes(category, allowed={"domain"})
    for enclosure in item.findall("enclosure"):
        yield from _attributes(enclosure, needed={"url": _WEB, "length": re.compile(r"\d+"), "type": _MIME})
    for content in item.findall(f"{MEDIA}content"):
        yield from _media(content)


def _media(content: Any) -> Iterator[str]:
    yield from _attributes(content, needed={"url": _WEB}, allowed=_MEDIA_ATTRIBUTES)
    yield from _children(content, _MEDIA_CHILDREN, ())
    yield from _nonblank(content, *_MEDIA_CHILDREN)
    if content.get("medium", "image") not in _MEDIA_KINDS:
        yield f"media:content of medium {content.get('medium')}"
    if not _MIME.fullmatch(content.get("type", "a/b")):
        yield f"media:content of type {content.get('type')}"
    for name in ("fileSize", "width", "height"):
        if not content.get(name, "1").isdigit():
            yield f"media:content with {name} {content.get(name)}"


def atom_faults(document: bytes) -> list[str]:
    """Return what RFC 4287 asks of a feed in words and its grammar does not check (appendix B's Schematron too)."""
    feed = etree.fromstring(document)
    return [*_atom(feed), *_unique("id", feed.iterfind(f"{ATOM}entry/{ATOM}id"))]


def _atom(feed: Any) -> Iterator[str]:
    yield from _nonblank(feed, f"{ATOM}title")
    yield from _matching(feed, f"{ATOM}id", _IRI)
    yield from _matching(feed, f"{ATOM}updated", _RFC3339)
    yield from _links(feed)
    yield from _self(feed)
    yield from _deleted(feed)
    order = [each.tag for each in feed if each.tag in (f"{ATOM}entry", f"{AT}deleted-entry")]
    if order != sorted(order, key=lambda tag: tag == f"{ATOM}entry"):
        yield "a tombstone behind an entry"
    authored = feed.find(f"{ATOM}author") is not None
    for entry in feed.findall(f"{ATOM}entry"):
        yield from _atom_entry(entry, authored)


def _atom_entry(entry: Any, authored: bool) -> Iterator[str]:
    yield from _nonblank(entry, f"{ATOM}title", f"{ATOM}author/{ATOM}name", f"{ATOM}rights")
    yield from _matching(entry, f"{ATOM}id", _IRI)
    for name in ("updated", "published"):
        yield from _matching(entry, f"{ATOM}{name}", _RFC3339)
    yield from _links(entry)
    if not authored and entry.find(f"{ATOM}author") is None:
        yield "an entry without an author (4.1.1)"
    alternates = [each for each in entry.findall(f"{ATOM}link") if each.get("rel", "alternate") == "alternate"]
    if entry.find(f"{ATOM}content") is None and not alternates:
        yield "an entry without content or an alternate link (4.1.2)"
    if len(alternates) > 1:
        yield "two alternate links: one story has one page (4.1.2 allows more, of other types and languages)"
    if entry.find(f"{ATOM}summary") is None and entry.find(f"{ATOM}content") is None:
        yield "an entry without any text"
    for content in entry.findall(f"{ATOM}content"):
        if content.get("type") != "html" or len(content):
            yield "content that is no HTML as text"
        yield from _safe_html(content.text or "", "content")
    for category in entry.findall(f"{ATOM}category"):
        if not category.get("term") or not _IRI.fullmatch(category.get("scheme", "a:b")):
            yield "a category without a term, or of a scheme that is no IRI (4.2.2)"
    for reply in entry.findall(f"{THREAD}in-reply-to"):
        yield from _attributes(reply, needed={"ref": _IRI}, allowed={"href", "source", "type"})
    for content in entry.findall(f"{MEDIA}content"):
        yield from _media(content)


def opml_faults(document: bytes) -> list[str]:
    """Return what is wrong with an OPML 2.0 document that lists feeds."""
    root = etree.fromstring(document)
    if root.tag != "opml" or root.get("version") != "2.0" or [each.tag for each in root] != ["head", "body"]:
        return ["the root is not opml 2.0 with a head and a body"]
    return [*_children(root[0], ("title", "dateCreated", "dateModified", "ownerName"), ()), *_outlines(root[1])]


def _outlines(body: Any) -> Iterator[str]:
    if not len(body):
        yield "a body without an outline"
    web = {"xmlUrl": _WEB, "htmlUrl": _WEB, "text": re.compile(".+"), "title": re.compile(".+")}
    for outline in body:
        yield from _attributes(outline, needed=web, allowed={"type", "description", "language", "version"})
        if outline.tag != "outline" or outline.get("type") != "rss" or outline.get("version") != "RSS2":
            yield "an outline that is no feed"
        if not _LANGUAGE.fullmatch(outline.get("language", "en")):
            yield f"an outline in the language {outline.get('language')}"


def _children(parent: Any, once: tuple[str, ...], many: tuple[str, ...], needed: tuple[str, ...] = ()) -> Iterator[str]:
    counts = Counter(each.tag for each in parent)
    yield from (f"{parent.tag} without {name}" for name in needed if not counts[name])
    yield from (f"{parent.tag} with {counts[name]} of {name}" for name in once if counts[name] > 1)
    yield from (f"{parent.tag} with the unknown {name}" for name in counts if name not in (*once, *many))


def _attributes(element: Any, needed: dict[str, re.Pattern[str]] | None = None, allowed: Any = ()) -> Iterator[str]:
    for name, form in (needed or {}).items():
        if not form.fullmatch(element.get(name, "")):
            yield f"{element.tag} with the {name} {element.get(name)!r}"
    yield from (f"{element.tag} with {name}" for name in element.attrib if name not in {*(needed or {}), *allowed})


def _nonblank(parent: Any, *names: str) -> Iterator[str]:
    yield from (f"a blank {name}" for name in names for each in parent.findall(name) if not (each.text or "").strip())


def _matching(parent: Any, name: str, form: re.Pattern[str]) -> Iterator[str]:
    for each in parent.findall(name):
        if not form.fullmatch(each.text or ""):
            yield f"{name} is {each.text!r}"


def _dates(parent: Any, name: str) -> Iterator[str]:
    yield from _matching(parent, name, _RFC822)
    for each in parent.findall(name):
        if _RFC822.fullmatch(each.text) and f"{parsedate_to_datetime(each.text):%a}" != each.text[:3]:
            yield f"{name} has the wrong day of the week"


def _links(parent: Any) -> Iterator[str]:
    for link in parent.findall(f"{ATOM}link"):
        yield from _attributes(link, needed={"href": _WEB}, allowed={"rel", "type", "title", "length", "hreflang"})
        rel = link.get("rel", "alternate")
        if not _RELATION.fullmatch(rel) and not _IRI.fullmatch(rel):
            yield f"a link of the relation {rel!r}"
        if not _MIME.fullmatch(link.get("type", "a/b")):
            yield f"a link of the type {link.get('type')!r}"
        if not link.get("title", "x").strip() or link.text:
            yield "a link with a blank title, or with text"


def _self(feed: Any) -> Iterator[str]:
    if len([each for each in feed.findall(f"{ATOM}link") if each.get("rel") == "self"]) != 1:
        yield "a feed without one link to itself"


def _deleted(feed: Any) -> Iterator[str]:
    for gone in feed.findall(f"{AT}deleted-entry"):
        yield from _attributes(gone, needed={"ref": _IRI, "when": _RFC3339})
        yield from _children(gone, (f"{AT}comment",), ())


def _unique(name: str, elements: Any) -> list[str]:
    counts = Counter(each.text for each in elements)
    return [f"{count} entries of the {name} {value}" for value, count in counts.items() if count > 1]


def _safe_html(markup: str, name: str) -> Iterator[str]:
    """Yield what the validator calls a security risk, and addresses that are not absolute."""
    if not markup.strip():
        return
    for element in lxml_html.fragment_fromstring(markup, create_parent="div").iter():
        if element.tag in _DANGEROUS or not isinstance(element.tag, str):
            yield f"{name} has the element {element.tag}"
        for key, value in element.attrib.items():
            if key.startswith("on") or key == "style":
                yield f"{name} has the attribute {key}"
            if key in _ADDRESSED and not _IRI.fullmatch(value.strip()):
                yield f"{name} has the address {value}"
