"""Concepts and media of ninjs, in the content model's shape, with what is left over.

A value of the wrong type is returned unchanged: the content model refuses it.
"""

import re
from dataclasses import dataclass
from typing import Any

_SCHEMES = {
    "cv.iptc.org/newscodes/mediatopic": "medtop",
    "cv.iptc.org/newscodes/subjectcode": "subj",
    "cvx.iptc.org/iso3166-1a2": "iso3166-1a2",
    "www.wikidata.org/entity": "wd",
}
_IPTC = re.compile(r"https?://cv\.iptc\.org/newscodes/([a-z0-9-]+)/([^/\s]+)/?\Z")
_TOP_TOPIC = re.compile(r"(?:0[1-9]|1[0-7])000000\Z")
_CODE = re.compile(r"\d{8}\Z")

_MEDIA = {
    "name": "name",
    "type": "type",
    "uri": "uri",
    "headline": "headline",
    "headlines": "headline",
    "description_text": "description",
    "descriptions": "description",
    "byline": "credit",
    "by": "credit",
    "creditline": "credit",
    "copyrightnotice": "copyright_notice",
    "usageterms": "usage_terms",
}
_RENDITION = {
    "href": "href",
    "mimetype": "media_type",
    "contenttype": "media_type",
    "width": "width",
    "height": "height",
    "sizeinbytes": "size",
}


@dataclass(slots=True)
class Lossy:
    """A converted value, and what of the original it does not hold (None: nothing)."""

    value: Any
    rest: Any = None


def qcode(uri: object = None, code: object = None, scheme: object = None, *, subjects: bool = False) -> object:
    """Return a concept's identifier as an IPTC QCode where its scheme is known, else as it was written."""
    if isinstance(uri, str) and uri:
        if known := _IPTC.match(uri):
            alias = {"mediatopic": "medtop", "subjectcode": "subj"}.get(known[1], known[1])
            return f"{alias}:{known[2]}"
        base, _, local = uri.rpartition("/")
        alias = _SCHEMES.get(base.partition("//")[2], "")
        return f"{alias}:{local}" if alias and local else uri
    if not isinstance(code, str) or not code:
        return code or None
    if isinstance(scheme, str) and scheme:
        separator = "" if scheme.endswith(("/", "#", ":")) else "/" if "//" in scheme else ":"
        return qcode(scheme + separator + code) if "//" in scheme else scheme + separator + code
    if subjects and _CODE.match(code):
        # Superdesk writes bare IPTC codes; the top topics have the same number in both of IPTC's lists.
        return f"medtop:{code}" if code.startswith("20") or _TOP_TOPIC.match(code) else f"subj:{code}"
    return code


def concepts(value: object, *, subjects: bool) -> Lossy:
    """Return a list of concepts of any ninjs version (``uri`` or ``literal``; ``scheme`` and ``code`` in 1.x)."""
    if not isinstance(value, list):
        return Lossy(value)
    converted = [_concept(each, subjects=subjects) for each in value]
    rest = [each.rest or {} for each in converted]
    return Lossy([each.value for each in converted], rest if any(rest) else None)


def _concept(value: object, *, subjects: bool) -> Lossy:
    if isinstance(value, str):
        return Lossy({"name": value})
    if not isinstance(value, dict):
        return Lossy(value)
    rest = {k: v for k, v in value.items() if v not in (None, "", [], {})}
    concept: dict[str, Any] = {field: rest.pop(field) for field in ("name", "rel") if field in rest}
    uri, code, scheme = rest.pop("uri", None), rest.pop("code", None), rest.pop("scheme", None)
    literal = rest.pop("literal", None)
    identifier = qcode(uri, code, scheme, subjects=subjects)
    if identifier is None:
        identifier, literal = literal, None
    if identifier is not None:
        concept["qcode"] = identifier
    if uri and code:
        rest["code"] = code
    if literal is not None:
        rest["literal"] = literal
    confidence = rest.get("confidence")
    if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 100:
        concept["confidence"] = rest.pop("confidence") / 100
    return Lossy(concept, rest or None)


def media(value: object) -> Lossy:
    """Return the associations: an object by name in 1.x, a list of named items from 2.0 on."""
    if isinstance(value, dict):
        named = [{"name": key, **each} if isinstance(each, dict) else each for key, each in value.items() if each]
    elif isinstance(value, list):
        named = value
    else:
        return Lossy(value)
    converted = [_medium(each) for each in named]
    rest = [each.rest or {} for each in converted]
    return Lossy([each.value for each in converted], rest if any(rest) else None)


def _medium(value: object) -> Lossy:
    if not isinstance(value, dict):
        return Lossy(value)
    medium: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, each in value.items():
        if each in (None, "", [], {}):
            continue
        folded = key.lower()
        if folded == "renditions":
            found = renditions(each)
            medium["renditions"] = found.value
            if found.rest is not None:
                rest[key] = found.rest
            continue
        field, text = _MEDIA.get(folded), _plain(each)
        if field and field not in medium:
            medium[field] = text.value
            if text.rest is not None:
                rest[key] = text.rest
        else:
            rest[key] = each
    if "uri" not in medium and isinstance(rest.get("guid"), str):
        medium["uri"] = rest.pop("guid")
    return Lossy(medium, rest or None)


def _plain(value: object) -> Lossy:
    """Return the first text of a list by role; a text is itself."""
    if isinstance(value, list) and isinstance(value[0], dict) and isinstance(value[0].get("value"), str):
        return Lossy(value[0]["value"], value[1:] or None)
    return Lossy(value)


def renditions(value: object) -> Lossy:
    """Return the files of a media object that have an address: an object by name in 1.x, a list from 2.0 on."""
    if isinstance(value, dict):
        listed = [{"name": key, **each} if isinstance(each, dict) else each for key, each in value.items()]
    elif isinstance(value, list):
        listed = value
    else:
        return Lossy(value)
    files, surplus = [], False
    for each in listed:
        if not isinstance(each, dict) or not each.get("href"):
            surplus = True
            continue
        file = {_RENDITION[key.lower()]: v for key, v in each.items() if key.lower() in _RENDITION and v is not None}
        surplus = surplus or any(key.lower() not in _RENDITION for key in each)
        files.append(file)
    return Lossy(files, value if surplus else None)
