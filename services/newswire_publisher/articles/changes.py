"""What changed between two versions of an article, field by field; pure.

Numbers come first: a corrected figure is what a newsroom must see at once. Texts
(headline, summary, body) are word diffs; all else is told as what was there and what is.
The body is compared as text, so that a change of its markup alone is told as such.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from newswire_publisher.articles.words import NumberChange, Part, diff, number_changes
from newswire_publisher.routing.text import text_of_html
from newswire_schemas.article import Article, Concept, Dateline, Link, Media

TEXTS = ("headline", "summary", "body")
"""The fields that are compared word by word, as a reader meets them."""

_OTHERS = (
    "byline",
    "dateline",
    "located",
    "slugline",
    "section",
    "source",
    "language",
    "urgency",
    "priority",
    "subjects",
    "places",
    "people",
    "organisations",
    "genres",
    "keywords",
    "associations",
    "links",
    "evolved_from",
    "story",
    "expires",
    "usage_terms",
    "copyright_holder",
)
"""The other fields that a reader may be shown; ``extras``, ``warnings`` and times are of no one's story."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text that changed, as parts that both versions have or only one."""

    field: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A field whose values went or came."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a version changed. ``markup`` tells that the body reads the same and is only set otherwise."""

    numbers: tuple[tuple[str, NumberChange], ...] = ()
    texts: tuple[TextChange, ...] = ()
    values: tuple[ValueChange, ...] = ()
    markup: bool = False

    def __bool__(self) -> bool:
        return bool(self.texts or self.values or self.markup)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"numbers", "texts", "fields", "markup"}``, as ``GET /v1/articles/{key}/versions`` shows it."""
        return {
            "numbers": [{"field": field, **number._asdict()} for field, number in self.numbers],
            "texts": [
                {"field": text.field, "diff": [{"op": part.op, "text": part.text} for part in text.parts]}
                for text in self.texts
            ],
            "fields": [
                {"field": value.field, "before": list(value.before), "after": list(value.after)}
                for value in self.values
            ],
            "markup": self.markup,
        }


@lru_cache(maxsize=512)
def _text_parts(before: str, after: str) -> tuple[Part, ...]:
    """Versions never change, so neither does what lies between two of them."""
    return diff(before, after)


def changes(before: Article, after: Article) -> Changes:
    """Return what ``after`` changed."""
    texts = [
        TextChange(field, _text_parts(old, new))
        for field in TEXTS
        if (old := _text(before, field)) != (new := _text(after, field))
    ]
    numbers = [(text.field, number) for text in texts for number in number_changes(text.parts)]
    values = []
    for field in _OTHERS:
        old_labels, new_labels = _labels(getattr(before, field)), _labels(getattr(after, field))
        if old_labels != new_labels:
            values.append(ValueChange(field, _without(old_labels, new_labels), _without(new_labels, old_labels)))
    same_body = all(text.field != "body" for text in texts)
    markup = same_body and (before.body_html or "") != (after.body_html or "")
    return Changes(tuple(numbers), tuple(texts), tuple(values), markup)


def body_text(article: Article) -> str:
    """Return the body as text: a paragraph a block, one empty line between them."""
    text = article.body_text or text_of_html(article.body_html or "")
    return "\n\n".join(line.strip() for line in text.splitlines() if line.strip())


def _text(article: Article, field: str) -> str:
    return body_text(article) if field == "body" else getattr(article, field) or ""


def _labels(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(_label, value)) if isinstance(value, tuple) else (_label(value),)


def _label(value: Any) -> str:
    match value:
        case Concept():
            return value.name or value.qcode or ""
        case Dateline():
            return value.text or ", ".join(filter(None, (value.city, value.country, value.date, value.agency)))
        case Media():
            hrefs = " ".join(rendition.href for rendition in value.renditions)
            return " · ".join(filter(None, (value.headline or value.description or value.name, value.credit, hrefs)))
        case Link():
            return " · ".join(filter(None, (value.title, value.href)))
        case BaseModel():
            return value.model_dump_json(exclude_none=True)
    return str(value)


def _without(labels: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that the others lack; all of them if only their order or number differs."""
    return tuple(label for label in labels if label not in others) if set(labels) != set(others) else tuple(labels)
