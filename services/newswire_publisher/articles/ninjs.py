"""An article as IPTC ninjs 3.1, with nothing that its schema does not know.

What wires have and ninjs lacks goes where a reader of ninjs finds it:

    section, keywords      subjects with ``rel`` ``section`` or ``keyword``
    source                 infoSources with ``role`` ``source``
    evolved_from           an association with ``rel`` ``evolvedFrom``
    links                  associations with the link's own ``rel``
    qcode                  ``uri`` for IPTC's vocabularies and addresses, else ``literal``

What IPTC has as a URI is one: an IRI is percent-encoded, a name that is none is written as ``urn:x-newswire:…``, and
a file without an address is left out; enrichment has warned of it.

``dateline``, ``priority``, ``story``, ``extras`` and ``warnings`` have no place
there; the dateline is in the body as it was written.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from newswire_publisher.articles.markup import media_type_of
from newswire_schemas.article import Article, Concept, Link, Media, PubStatus, Rendition
from newswire_schemas.uris import name_of, uri_of

SCHEMA = "http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json"
MEDIA_TYPE = "application/ninjs+json"

# IPTC's own aliases (https://cv.iptc.org/newscodes) whose addresses do not repeat the alias.
_VOCABULARIES = {
    "medtop": "http://cv.iptc.org/newscodes/mediatopic/",
    "subj": "http://cv.iptc.org/newscodes/subjectcode/",
    "genre": "http://cv.iptc.org/newscodes/genre/",
    "ninat": "http://cv.iptc.org/newscodes/ninature/",
    "wldreg": "http://cv.iptc.org/newscodes/worldregion/",
}
_TYPES = frozenset(("text", "audio", "video", "picture", "graphic", "composite"))
_TYPE_ALIASES = {"image": "picture", "photo": "picture", "animation": "graphic"}


def to_ninjs(article: Article) -> dict[str, Any]:
    """Return a ninjs 3.1 object, ready for JSON; keys always in the same order, empty ones left out."""
    return _filled(
        {
            "uri": name_of(article.uri),
            "standard": {"name": "ninjs", "version": "3.1", "schema": SCHEMA},
            "type": "text",
            "representationType": "full" if article.pub_status is PubStatus.USABLE else "partial",
            "version": str(article.version),
            "firstCreated": _time(article.first_created),
            "versionCreated": _time(article.version_created),
            "embargoedUntil": _time(article.embargoed_until),
            "expires": _time(article.expires),
            "pubStatus": article.pub_status.value,
            "urgency": article.urgency,
            "language": article.language,
            "headlines": _values(("main", None, article.headline)),
            "slugline": article.slugline,
            "by": article.byline,
            "located": article.located or (article.dateline.city if article.dateline else None),
            "descriptions": _values(("summary", "text/plain", article.summary)),
            "bodies": _values(("main", "text/html", article.body_html), ("main", "text/plain", article.body_text)),
            "edNote": article.ed_note,
            "subjects": _subjects(article),
            "places": [_concept(place) for place in article.places],
            "people": [_concept(person) for person in article.people],
            "organisations": [_concept(organisation) for organisation in article.organisations],
            "genres": [_without_rel(_concept(genre)) for genre in article.genres],
            "infoSources": [{"name": article.source, "role": "source"}] if article.source else [],
            "usageTerms": article.usage_terms,
            "copyrightHolder": article.copyright_holder,
            "associations": _associations(article),
        }
    )


def _subjects(article: Article) -> list[dict[str, Any]]:
    found = [
        _concept(subject) | ({"confidence": round(subject.confidence * 100)} if subject.confidence is not None else {})
        for subject in article.subjects
    ]
    if article.section:
        found.append({"name": article.section, "rel": "section"})
    found += [{"name": keyword, "rel": "keyword"} for keyword in article.keywords if keyword]
    return found


def _concept(concept: Concept) -> dict[str, Any]:
    address = _address(concept.qcode)
    return _filled(
        {
            "name": concept.name,
            "rel": concept.rel,
            "uri": address,
            "literal": concept.qcode if not address else None,
        }
    )


def _without_rel(concept: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in concept.items() if name != "rel"}


def _address(qcode: str | None) -> str | None:
    if not qcode:
        return None
    alias, _, code = qcode.partition(":")
    if alias in _VOCABULARIES and code:
        return uri_of(_VOCABULARIES[alias] + code)
    return uri_of(qcode) if alias in {"http", "https", "urn", "tag"} and code else None


def _associations(article: Article) -> list[dict[str, Any]]:
    found = [_media(article.uri, number, media) for number, media in enumerate(article.associations, 1)]
    if article.evolved_from:
        found.append(
            {"name": "evolvedFrom", "rel": "evolvedFrom", "uri": name_of(article.evolved_from), "type": "text"}
        )
    found += [_link(number, link) for number, link in enumerate(article.links, 1)]
    return found


def _media(article_uri: str, number: int, media: Media) -> dict[str, Any]:
    name = media.name or f"media-{number}"
    kind = _TYPE_ALIASES.get(media.type, media.type)
    href = media.renditions[0].href if media.renditions else None
    return _filled(
        {
            "name": name,
            "uri": name_of(media.uri or href or f"{article_uri}#{name}"),
            "type": kind if kind in _TYPES else "component",
            "headlines": _values((None, None, media.headline)),
            "descriptions": _values(("caption", None, media.description)),
            "by": media.credit,
            "copyrightNotice": media.copyright_notice,
            "usageTerms": media.usage_terms,
            "renditions": [
                _rendition(position, rendition, href)
                for position, rendition in enumerate(media.renditions, 1)
                if (href := uri_of(rendition.href))
            ],
        }
    )


def _rendition(position: int, rendition: Rendition, href: str) -> dict[str, Any]:
    return _filled(
        {
            "name": f"rendition-{position}",
            "href": href,
            "contentType": media_type_of(rendition.media_type),
            "width": rendition.width,
            "height": rendition.height,
            "sizeInBytes": rendition.size,
        }
    )


def _link(number: int, link: Link) -> dict[str, Any]:
    href = uri_of(link.href)
    rendition = _filled({"name": "link", "href": href, "contentType": media_type_of(link.media_type)})
    return _filled(
        {
            "name": f"link-{number}",
            "rel": link.rel,
            "uri": name_of(link.href),
            "title": link.title,
            "renditions": [rendition] if href else [],
        }
    )


def _values(*entries: tuple[str | None, str | None, str | None]) -> Sequence[dict[str, Any]]:
    """Return ninjs' value objects from (role, content type, value), without those that have no value."""
    return [_filled({"role": role, "contentType": kind, "value": value}) for role, kind, value in entries if value]


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [], {}, ())}
