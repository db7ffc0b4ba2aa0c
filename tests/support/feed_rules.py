"""Whether a feed's document keeps its standard: by schema where there is one, by rule where there is none.

`broken` answers with the rules that a document breaks, in words; none for a valid one.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator, Draft202012Validator
from lxml import etree

from newswire_publisher.articles.newsml import NAR
from newswire_publisher.feeds.formats.xml import ATOM, CONTENT, DC, MEDIA, TOMBSTONES
from support.formats import FORMATS
from support.newsml_rules import message_faults
from support.w3c_rules import atom_faults, rss_faults

DATA = Path(__file__).parents[1] / "data"
_GRAMMAR = etree.RelaxNG(etree.parse(str(DATA / "atom.rng")))
_JSON_FEED = Draft202012Validator(json.loads((DATA / "jsonfeed-schema_1.1.json").read_text()))
_NINJS_SCHEMA = json.loads((DATA / "ninjs-schema_3.1.json").read_text())
_Draft = Draft202012Validator if "2020-12" in _NINJS_SCHEMA.get("$schema", "") else Draft7Validator
_NINJS = _Draft(_NINJS_SCHEMA, format_checker=FORMATS)
_STRICT = etree.XMLParser(resolve_entities=False, no_network=True)
_RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (GMT|[+-]\d{4})")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_RELATIVE = re.compile(r"""\b(?:href|src)\s*=\s*["'](?!https?://|mailto:|tel:)""", re.IGNORECASE)
_MARKUP = re.compile(r"<(?:script|iframe|object|embed|style|meta|base)\b|\son\w+\s*=", re.IGNORECASE)
Rules = Iterator[str]


def broken(extension: str, document: bytes) -> list[str]:
    """Return what is wrong with a document of this format."""
    return [fault for rules in _RULES[extension] for fault in rules(document)]


def _rss(document: bytes) -> Rules:
    """RSS 2.0.11 and the checks of the W3C feed validation service that concern what we write."""
    root = etree.fromstring(document, _STRICT)
    if root.tag != "rss" or root.get("version") != "2.0":
        yield "the root is <rss version='2.0'>"
    if [child.tag for child in root] != ["channel"]:
        yield "there is one channel and nothing beside it"
    channel = root[0]
    yield from _once(channel, ("title", "link", "description"), ("language", "lastBuildDate", "generator", "ttl"))
    yield from _known(
        channel, {"title", "link", "description", "language", "lastBuildDate", "generator", "ttl", "item"}
    )
    yield from _dates(channel, "lastBuildDate", _RFC822)
    if not (channel.findtext("ttl") or "1").isdigit():
        yield "ttl is a number"
    own = [link for link in channel.findall(f"{{{ATOM}}}link") if link.get("rel") == "self"]
    if len(own) != 1:
        yield "there is one atom:link of rel self"
    if not (channel.findtext("title") or "").strip():
        yield "the channel has a title"
    guids = [item.findtext("guid") for item in channel.iter("item")]
    if len(set(guids)) != len(guids):
        yield "no guid occurs twice"
    order = [child.tag for child in channel if child.tag in {"item", f"{{{TOMBSTONES}}}deleted-entry"}]
    if order != sorted(order, key=lambda tag: tag == "item"):
        yield "tombstones stand before the first item"
    for item in channel.iter("item"):
        yield from _rss_item(item)
    yield from _common_xml(root)


def _rss_item(item: Any) -> Rules:
    one = ("title", "link", "guid", "pubDate", f"{{{ATOM}}}updated")
    at_most = ("description", f"{{{CONTENT}}}encoded", "enclosure", f"{{{DC}}}creator", f"{{{DC}}}language")
    yield from _once(item, one, at_most)
    yield from _known(item, {"title", "link", "guid", "pubDate", "description", "category", "enclosure"})
    yield from _dates(item, "pubDate", _RFC822)
    yield from _dates(item, f"{{{ATOM}}}updated", _RFC3339)
    guid = item.find("guid")
    if guid is not None and guid.get("isPermaLink") != "false":
        yield "a guid that is no address says isPermaLink=false"
    if not item.findtext("title") and not item.findtext("description"):
        yield "an item has a title or a description"
    for enclosure in item.findall("enclosure"):
        if not (enclosure.get("length") or "").isdigit() or "/" not in (enclosure.get("type") or ""):
            yield "an enclosure has url, length and type"
    for html in (item.findtext("description"), item.findtext(f"{{{CONTENT}}}encoded")):
        yield from _safe(html or "")
    if item.find(f"{{{MEDIA}}}group") is not None:
        yield "media stand directly in the item"


def _atom(document: bytes) -> Rules:
    """RFC 4287 by its grammar, its Schematron rules, RFC 6721 and RFC 5005."""
    root = etree.fromstring(document, _STRICT)
    if not _GRAMMAR.validate(root):
        yield f"RFC 4287's grammar: {_GRAMMAR.error_log.last_error}"
    names = {"a": ATOM, "at": TOMBSTONES}
    entries = root.findall("a:entry", names)
    for entry in entries:
        if entry.find("a:author", names) is None and root.find("a:author", names) is None:
            yield "every entry has an author, or the feed has one"
        if entry.find("a:content", names) is None and not entry.xpath("a:link[@rel='alternate']", namespaces=names):
            yield "an entry without content links to its page"
        pages = [
            (link.get("type"), link.get("hreflang"))
            for link in entry.xpath("a:link[not(@rel) or @rel='alternate']", namespaces=names)
        ]
        if len(set(pages)) != len(pages):
            yield "no two alternate links have the same type and language (4.1.2)"
        if not urlsplit(entry.findtext("a:id", "", names)).scheme:
            yield "an id is an absolute IRI"
        yield from _safe(entry.findtext("a:content", "", names))
        for category in entry.findall("a:category", names):
            if (scheme := category.get("scheme")) and not urlsplit(scheme).scheme:
                yield f"a scheme is an IRI: {scheme}"
    ids = [entry.findtext("a:id", "", names) for entry in entries]
    if len(set(ids)) != len(ids):
        yield "no id occurs twice"
    if len(root.xpath("a:link[@rel='self']", namespaces=names)) != 1:
        yield "there is one link of rel self"
    order = [child.tag for child in root if child.tag in {f"{{{ATOM}}}entry", f"{{{TOMBSTONES}}}deleted-entry"}]
    if order != sorted(order, key=lambda tag: tag.endswith("}entry")):
        yield "tombstones stand before the first entry"
    for gone in root.findall("at:deleted-entry", names):
        if not gone.get("ref") or not _RFC3339.fullmatch(gone.get("when", "")):
            yield "RFC 6721: a deleted-entry has ref and when"
    yield from _common_xml(root)


def _json(document: bytes) -> Rules:
    read = json.loads(document)
    yield from (f"{error.json_path}: {error.message}" for error in _JSON_FEED.iter_errors(read))
    ids = [item.get("id") for item in read.get("items", ())]
    if len(set(ids)) != len(ids):
        yield "no id occurs twice"
    for item in read.get("items", ()):
        yield from _safe(item.get("content_html", ""))
        pictured = {each["url"] for each in item.get("attachments", ())}
        if item.get("image") and item["image"] not in pictured:
            yield "the image is one of the attachments"


def _ninjs(document: bytes) -> Rules:
    read = json.loads(document)
    yield from (f"{error.json_path}: {error.message}" for error in _NINJS.iter_errors(read))
    for item in read.get("associations", ()):
        for body in item.get("bodies", ()):
            if body.get("contentType") == "text/html":
                yield from _safe(body["value"])


_META = [
    *("itemClass", "provider", "versionCreated", "firstCreated", "embargoed", "pubStatus", "role", "fileName"),
    *("generator", "profile", "service", "title", "edNote", "memberOf", "instanceOf", "signal", "altRep"),
    *("deliverableOf", "hash", "expires", "origRep", "incomingFeedId", "metadataCreator"),
    *("link", "itemMetaExtProperty"),
]
"""The order of itemMeta's children in the schema (NewsML-G2 2.34, ItemMetadataType)."""

_ADMINISTRATIVE = {"urgency", "located", "creator", "infoSource", "contentCreated", "contentModified", "contributor"}


def _newsml(document: bytes) -> Rules:
    """NewsML-G2: the message, and each item as the schema orders it."""
    root = etree.fromstring(document, _STRICT)
    items = [root]
    if root.tag == f"{{{NAR}}}newsMessage":
        if [_local(child) for child in root] != ["header", "itemSet"]:
            yield "a newsMessage is a header and an itemSet"
            return
        header = [_local(child) for child in root[0]]
        order = ["sent", "sender", "transmitId", "channel"]
        if header != order:
            yield f"a header is {order}"
        items = list(root[1])
    seen = [(item.get("guid"), item.get("version")) for item in items]
    if len(set(seen)) != len(seen):
        yield "no version of an item occurs twice"
    for item in items:
        yield from _news_item(item)
    yield from _common_xml(root)


def _news_item(item: Any) -> Rules:
    if item.tag != f"{{{NAR}}}newsItem":
        yield "an item is a newsItem"
    fixed = {"standard": "NewsML-G2", "standardversion": "2.34", "conformance": "power"}
    if {name: item.get(name) for name in fixed} != fixed:
        yield f"an item says {fixed}"
    if not item.get("guid") or not (item.get("version") or "").isdigit():
        yield "an item has guid and version"
    parts = [_local(child) for child in item]
    wanted = ["catalogRef", "rightsInfo", "itemMeta", "contentMeta", "contentSet"]
    if parts != [name for name in wanted if name in parts] or not {"catalogRef", "itemMeta"} <= set(parts):
        yield f"the order of an item's parts: {parts}"
    meta = item.find(f"{{{NAR}}}itemMeta")
    names = [_local(child) for child in meta]
    if names != sorted(names, key=_META.index):
        yield f"the order of itemMeta: {names}"
    if not {"itemClass", "provider", "versionCreated", "pubStatus"} <= set(names):
        yield "itemMeta has class, provider, version and status"
    content = [_local(child) for child in item.iterfind(f"{{{NAR}}}contentMeta/*")]
    if content != sorted(content, key=lambda name: name not in _ADMINISTRATIVE):
        yield f"contentMeta describes after it administers: {content}"
    if "embargoed" in names:
        yield "an embargo is not told"
    usable = meta.find(f"{{{NAR}}}pubStatus").get("qcode") == "stat:usable"
    if usable != ("contentSet" in parts):
        yield "a usable item has content, a canceled one has none"
    for body in item.iter("{http://www.w3.org/1999/xhtml}body"):
        yield from _safe(etree.tostring(body, encoding="unicode"))


def _common_xml(root: Any) -> Rules:
    for element in root.iter():
        language = element.get("{http://www.w3.org/XML/1998/namespace}lang")
        if language and not _LANGUAGE.fullmatch(language):
            yield f"a language is BCP 47: {language}"
        for name in ("href", "url", "src"):
            address = element.get(name)
            if address is not None and urlsplit(address).scheme not in {"http", "https", "mailto", "tel"}:
                yield f"addresses are absolute: {address}"


def _once(parent: Any, required: tuple[str, ...], optional: tuple[str, ...]) -> Rules:
    for tag in required:
        if len(parent.findall(tag)) != 1:
            yield f"{parent.tag} has one {tag}"
    for tag in optional:
        if len(parent.findall(tag)) > 1:
            yield f"{parent.tag} has one {tag} at most"


def _known(parent: Any, names: set[str]) -> Rules:
    """Elements without a namespace are RSS's own (the validator's UndefinedElement)."""
    yield from (f"{child.tag} is not of RSS" for child in parent if "}" not in child.tag and child.tag not in names)


def _dates(parent: Any, tag: str, form: "re.Pattern[str]") -> Rules:
    for element in parent.findall(tag):
        if not form.fullmatch(element.text or ""):
            yield f"{tag} is no date: {element.text}"
        elif form is _RFC822 and parsedate_to_datetime(element.text).strftime("%a") != element.text[:3]:
            yield f"{tag} names another day of the week: {element.text}"


def _safe(html: str) -> Rules:
    if _RELATIVE.search(html):
        yield f"an address is relative (ContainsRelRef): {html}"
    if _MARKUP.search(html):
        yield f"unsafe markup (SecurityRisk): {html}"


def _local(element: Any) -> str:
    return etree.QName(element).localname


_RULES: dict[str, tuple[Callable[[bytes], Iterable[str]], ...]] = {
    "rss": (_rss, rss_faults),
    "atom": (_atom, atom_faults),
    "json": (_json,),
    "ninjs": (_ninjs,),
    "newsml": (_newsml, message_faults),
}
