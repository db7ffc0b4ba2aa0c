"""What a push says: deterministic bytes, valid ninjs, and headers that nobody overrides."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from support.formats import FORMATS

from newswire_publisher.articles.message import EVENT_TYPES, Format, build, render
from newswire_publisher.articles.ninjs import to_ninjs
from newswire_publisher.webhooks.headers import BadHeader, check_headers, headers
from newswire_schemas.article import Act, Article

SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "ninjs-schema_3.1.json").read_text())
WHEN = datetime(2025, 2, 7, 15, 39, tzinfo=timezone(timedelta(hours=3)))
LINK = "https://wire.example/v1/articles/abc"

MINIMAL: dict[str, Any] = {
    "uri": "urn:newsml:wire.example:20250207:1",
    "version": 1,
    "version_created": WHEN,
    "first_created": WHEN,
}
FULL: dict[str, Any] = MINIMAL | {
    "version": 3,
    "pub_status": "usable",
    "urgency": 2,
    "priority": 3,
    "language": "de",
    "headline": "Hafen in Rostock öffnet wieder – nach 3 Tagen",
    "slugline": "rostock-hafen",
    "byline": "Von Jana Krüger",
    "dateline": {"city": "Rostock", "country": "DE", "date": "2025-02-07", "agency": "NW", "text": "ROSTOCK (NW) -"},
    "body_html": "<p>Der Hafen &amp; die Werft …</p>",
    "body_text": "Der Hafen & die Werft …",
    "summary": "Kurz gefasst.",
    "section": "Wirtschaft",
    "subjects": [
        {"qcode": "medtop:04000000", "name": "Wirtschaft", "rel": "about", "confidence": 0.837},
        {"qcode": "nw:hafen", "name": "Hafen"},
    ],
    "places": [{"qcode": "http://www.wikidata.org/entity/Q2861", "name": "Rostock", "rel": "mentions"}],
    "people": [{"name": "Jana Krüger"}],
    "organisations": [{"name": "Werft AG", "qcode": "isin:DE0001"}],
    "genres": [{"qcode": "genre:Current", "name": "Current", "rel": "about"}],
    "keywords": ["Hafen", "Werft"],
    "source": "NW",
    "ed_note": "Berichtigt: Dauer der Sperrung.",
    "embargoed_until": WHEN + timedelta(hours=1),
    "expires": WHEN + timedelta(days=30),
    "published": WHEN,
    "evolved_from": "urn:newsml:wire.example:20250206:9",
    "story": "rostock",
    "usage_terms": "Nur redaktionell.",
    "copyright_holder": "NW",
    "associations": [
        {
            "name": "main",
            "type": "photo",
            "uri": "urn:pic:1",
            "headline": "Kran",
            "description": "Ein Kran.",
            "credit": "NW/K. Kran",
            "copyright_notice": "© NW",
            "usage_terms": "frei",
            "renditions": [
                {"href": "https://wire.example/p.jpg", "media_type": "image/jpeg", "width": 10, "height": 0, "size": 9}
            ],
        },
        {"type": "something else"},
    ],
    "links": [{"href": "https://wire.example/more", "title": "Mehr", "media_type": "text/html"}],
    "extras": {"x": 1},
    "warnings": [{"code": "dateline.guess", "text": "…"}],
}


ODD = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.builds(
        "".join,
        st.tuples(st.sampled_from(["http:", "https://", "urn:", "//", ""]), st.text("a[]:@/?#% ü\\<", max_size=12)),
    ),
)
ODD_ARTICLES = st.fixed_dictionaries(
    {
        "uri": ODD.map(lambda text: "".join(c for c in text if c.isprintable() and not c.isspace()) or "x"),
        "associations": st.lists(
            st.fixed_dictionaries(
                {"uri": ODD, "name": ODD, "renditions": st.lists(ODD.map(lambda text: {"href": text}), max_size=2)}
            ),
            max_size=2,
        ),
        "links": st.lists(ODD.map(lambda text: {"href": text}), max_size=2),
        "subjects": st.lists(ODD.map(lambda text: {"qcode": text}), max_size=2),
    }
)


def article(fields: dict[str, Any], **more: Any) -> Article:
    return Article.model_validate(fields | more)


@pytest.fixture(scope="module")
def ninjs_schema() -> Draft202012Validator:
    # Nothing of ours has coordinates, so what its GeoJSON reference says does not matter.
    geojson = Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema"})
    registry = Registry().with_resource("https://geojson.org/schema/GeoJSON.json", geojson)
    return Draft202012Validator(SCHEMA, registry=registry, format_checker=FORMATS)


def texts(value: object) -> Iterator[object]:
    """Yield every leaf of a JSON value."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield value


@pytest.mark.parametrize(
    "given",
    [
        article(MINIMAL),
        article(FULL),
        article(MINIMAL, pub_status="canceled", ed_note="Kill: falsche Angaben."),
        article(MINIMAL, pub_status="withheld"),
        article(FULL, dateline=None, located="Rostock, Deutschland"),
    ],
    ids=["minimal", "full", "killed", "withheld", "located"],
)
def test_ninjs_meets_the_schema_of_iptc(given: Article, ninjs_schema: Draft202012Validator) -> None:
    ninjs_schema.validate(to_ninjs(given))


@hypothesis.given(article_fields=ODD_ARTICLES)
def test_whatever_addresses_a_source_sends_ninjs_meets_the_schema_of_iptc(
    article_fields: dict[str, Any], ninjs_schema: Draft202012Validator
) -> None:
    ninjs_schema.validate(to_ninjs(article(MINIMAL, **article_fields)))


def test_what_is_no_address_is_left_out_of_ninjs_and_what_is_no_uri_is_named_whole() -> None:
    files = [{"href": "not a url", "width": 5}, {"href": "https://wire.example/a b/ö.jpg"}]
    odd = article(
        MINIMAL,
        uri="plain",
        evolved_from="old/1",
        associations=[{"name": "main", "uri": "u r i", "renditions": files}],
        links=[{"href": "//x", "title": "Mehr"}],
        subjects=[{"qcode": "https://[x/", "name": "Hafen"}],
    )

    ninjs = to_ninjs(odd)

    assert ninjs["uri"] == "urn:x-newswire:plain"
    picture, earlier, link = ninjs["associations"]
    assert picture["uri"] == "urn:x-newswire:u%20r%20i"
    assert [file["href"] for file in picture["renditions"]] == ["https://wire.example/a%20b/%C3%B6.jpg"]
    assert earlier["uri"] == "urn:x-newswire:old%2F1"
    assert link == {"name": "link-1", "rel": "related", "uri": "urn:x-newswire:%2F%2Fx", "title": "Mehr"}
    assert ninjs["subjects"] == [{"name": "Hafen", "literal": "https://[x/"}]


def test_the_schema_of_this_test_refuses_what_ninjs_does_not_know(ninjs_schema: Draft202012Validator) -> None:
    assert not ninjs_schema.is_valid(to_ninjs(article(FULL)) | {"dateline": {"city": "Rostock"}})
    assert not ninjs_schema.is_valid(to_ninjs(article(FULL)) | {"versionCreated": "yesterday"})
    assert not ninjs_schema.is_valid(to_ninjs(article(FULL)) | {"uri": "plain"})


def test_ninjs_carries_what_the_article_says() -> None:
    ninjs = to_ninjs(article(FULL))

    assert ninjs["uri"] == FULL["uri"]
    assert ninjs["version"] == "3"
    assert ninjs["versionCreated"] == "2025-02-07T12:39:00Z"
    assert ninjs["headlines"] == [{"role": "main", "value": FULL["headline"]}]
    assert [body["contentType"] for body in ninjs["bodies"]] == ["text/html", "text/plain"]
    assert ninjs["subjects"][0] == {
        "name": "Wirtschaft",
        "rel": "about",
        "uri": "http://cv.iptc.org/newscodes/mediatopic/04000000",
        "confidence": 84,
    }
    assert ninjs["subjects"][1] == {"name": "Hafen", "literal": "nw:hafen"}
    carried = set(map(str, texts(ninjs)))
    lost = {str(leaf) for leaf in texts(article(FULL).model_dump(mode="json"))} - carried
    assert {"Rostock", "NW", "Wirtschaft", "Hafen", "https://wire.example/more", "urn:pic:1"} <= carried
    assert not lost & {FULL["summary"], FULL["ed_note"], FULL["byline"], FULL["usage_terms"], "© NW", "NW/K. Kran"}


def test_no_empty_value_is_sent_as_ninjs() -> None:
    assert not [leaf for leaf in texts(to_ninjs(article(MINIMAL))) if leaf in (None, "", [], {})]


def test_our_json_leaves_out_what_is_empty_and_comes_back_equal() -> None:
    data = json.loads(render(article(MINIMAL), Format.ARTICLE, LINK))

    assert set(data) == {"uri", "version", "version_created", "first_created"}
    assert Article.model_validate_json(render(article(FULL), Format.ARTICLE, LINK)) == article(FULL)


def test_a_thin_push_only_says_where_to_look() -> None:
    assert json.loads(render(article(FULL), Format.THIN, LINK)) == {"uri": FULL["uri"], "version": 3, "link": LINK}


@pytest.mark.parametrize("status", ["canceled", "withheld"])
@pytest.mark.parametrize("form", list(Format))
def test_a_kill_names_the_article_and_says_why_and_publishes_nothing_once_more(
    form: Format, status: str, ninjs_schema: Draft202012Validator
) -> None:
    data = json.loads(render(article(FULL, pub_status=status, ed_note="Wrong figures."), form, LINK))

    assert (data["uri"], int(data["version"])) == (FULL["uri"], 3)
    if form is Format.ARTICLE:
        assert set(data) == {
            *("uri", "version", "pub_status", "urgency", "priority", "language", "source", "ed_note"),
            *("first_created", "version_created", "published", "evolved_from"),
        }
        assert (data["pub_status"], data["ed_note"]) == (status, "Wrong figures.")
    elif form is Format.NINJS:
        ninjs_schema.validate(data)
        assert (data["pubStatus"], data["edNote"]) == (status, "Wrong figures.")
        evolved = {"name": "evolvedFrom", "rel": "evolvedFrom", "uri": FULL["evolved_from"], "type": "text"}
        assert data["associations"] == [evolved]
    said = " ".join(map(str, texts(data)))
    for told in ("Hafen", "Werft", "Kurz gefasst", "Jana", "Kran", "p.jpg", "Rostock", "rostock"):
        assert told not in said


@pytest.mark.parametrize("form", list(Format))
def test_the_same_input_gives_the_same_bytes(form: Format) -> None:
    shuffled = dict(reversed(FULL.items()))

    first = build("article.new", WHEN, 7, render(article(FULL), form, LINK))

    assert first == build("article.new", WHEN.astimezone(UTC), 7, render(article(shuffled), form, LINK))


@pytest.mark.parametrize("form", list(Format))
def test_the_body_is_one_json_object_in_utf8(form: Format) -> None:
    body = build("article.corrected", WHEN, 2**53, render(article(FULL), form, LINK))

    message = json.loads(body)
    assert list(message) == ["type", "timestamp", "sequence", "data"]
    assert message["type"] == "article.corrected"
    assert message["timestamp"] == "2025-02-07T12:39:00.000Z"
    assert message["sequence"] == 2**53
    assert message["data"]["uri"] == FULL["uri"]


def test_every_act_has_its_own_event_type() -> None:
    assert set(EVENT_TYPES) == set(Act)
    assert len(set(EVENT_TYPES.values())) == len(Act)


@pytest.mark.parametrize("event_type", ['x","y":"', "", "ä", "a b", "a\n"])
def test_an_event_type_cannot_break_the_body(event_type: str) -> None:
    with pytest.raises(ValueError, match="event type"):
        build(event_type, WHEN, 1, b"{}")


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build("article.new", datetime(2025, 1, 1), 1, b"{}")


def test_custom_headers_go_along_with_those_of_the_standard() -> None:
    sent = headers("msg_1", 1, "v1,x", check_headers({"Authorization": " Bearer abc\t", "X-Tenant": "7"}))

    assert sent == {
        "authorization": "Bearer abc",
        "x-tenant": "7",
        "content-type": "application/json",
        "webhook-id": "msg_1",
        "webhook-timestamp": "1",
        "webhook-signature": "v1,x",
    }


@pytest.mark.parametrize(
    "name",
    [
        "webhook-id",
        "Webhook-Signature",
        "WEBHOOK-TIMESTAMP",
        "webhook-anything",
        "Content-Type",
        "content-length",
        "Host",
        "Transfer-Encoding",
        "Connection",
        "Expect",
        "Upgrade",
        "Proxy-Authorization",
        "User-Agent",
        "Cookie",
    ],
)
def test_a_custom_header_cannot_take_the_place_of_one_of_the_delivery(name: str) -> None:
    with pytest.raises(BadHeader, match="set by the delivery"):
        check_headers({name: "x"})


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        ({"X A": "1"}, "no header name"),
        ({"": "1"}, "no header name"),
        ({"X:": "1"}, "no header name"),
        ({"Ä": "1"}, "no header name"),
        ({"X\r\nY": "1"}, "no header name"),
        ({"X": "a\r\nwebhook-id: b"}, "visible ASCII"),
        ({"X": "a\n"}, "visible ASCII"),
        ({"X": "\x00"}, "visible ASCII"),
        ({"X": "ä"}, "visible ASCII"),
        ({"X": ""}, "visible ASCII"),
        ({"X": "a" * 2_001}, "visible ASCII"),
        ({"X": "1", "x": "2"}, "twice"),
        ({f"X-{n}": "1" for n in range(21)}, "at most 20"),
    ],
)
def test_a_header_that_http_does_not_allow_is_refused(extra: dict[str, str], reason: str) -> None:
    with pytest.raises(BadHeader, match=reason):
        check_headers(extra)
