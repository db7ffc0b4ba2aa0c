"""An article as a NewsML-G2 newsItem (IPTC NewsML-G2 2.34, conformance ``power``).

What wires have and NewsML-G2 names differently:

    section, keywords   ``service`` and ``keyword``
    source              ``infoSource``
    evolved_from        ``link`` of rel ``irel:evolvedFrom``
    qcode               ``qcode`` for IPTC's own schemes, whose catalogue is named; else ``literal``
    body_html           ``inlineXML`` as XHTML; ``inlineData`` where there is only text
    associations        ``link`` of rel ``irel:associatedWith``, with headline and credit as its title

An embargo is never told: what is held back is not shown, and what is shown is free.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from newswire_publisher.articles.links import link_of
from newswire_publisher.articles.markup import markup_of, media_type_of, safe_markup, web_address
from newswire_schemas.article import Article, Concept, Media, PubStatus, clean_text

MEDIA_TYPE = "application/vnd.iptc.g2.newsitem+xml"
NAR = "http://iptc.org/std/nar/2006-10-01/"
XHTML = "http://www.w3.org/1999/xhtml"
_XML = "http://www.w3.org/XML/1998/namespace"
STANDARD = {"standard": "NewsML-G2", "standardversion": "2.34", "conformance": "power"}
CATALOG = "http://www.iptc.org/std/catalog/catalog.IPTC-G2-Standards_40.xml"

_OURS = frozenset({"medtop", "subj", "genre", "ninat", "wldreg", "stat"})
_STATUS = {PubStatus.USABLE: "usable", PubStatus.WITHHELD: "withheld", PubStatus.CANCELED: "canceled"}


def news_item(article: Article, base_url: str = "") -> Any:
    """Return the article's ``newsItem`` element; ``base_url`` is where its page lives."""
    item = etree.Element(f"{{{NAR}}}newsItem", {"guid": article.uri, "version": str(article.version), **STANDARD})
    if article.language:
        item.set(f"{{{_XML}}}lang", article.language)
    _add(item, "catalogRef", href=CATALOG)
    _rights(item, article)
    _item_meta(item, article, base_url)
    _content_meta(item, article)
    if article.pub_status is PubStatus.USABLE:
        _content(item, article)
    return item


def to_newsml(article: Article, base_url: str = "") -> bytes:
    """Return the newsItem as a document in UTF-8."""
    root = etree.Element(f"{{{NAR}}}root", nsmap={None: NAR})  # type: ignore[dict-item]  # lxml-stubs lack the default
    item = news_item(article, base_url)
    root.append(item)
    document: bytes = etree.tostring(item, encoding="UTF-8", xml_declaration=True)
    return document


def _rights(item: Any, article: Article) -> None:
    if not (article.copyright_holder or article.usage_terms):
        return
    rights = _add(item, "rightsInfo")
    if article.copyright_holder:
        _text(_add(rights, "copyrightHolder", literal=article.copyright_holder), "name", article.copyright_holder)
    _text(rights, "usageTerms", article.usage_terms)


def _item_meta(item: Any, article: Article, base_url: str) -> None:
    meta = _add(item, "itemMeta")
    _add(meta, "itemClass", qcode="ninat:text")
    _add(meta, "provider", literal=article.source or article.copyright_holder or "newswire")
    _text(meta, "versionCreated", _time(article.version_created))
    _text(meta, "firstCreated", _time(article.first_created))
    _add(meta, "pubStatus", qcode=f"stat:{_STATUS[article.pub_status]}")
    if article.section:
        _text(_add(meta, "service", literal=article.section), "name", article.section)
    _text(meta, "title", article.headline)
    _text(meta, "edNote", article.ed_note)
    if article.version > 1 and article.ed_note:
        _add(meta, "signal", qcode="sig:correction")
    if article.expires:
        _text(meta, "expires", _time(article.expires))
    if article.evolved_from:
        _add(meta, "link", rel="irel:evolvedFrom", residref=article.evolved_from)
    if base_url:
        _add(meta, "link", rel="irel:seeAlso", href=f"{base_url}/articles/{article.key}", contenttype="text/html")
    for link in article.links:
        if href := web_address(link.href):
            kind, title = media_type_of(link.media_type), link.title.strip() if link.title else None
            _add(meta, "link", rel="irel:seeAlso", href=href, contenttype=kind, title=title)
    for media in article.associations:
        _files(meta, media)


def _content_meta(item: Any, article: Article) -> None:
    meta = _add(item, "contentMeta")
    if article.urgency:
        _text(meta, "urgency", str(article.urgency))
    place = article.located or (article.dateline.city if article.dateline else None)
    if place:
        _text(_add(meta, "located", literal=place), "name", place)
    if article.byline:
        _text(_add(meta, "creator", literal=article.byline), "name", article.byline)
    if article.source:
        _text(_add(meta, "infoSource", literal=article.source), "name", article.source)
    if article.language:
        _add(meta, "language", tag=article.language)
    _concepts(meta, "genre", article.genres)
    for keyword in filter(None, article.keywords):
        _text(meta, "keyword", keyword)
    _concepts(meta, "subject", article.subjects)
    _concepts(meta, "subject", article.places, "cpnat:geoArea")
    _concepts(meta, "subject", article.people, "cpnat:person")
    _concepts(meta, "subject", article.organisations, "cpnat:organisation")
    _text(meta, "slugline", article.slugline)
    _text(meta, "headline", article.headline)
    if article.dateline:
        _text(meta, "dateline", article.dateline.text)
    _text(meta, "by", article.byline)
    _text(meta, "description", article.summary, role="drol:summary")


def _concepts(meta: Any, name: str, concepts: Iterable[Concept], kind: str | None = None) -> None:
    for concept in concepts:
        alias, colon, code = (concept.qcode or "").partition(":")
        known = bool(colon and code) and alias in _OURS
        given = {"qcode": concept.qcode} if known else {"literal": concept.qcode or concept.name}
        if any(given.values()):
            _text(_add(meta, name, type=kind, **given), "name", concept.name)


def _content(item: Any, article: Article) -> None:
    content = _add(item, "contentSet")
    if article.body_html:
        xhtml = etree.SubElement(
            _add(content, "inlineXML", contenttype="application/xhtml+xml"),
            f"{{{XHTML}}}html",
            nsmap={None: XHTML},  # type: ignore[dict-item]
        )
        head = etree.SubElement(xhtml, f"{{{XHTML}}}head")
        etree.SubElement(head, f"{{{XHTML}}}title").text = clean_text(article.headline or article.uri)
        own = link_of(article, "")
        xhtml.append(_body(safe_markup(article.body_html, own if own.startswith("http") else None)))
    elif article.body_text:
        _text(content, "inlineData", article.body_text, contenttype="text/plain")
    else:
        _text(content, "inlineData", article.summary or article.headline or article.uri, contenttype="text/plain")


def _body(markup: str) -> Any:
    body = lxml_html.fragment_fromstring(markup or markup_of(" "), create_parent="body")
    for each in body.iter():
        if isinstance(each.tag, str):
            each.tag = f"{{{XHTML}}}{each.tag}"
    return body


def _files(meta: Any, media: Media) -> None:
    """Link to a media object's files; a contentSet holds renditions of the text alone."""
    title = media.headline or media.description or media.name
    if media.credit:
        title = f"{title} ({media.credit})" if title else media.credit
    for file in media.renditions:
        if href := web_address(file.href):
            size = str(file.size) if file.size else None
            kind = media_type_of(file.media_type)
            _add(meta, "link", rel="irel:associatedWith", href=href, contenttype=kind, size=size, title=title)


def _add(parent: Any, name: str, **attributes: str | None) -> Any:
    given = {key: clean_text(value) for key, value in attributes.items() if value}
    return etree.SubElement(parent, f"{{{NAR}}}{name}", given)


def _text(parent: Any, name: str, text: str | None, **attributes: str | None) -> None:
    if text:
        _add(parent, name, **attributes).text = clean_text(text)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
