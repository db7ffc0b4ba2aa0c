"""The structure that NewsML-G2 2.34 asks for: children in their order, once or often, and attributes that must be.

Written from the specification's tables for newsMessage and newsItem at conformance level ``power``, for the
properties that we write. Returns faults in words.
"""

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

NAR = "{http://iptc.org/std/nar/2006-10-01/}"
XHTML = "{http://www.w3.org/1999/xhtml}"

# Each child with how often it may stand there: ! once, ? at most once, * any number. A tuple is a choice, any number.
Order = tuple[str | tuple[str, ...], ...]
MESSAGE: Order = ("header!", "itemSet!")
HEADER: Order = ("sent!", ("catalogRef", "catalog"), "sender?", "transmitId?", "priority?", "origin?",
                 ("timestamp", "destination", "channel", "signal"))  # fmt: skip
ITEM: Order = (("catalogRef", "catalog"), "hopHistory?", "pubHistory?", "rightsInfo*", "itemMeta!", "contentMeta?",
               "partMeta*", ("assert",), ("inlineRef",), ("derivedFrom",), "contentSet?")  # fmt: skip
RIGHTS: Order = ("accountable?", "copyrightHolder*", "copyrightNotice*", "usageTerms*")
ITEM_META: Order = (
    "itemClass!", "provider!", "versionCreated!", "firstCreated?", "embargoed?", "pubStatus?", "role?", "fileName?",
    "generator*", "profile?", "service*", "title*", "edNote*", "memberOf*", "instanceOf*", "signal*", "altRep*",
    "deliverableOf*", "hash*", "expires*", "origRep*", "incomingFeedId*", "metadataCreator?", "link*",
)  # fmt: skip
CONTENT_META: Order = (
    "icon*", "urgency?", "contentCreated?", "contentModified?", "digitalSourceType?",
    ("located", "infoSource", "creator", "contributor", "audience", "exclAudience", "altId", "rating"),
    "language*", "genre*", "keyword*", "subject*", "slugline*", "headline*", "dateline*", "by*", "creditline*",
    "description*",
)  # fmt: skip
CONTENT_SET: Order = (("inlineXML", "inlineData", "remoteContent"),)

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_QCODE = re.compile(r"[^\s:]+:[^\s]+")
_ALIASES = frozenset({"ninat", "stat", "medtop", "subj", "genre", "wldreg", "irel", "cpnat", "drol", "sig"})
_MIME = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(;.*)?")


def message_faults(document: bytes) -> list[str]:
    """Return what is wrong with a newsMessage and its items, or with one newsItem that is a document of its own."""
    root = etree.fromstring(document)
    return list(_item(root) if root.tag == f"{NAR}newsItem" else _message(root))


def item_faults(document: bytes) -> list[str]:
    """Return what is wrong with a newsItem."""
    return list(_item(etree.fromstring(document)))


def _message(message: Any) -> Iterator[str]:
    if message.tag != f"{NAR}newsMessage":
        yield f"the root is {message.tag}"
    yield from (wrong := [*_ordered(message, MESSAGE)])
    if wrong:
        return
    header = message.find(f"{NAR}header")
    yield from _ordered(header, HEADER)
    yield from _times(header, "sent")
    for item in message.find(f"{NAR}itemSet"):
        yield from _item(item)


def _item(item: Any) -> Iterator[str]:
    if item.tag != f"{NAR}newsItem":
        yield f"an item is {item.tag}"
    if (item.get("standard"), item.get("standardversion"), item.get("conformance")) != ("NewsML-G2", "2.34", "power"):
        yield "an item of another standard"
    if not item.get("guid") or not re.fullmatch(r"[1-9]\d*", item.get("version", "")):
        yield "an item without a guid and a positive version"
    yield from _ordered(item, ITEM)
    if item.find(f"{NAR}catalogRef") is None:
        yield "an item that names no catalogue"
    for name, order in (("rightsInfo", RIGHTS), ("itemMeta", ITEM_META), ("contentMeta", CONTENT_META)):
        for part in item.findall(f"{NAR}{name}"):
            yield from _ordered(part, order)
    meta = item.find(f"{NAR}itemMeta")
    yield from _times(meta, "versionCreated", "firstCreated", "embargoed", "expires")
    for element in item.iter(f"{NAR}*"):
        yield from _codes(element)
    for urgency in item.iter(f"{NAR}urgency"):
        if urgency.text not in set("123456789"):
            yield f"the urgency {urgency.text}"
    for link in meta.findall(f"{NAR}link"):
        if not (link.get("href") or link.get("residref")):
            yield "a link to nothing"
    for content in item.findall(f"{NAR}contentSet"):
        yield from _content(content)


def _content(content: Any) -> Iterator[str]:
    yield from _ordered(content, CONTENT_SET)
    if not len(content):
        yield "a contentSet without content"
    for inline in content.findall(f"{NAR}inlineXML"):
        if len(inline) != 1 or inline[0].tag != f"{XHTML}html" or inline.get("contenttype") != "application/xhtml+xml":
            yield "inlineXML that is not one XHTML document"
        elif [each.tag for each in inline[0]] != [f"{XHTML}head", f"{XHTML}body"]:
            yield "XHTML without a head and a body"
        yield from (f"{each.tag} in XHTML" for each in inline.iterdescendants("*") if not each.tag.startswith(XHTML))
    for remote in content.findall(f"{NAR}remoteContent"):
        if not (remote.get("href") or remote.get("residref")) or not _MIME.fullmatch(remote.get("contenttype", "a/b")):
            yield "remoteContent without an address, or of a type that is none"


def _ordered(parent: Any, order: Order) -> Iterator[str]:
    names = [each.tag.removeprefix(NAR) for each in parent]
    place = 0
    for step in order:
        choice = step if isinstance(step, tuple) else (step[:-1],)
        start = place
        while place < len(names) and names[place] in choice:
            place += 1
        count = place - start
        most = step[-1] if isinstance(step, str) else "*"
        if (most == "!" and count != 1) or (most == "?" and count > 1):
            yield f"{parent.tag} has {count} of {choice[0]} where {most} is asked for"
    if place < len(names):
        yield f"{parent.tag} has {names[place]} out of order"


def _codes(element: Any) -> Iterator[str]:
    for name in ("qcode", "rel", "role", "type"):
        value = element.get(name)
        if value is None or element.tag in (f"{NAR}inlineData", f"{NAR}inlineXML"):
            continue
        if not _QCODE.fullmatch(value) or value.partition(":")[0] not in _ALIASES:
            yield f"{element.tag} has the {name} {value}"


def _times(parent: Any, *names: str) -> Iterator[str]:
    for name in names:
        for each in parent.findall(f"{NAR}{name}"):
            if not _TIME.fullmatch(each.text or ""):
                yield f"{name} is {each.text}"
