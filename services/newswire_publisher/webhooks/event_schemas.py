"""The JSON Schema of what a webhook carries, one a format for articles and one each for the other types.

    {"type": …, "timestamp": …, "sequence": …, "data": {…}}

In the schemas of articles ``type`` decides what ``data`` must have: a kill is canceled and has no text, a rewrite
names what it rewrites. ``data`` in format ``ninjs`` is IPTC's own schema, by its address.
"""

from typing import Any

from pydantic import TypeAdapter

from newswire_publisher.articles.message import EVENT_TYPES, Format
from newswire_publisher.articles.ninjs import SCHEMA as NINJS_SCHEMA
from newswire_publisher.articles.withdrawal import NOTICE
from newswire_publisher.webhooks.event_types import CATALOGUE, CHALLENGE, TEST, EventType
from newswire_schemas.article import Act, Article, PubStatus

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT, _NUMBER, _TIME = {"type": "string"}, {"type": "integer"}, {"type": "string", "format": "date-time"}
_CAUSE = {
    "status": _NUMBER | {"description": "What the receiver answered last."},
    "error": _TEXT | {"description": "Why there was no answer: timeout, dns, tls, refused, reset, …"},
    "detail": _TEXT,
}
_ENTRY = {"sequence": _NUMBER, "uri": _TEXT, "attempts": _NUMBER}
_NOTICES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "webhook.failing": ({"since": _TIME, **_CAUSE}, ["since"]),
    "webhook.recovered": ({"since": _TIME}, ["since"]),
    "webhook.disabled": ({"reason": _TEXT}, ["reason"]),
    "webhook.exhausted": (_ENTRY | _CAUSE, ["sequence"]),
    "webhook.kill_untaken": (_ENTRY | _CAUSE, ["sequence", "uri"]),
}
_STATUSES = {
    Act.KILL: PubStatus.CANCELED,
    Act.WITHHOLD: PubStatus.WITHHELD,
}


def documents() -> dict[str, dict[str, Any]]:
    """Return every schema by its name."""
    found = {f"webhook-{form.value}.schema.json": _of_articles(form) for form in Format}
    return found | {kind.schema_name(): _of_webhooks(kind) for kind in CATALOGUE if not kind.formats}


def _of_articles(form: Format) -> dict[str, Any]:
    data, definitions = _DATA[form]()
    schema = _envelope(f"An event of an article, format {form.value}", {"enum": list(EVENT_TYPES.values())}, data)
    if rules := _RULES[form]:
        schema["allOf"] = [
            {
                "if": {"properties": {"type": {"const": EVENT_TYPES[act]}}},
                "then": {"properties": {"data": rule}},
            }
            for act, rule in rules.items()
        ]
    if definitions:
        schema["$defs"] = definitions
    return schema


def _of_webhooks(kind: EventType) -> dict[str, Any]:
    if kind.name == TEST:
        data = _object({"note": _TEXT}, ["note"])
    elif kind.name == CHALLENGE:
        data = _object({"challenge": _TEXT}, ["challenge"])
    else:
        own, required = _NOTICES[kind.name]
        about = {"webhook": _TEXT, "url": _TEXT, "description": _TEXT, "owner": _TEXT}
        data = _object(about | own, ["webhook", "owner", *required])
    return _envelope(kind.description, {"const": kind.name}, data)


def _envelope(description: str, kind: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return {
        "$schema": DRAFT,
        "description": description,
        **_object(
            {
                "type": kind,
                "timestamp": _TIME | {"description": "When it happened: the same in every attempt."},
                "sequence": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "The entry's number in the log of the webhook, from 1 without a gap.",
                },
                "data": data,
            },
            ["type", "timestamp", "sequence", "data"],
        ),
    }


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _article() -> tuple[dict[str, Any], dict[str, Any]]:
    schema = TypeAdapter(Article).json_schema(mode="validation")
    definitions = schema.pop("$defs", {})
    return schema, definitions


def _ninjs() -> tuple[dict[str, Any], dict[str, Any]]:
    return {"$ref": NINJS_SCHEMA}, {}


def _thin() -> tuple[dict[str, Any], dict[str, Any]]:
    link = _TEXT | {"format": "uri", "description": "The article, for those who may read it."}
    version = {"type": "integer", "minimum": 1}
    thin = _object({"uri": _TEXT, "version": version, "link": link}, ["uri", "version", "link"])
    return thin | {"additionalProperties": False}, {}


_DATA = {Format.ARTICLE: _article, Format.NINJS: _ninjs, Format.THIN: _thin}


def _without(*fields: str) -> dict[str, bool]:
    return dict.fromkeys(fields, False)


_RULES: dict[Format, dict[Act, dict[str, Any]]] = {
    # Ours leaves out what is the default, so that `usable` is not there.
    Format.ARTICLE: {
        act: {
            "properties": {
                "pub_status": {"const": status.value},
                **_without(*(name for name in Article.model_fields if name not in NOTICE)),
            },
            "required": ["pub_status"],
        }
        for act, status in _STATUSES.items()
    }
    | {Act.REWRITE: {"required": ["evolved_from"]}},
    Format.NINJS: {
        act: {
            "properties": {
                "pubStatus": {"const": _STATUSES.get(act, PubStatus.USABLE).value},
                **(_without("headlines", "descriptions", "bodies", "people") if act in _STATUSES else {}),
            },
            "required": ["pubStatus"],
        }
        for act in EVENT_TYPES
    },
    Format.THIN: {},
}
