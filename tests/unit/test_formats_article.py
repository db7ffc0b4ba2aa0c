"""Our own JSON."""

import json
from datetime import UTC, datetime

import pytest

from newswire_ingest.formats import article
from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput

CONTEXT = ParseContext(source="desk", now=datetime(2025, 11, 12, 12, tzinfo=UTC))


def refused(value: object) -> MalformedInput:
    with pytest.raises(MalformedInput) as caught:
        article.parse(json.dumps(value).encode(), CONTEXT)
    return caught.value


def test_one_object_an_array_and_items_are_read_alike() -> None:
    item = {"uri": "urn:x:1", "headline": "A"}
    for value in (item, [item], {"items": [item]}):
        assert [draft.uri for draft in article.parse(json.dumps(value).encode(), CONTEXT)] == ["urn:x:1"]


def test_several_items_keep_their_order() -> None:
    body = json.dumps([{"uri": f"urn:x:{n}"} for n in range(5)]).encode()
    assert [draft.uri for draft in article.parse(body, CONTEXT)] == [f"urn:x:{n}" for n in range(5)]


def test_an_unknown_field_is_refused_at_its_place() -> None:
    assert refused({"headlin": "A"}).pointer == "/headlin"
    assert refused([{"headline": "A"}, {"headlin": "A"}]).pointer == "/1/headlin"
    assert refused({"items": [{"a/b": 1}]}).pointer == "/items/0/a~1b"


def test_each_wrong_field_is_named() -> None:
    errors = refused({"urgency": 10, "language": "?", "subjects": [{"confidence": 2}], "version": 0}).errors
    assert {each.pointer for each in errors} == {"/urgency", "/language", "/subjects/0/confidence", "/version"}


@pytest.mark.parametrize("value", [[], {"items": []}, [1], 1, None, "text", {"items": [{}], "more": 1}])
def test_what_holds_no_items_is_refused(value: object) -> None:
    refused(value)


@pytest.mark.parametrize(
    "body", [b'{"extras": {"a": [NaN]}}', b'{"extras": {"a": 1e999}}', b'[{"extras": {"a": NaN}}]']
)
def test_numbers_that_json_lacks_are_refused(body: bytes) -> None:
    with pytest.raises(MalformedInput):
        article.parse(body, CONTEXT)


def test_more_items_than_fit_are_refused() -> None:
    assert "1,000" in refused([{}] * 1_001).detail


def test_characters_that_xml_lacks_are_dropped() -> None:
    assert article.parse(b'{"headline": "a\\u0000b\\u0008"}', CONTEXT)[0].headline == "ab"
