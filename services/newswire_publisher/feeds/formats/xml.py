"""XML as our feeds write it: namespaces on the root alone, entries cut out of a root, text that XML can carry."""

from collections.abc import Mapping
from typing import Any

from lxml import etree

from newswire_schemas.article import clean_text

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
HISTORY = "http://purl.org/syndication/history/1.0"
MEDIA = "http://search.yahoo.com/mrss/"
TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
THREAD = "http://purl.org/syndication/thread/1.0"
XML = "http://www.w3.org/XML/1998/namespace"

Prefixes = Mapping[str | None, str]
"""Namespaces by prefix; None is the default one."""

DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class EntryError(ValueError):
    """An article cannot be written as a feed's entry; the message names its uri and the cause. Leave it out."""


def add(parent: Any, tag: str, text: str | None = None, **attributes: str | int | None) -> Any:
    """Append an element with what is given of text and attributes; nothing where nothing is."""
    given = {name: clean_text(str(value)) for name, value in attributes.items() if value is not None}
    if not text and not given:
        return None
    element = etree.SubElement(parent, tag, given)
    if text:
        element.text = clean_text(text)
    return element


def cut_out(element: "etree._Element", prefixes: Prefixes) -> bytes:
    """Return an element as it stands inside a root that declares the prefixes, and so declares none itself."""
    root = etree.Element("root", nsmap=dict(prefixes))  # type: ignore[arg-type]  # lxml-stubs lack the default prefix
    root.append(element)
    etree.cleanup_namespaces(element)
    document: bytes = etree.tostring(root, encoding="UTF-8")
    return document[document.index(b">") + 1 : document.rindex(b"</root>")]


def tag(name: str, text: str | None = None, /, **attributes: str | None) -> str:
    """Return an element as text; nothing where there is neither text nor an attribute. ``_`` in names is ``:``."""
    given = _given(attributes) if attributes else ""
    if text:
        return f"<{name}{given}>{escaped(text)}</{name}>"
    return f"<{name}{given}/>" if given else ""


def joined(before: bytes, moment: str, after: bytes) -> bytes:
    """Return a head round what changes in it with every article."""
    return b"".join((before, moment.encode(), after))


def open_tag(name: str, prefixes: Prefixes, **attributes: str | None) -> str:
    """Return a root's start tag with its namespaces."""
    declared = "".join([f' xmlns{":" + prefix if prefix else ""}="{address}"' for prefix, address in prefixes.items()])
    return f"<{name}{declared}{_given(attributes)}>"


def escaped(text: str) -> str:
    """Return text as it may stand in an element or in double quotes; heads of feeds are made of it, so it is quick."""
    plain = text if text.isascii() and text.isprintable() else clean_text(text)
    safe = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return safe if plain is text else safe.replace("\n", "&#10;").replace("\t", "&#9;")


def _given(attributes: Mapping[str, str | None]) -> str:
    return "".join([f' {name.replace("_", ":")}="{escaped(value)}"' for name, value in attributes.items() if value])
