"""The published schemas and samples: each type in each format is valid, and a wrong one is not."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from support.formats import FORMATS

from newswire_publisher.articles.message import EVENT_TYPES, Format
from newswire_publisher.articles.ninjs import SCHEMA as NINJS_SCHEMA
from newswire_publisher.webhooks import event_samples, event_schemas
from newswire_publisher.webhooks.event_types import CATALOGUE, CHALLENGE, TEST, EventType
from newswire_publisher.webhooks.wanted import NOTICE_TYPES

NINJS = json.loads((Path(__file__).parents[1] / "data" / "ninjs-schema_3.1.json").read_text())
DRAFT = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
SCHEMAS = event_schemas.documents()
PAIRS = [(kind, form) for kind in CATALOGUE for form in kind.formats or (None,)]
NAMES = [kind.sample_name(form) for kind, form in PAIRS]


def validator(name: str) -> Draft202012Validator:
    # Nothing of ours has coordinates, so what its GeoJSON reference says does not matter.
    known = {NINJS_SCHEMA: NINJS, "https://geojson.org/schema/GeoJSON.json": {}}
    registry: Any = Registry().with_resources(
        [(address, Resource.from_contents(DRAFT | contents)) for address, contents in known.items()]
    )
    return Draft202012Validator(SCHEMAS[name], registry=registry, format_checker=FORMATS)


def body(kind: EventType, form: Format | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(event_samples.sample(kind.name, form))
    return found


@pytest.mark.parametrize(("kind", "form"), PAIRS, ids=NAMES)
def test_every_sample_meets_its_schema(kind: EventType, form: Format | None) -> None:
    validator(kind.schema_name(form)).validate(body(kind, form))


@pytest.mark.parametrize(("kind", "form"), PAIRS, ids=NAMES)
@pytest.mark.parametrize("damage", ["no data", "another type", "no time", "a sequence below 0"])
def test_no_schema_takes_just_anything(kind: EventType, form: Format | None, damage: str) -> None:
    wrong = {
        "no data": {"data": {}},
        "another type": {"type": "article.unheard_of"},
        "no time": {"timestamp": "yesterday"},
        "a sequence below 0": {"sequence": -1},
    }[damage]

    assert not validator(kind.schema_name(form)).is_valid(body(kind, form) | wrong)


@pytest.mark.parametrize("form", [Format.ARTICLE, Format.NINJS])
@pytest.mark.parametrize("name", ["article.killed", "article.withheld"])
def test_an_article_that_may_be_used_is_no_kill(name: str, form: Format) -> None:
    usable = body(CATALOGUE[0], form)

    assert not validator(f"webhook-{form.value}.schema.json").is_valid(usable | {"type": name})


@pytest.mark.parametrize("form", [Format.ARTICLE, Format.NINJS])
@pytest.mark.parametrize("name", ["article.killed", "article.withheld"])
def test_a_kill_that_carries_the_text_once_more_is_none(name: str, form: Format) -> None:
    (kind,) = [each for each in CATALOGUE if each.name == name]
    kill, whole = body(kind, form), body(CATALOGUE[0], form)["data"]

    for field in {"headline", "body_html", "summary", "headlines", "bodies", "descriptions"} & set(whole):
        with_text = kill | {"data": kill["data"] | {field: whole[field]}}
        assert not validator(f"webhook-{form.value}.schema.json").is_valid(with_text), field


def test_the_catalogue_has_every_type_that_is_sent() -> None:
    assert {kind.name for kind in CATALOGUE} == {*EVENT_TYPES.values(), *NOTICE_TYPES, TEST, CHALLENGE}


def test_every_sample_has_a_name_of_its_own() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(event_samples.documents()) == 7 * 3 + 7


def test_a_sample_is_the_same_bytes_each_time() -> None:
    assert event_samples.sample("article.new", Format.NINJS) == event_samples.sample("article.new", Format.NINJS)
