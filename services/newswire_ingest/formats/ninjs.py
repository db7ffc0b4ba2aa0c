"""IPTC ninjs 1.x, 2.x and 3.x, and the dialect that Superdesk writes.

    object ──fold names──▶ handlers fill a target ──Draft.model_validate──▶ Draft
                                └─ remember which name filled which field, so that an error points into the input

The versions differ in the case of names (``versioncreated``, ``versionCreated``),
in number (``subject``, ``subjects``) and in the shape of texts (``headline`` and
``body_html`` or lists by role); all are read alike, whatever version is claimed.
A value of the wrong type is passed on as it is: the content model refuses it and
the error gets the pointer of the input. What has no field goes to ``extras``
under its own name; empty strings, empty lists and nulls say nothing.

A time without a zone is taken in the source's time zone, else in UTC with a
warning; an embargo is not: a guess there would publish too early.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import Loc, MalformedInput, malformed, pointer_to
from newswire_ingest.formats.jsons import Path, items_of, object_keys
from newswire_ingest.formats.ninjs_parts import Lossy, concepts, media, renditions
from newswire_ingest.formats.ninjs_texts import TEXT_NAME, Texts
from newswire_ingest.formats.ninjs_times import aware
from newswire_schemas.article import Draft

name = "ninjs"
content_types = ("application/ninjs+json", "application/vnd.iptc.ninjs+json", "application/json")

_PLAIN = {
    "version": "version",
    "urgency": "urgency",
    "priority": "priority",
    "language": "language",
    "byline": "byline",
    "by": "byline",
    "slugline": "slugline",
    "located": "located",
    "ednote": "ed_note",
    "usageterms": "usage_terms",
    "copyrightholder": "copyright_holder",
    "source": "source",
    "keywords": "keywords",
    "evolvedfrom": "evolved_from",
}
"""Folded name in ninjs to the field that takes its value as it is."""

_TIMES = {
    "versioncreated": "version_created",
    "firstcreated": "first_created",
    "expires": "expires",
    "embargoed": "embargoed_until",
    "embargoeduntil": "embargoed_until",
}

_CONCEPTS = {
    "subject": "subjects",
    "subjects": "subjects",
    "place": "places",
    "places": "places",
    "person": "people",
    "people": "people",
    "organisation": "organisations",
    "organisations": "organisations",
    "genre": "genres",
    "genres": "genres",
}

_MARKS = tuple(
    f'"{mark}"'.encode()
    for mark in (
        *("versioncreated", "versionCreated", "pubstatus", "pubStatus", "guid", "headlines", "bodies", "body_main"),
        *("headline_main", "firstcreated", "firstCreated", "usageterms", "usageTerms", "ednote", "edNote"),
        *("copyrightholder", "copyrightHolder", "$standard", "standard", "representationType", "embargoedUntil"),
    )
)
_MARK_NAMES = frozenset(mark.decode().strip('"') for mark in _MARKS)


def recognise(body: bytes) -> bool:
    """Whether the body is JSON whose object has a name that ninjs has and our own format lacks."""
    # A name can't stand within a JSON string without escaped quotes, so most bodies are settled without parsing.
    return any(mark in body for mark in _MARKS) and not _MARK_NAMES.isdisjoint(object_keys(body))


def parse(body: bytes, context: ParseContext) -> list[Draft]:
    """Return the item in a body, or the items of an array."""
    return [_Item(context, path).read(item) for path, item in items_of(name, body)]


class _Item:
    """One item on its way from ninjs names to a ``Draft``."""

    def __init__(self, context: ParseContext, path: Path) -> None:
        self._context = context
        self._path = path
        self._target: dict[str, Any] = {}
        self._from: dict[str, str] = {}
        self._extras: dict[str, Any] = {}
        self._warnings: list[dict[str, str]] = []
        self._texts = Texts()

    def read(self, item: dict[str, Any]) -> Draft:
        for key, value in item.items():
            if value is None or value in ("", [], {}):
                continue
            self._take(key, key.lower(), value)
        for field, (key, text) in self._texts.fields().items():
            self._set(field, key, text)
        self._extras.update(self._texts.extras())
        if not self._target.get("uri") and not self._context.uri:
            raise MalformedInput(
                f"{name}: uri is missing: an item needs a uri (in Superdesk: guid)", pointer_to(*self._path, "uri")
            )
        if self._warnings:
            self._target["warnings"] = self._warnings
        if self._extras:
            self._target["extras"] = self._extras
        try:
            return Draft.model_validate(self._target)
        except ValidationError as exc:
            raise malformed(name, exc, *self._path, locate=self._locate) from exc

    def _take(self, key: str, folded: str, value: object) -> None:
        if folded in ("uri", "guid"):
            self._identity(key, folded, value)
        elif folded in _PLAIN:
            self._set(_PLAIN[folded], key, value)
        elif folded in _TIMES:
            self._time(_TIMES[folded], key, value)
        elif folded in _CONCEPTS:
            self._set_lossy(_CONCEPTS[folded], key, concepts(value, subjects=folded.startswith("subject")))
        elif folded == "pubstatus":
            status = value.lower().removeprefix("stat:") if isinstance(value, str) else value
            self._set("pub_status", key, "canceled" if status == "cancelled" else status)
        elif folded in ("infosource", "infosources", "service"):
            self._first_name("section" if folded == "service" else "source", key, value)
        elif folded == "associations":
            self._set_lossy("associations", key, media(value))
        elif folded == "renditions":
            self._renditions(key, value)
        elif folded == "dateline" and isinstance(value, str):
            self._set("dateline", key, {"text": value})
        elif TEXT_NAME.match(folded):
            self._texts.add(key, folded, value)
        else:
            self._extras[key] = value

    def _set(self, field: str, key: str, value: object) -> None:
        if field in self._target:
            if self._target[field] != value:
                self._extras[key] = value  # two spellings of one name; the first is taken, the other kept
            return
        self._target[field] = value
        self._from[field] = key

    def _set_lossy(self, field: str, key: str, converted: Lossy) -> None:
        if field in self._target and isinstance(converted.value, list):
            converted.value = [*self._target[field], *converted.value]
            del self._target[field]
        self._set(field, key, converted.value)
        if converted.rest is not None:
            self._extras[key] = converted.rest

    def _identity(self, key: str, folded: str, value: object) -> None:
        # Superdesk's guid serves where there is no uri; beside one it is another identifier.
        if folded == "uri" and "uri" in self._target:
            self._extras[self._from["uri"]] = self._target.pop("uri")
        self._set("uri", key, value)

    def _time(self, field: str, key: str, value: object) -> None:
        moment, guessed = aware(value, None if field == "embargoed_until" else self._context)
        self._set(field, key, moment)
        if guessed:
            self._warnings.append({"code": "time-zone-missing", "text": f"{key} names no time zone; UTC was taken."})

    def _first_name(self, field: str, key: str, value: object) -> None:
        if isinstance(value, list) and isinstance(value[0], dict) and isinstance(value[0].get("name"), str):
            if field not in self._target:
                self._set(field, key, value[0]["name"])
            if len(value) == 1 and set(value[0]) == {"name"}:
                return
        self._extras[key] = value

    def _renditions(self, key: str, value: object) -> None:
        """A picture or video is an item of its own: its files become its one media object."""
        found = renditions(value)
        if found.value:
            item: dict[str, Any] = {"name": "main", "renditions": found.value}
            self._set_lossy("associations", key, Lossy([item], found.rest))
        else:
            self._extras[key] = value

    def _locate(self, loc: Loc) -> Iterable[object]:
        """Return the place in the input of a place in the content model."""
        field, *rest = loc
        if field == "extras":
            return rest
        # A text of a list by role names itself "headlines/0".
        return (*self._from.get(str(field), str(field)).split("/"), *rest)
