"""ninjs 1.x, 2.x, 3.x and Superdesk's dialect."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from newswire_ingest.formats import ninjs
from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput
from newswire_schemas.article import Draft, PubStatus

CONTEXT = ParseContext(source="desk", now=datetime(2025, 11, 12, 12, tzinfo=UTC))
TIME = datetime(2025, 11, 12, 8, tzinfo=UTC)


def read(context: ParseContext = CONTEXT, /, **item: Any) -> Draft:
    return ninjs.parse(json.dumps({"uri": "urn:x:1"} | item).encode(), context)[0]


def pointers(**item: Any) -> set[str]:
    with pytest.raises(MalformedInput) as caught:
        read(**item)
    return {each.pointer for each in caught.value.errors}


V1 = {
    "uri": "urn:x:1", "version": "3", "type": "text", "versioncreated": "2025-11-12T08:00:00Z", "pubstatus": "usable",
    "headline": "Title", "byline": "Ana", "body_text": "Text", "body_html": "<p>Text</p>", "ednote": "Note",
    "description_text": "Short", "usageterms": "Free", "copyrightholder": "N", "embargoed": "2025-11-13T08:00:00+01:00",
    "subject": [{"name": "politics", "scheme": "http://cv.iptc.org/newscodes/mediatopic/", "code": "11000000"}],
    "place": [{"name": "Riga"}], "person": [{"name": "P"}], "organisation": [{"name": "O"}], "genre": [{"name": "G"}],
    "associations": {"main": {"uri": "urn:p", "type": "picture", "headline": "Pic", "byline": "Foto", "renditions": {
        "big": {"href": "https://x.example/a.jpg", "mimetype": "image/jpeg", "width": 10, "height": 5}}}},
}  # fmt: skip
V3 = {
    "uri": "urn:x:1", "version": "3", "type": "text", "versionCreated": "2025-11-12T08:00:00Z", "pubStatus": "usable",
    "headlines": [{"role": "main", "value": "Title"}], "by": "Ana", "edNote": "Note",
    "bodies": [{"role": "main", "contentType": "text/plain", "value": "Text"},
               {"role": "main", "contentType": "text/html", "value": "<p>Text</p>"}],
    "descriptions": [{"value": "Short"}], "usageTerms": "Free", "copyrightHolder": "N",
    "embargoedUntil": "2025-11-13T08:00:00+01:00",
    "subjects": [{"name": "politics", "uri": "http://cv.iptc.org/newscodes/mediatopic/11000000"}],
    "places": [{"name": "Riga"}], "people": [{"name": "P"}], "organisations": [{"name": "O"}],
    "genres": [{"name": "G"}],
    "associations": [{"name": "main", "uri": "urn:p", "type": "picture", "headlines": [{"value": "Pic"}], "by": "Foto",
        "renditions": [{"name": "big", "href": "https://x.example/a.jpg", "contentType": "image/jpeg", "width": 10,
                        "height": 5}]}],
}  # fmt: skip
V2 = {key.lower(): value for key, value in V3.items()} | {
    "embargoed": V3["embargoedUntil"],
    "bodies": [
        {"role": "main", "contenttype": "text/plain", "value": "Text"},
        {"role": "main", "contenttype": "text/html", "value": "<p>Text</p>"},
    ],
}
V2.pop("embargoeduntil")
V2["associations"] = json.loads(json.dumps(V3["associations"]).replace("contentType", "contenttype"))
SUPERDESK = {key: value for key, value in V1.items() if key != "uri"} | {"guid": "urn:x:1", "version": 3}


@pytest.mark.parametrize("item", [V1, V2, V3, SUPERDESK], ids=["1.x", "2.x", "3.x", "superdesk"])
def test_every_version_gives_the_same_article(item: dict[str, Any]) -> None:
    draft = ninjs.parse(json.dumps(item).encode(), CONTEXT)[0]
    picture = draft.associations[0]
    assert (draft.uri, draft.version, draft.version_created) == ("urn:x:1", 3, TIME)
    assert (draft.headline, draft.byline, draft.ed_note, draft.summary) == ("Title", "Ana", "Note", "Short")
    assert (draft.body_text, draft.body_html) == ("Text", "<p>Text</p>")
    assert (draft.usage_terms, draft.copyright_holder) == ("Free", "N")
    assert draft.embargoed_until == datetime(2025, 11, 13, 7, tzinfo=UTC)
    assert [s.qcode for s in draft.subjects] == ["medtop:11000000"]
    concepts = (draft.places, draft.people, draft.organisations, draft.genres)
    assert [each[0].name for each in concepts] == ["Riga", "P", "O", "G"]
    assert (picture.name, picture.uri, picture.headline, picture.credit) == ("main", "urn:p", "Pic", "Foto")
    assert (picture.renditions[0].href, picture.renditions[0].width) == ("https://x.example/a.jpg", 10)
    assert draft.extras["type"] == "text"


def test_what_has_no_field_is_kept_under_its_name() -> None:
    draft = read(
        profile="text-only",
        altids={"a": "b"},
        firstpublished="2025-01-01T00:00:00Z",
        body_teaser="T",
        subject=[{"name": "a", "relevance": 90}, {"name": "b"}],
        headlines=[{"value": "Main"}, {"role": "mobile", "value": "M"}],
    )
    assert draft.extras["profile"] == "text-only"
    assert draft.extras["altids"] == {"a": "b"}
    assert draft.extras["subject"] == [{"relevance": 90}, {}]
    assert draft.extras["headlines"] == [{"role": "mobile", "value": "M"}]
    assert draft.headline == "Main"
    assert "firstpublished" in draft.extras


def test_a_second_spelling_of_a_field_is_kept_too() -> None:
    draft = read(byline="Ana", by="Eva")
    assert (draft.byline, draft.extras["by"]) == ("Ana", "Eva")


def test_a_guid_beside_a_uri_is_kept() -> None:
    assert read(guid="urn:other").extras["guid"] == "urn:other"


def test_empty_values_say_nothing() -> None:
    draft = read(copyrightholder="", subject=[], language=None, extra={})
    assert draft.copyright_holder is None
    assert not draft.extras


@pytest.mark.parametrize(
    ("concept", "qcode"),
    [
        ({"code": "01000000"}, "medtop:01000000"),
        ({"code": "20000337"}, "medtop:20000337"),
        ({"code": "06011000"}, "subj:06011000"),
        ({"uri": "http://www.wikidata.org/entity/Q1"}, "wd:Q1"),
        ({"uri": "http://cv.iptc.org/newscodes/genre/Current"}, "genre:Current"),
        ({"uri": "https://x.example/t/1"}, "https://x.example/t/1"),
        ({"scheme": "local", "code": "9"}, "local:9"),
        ({"literal": "abc"}, "abc"),
    ],
)
def test_identifiers_become_qcodes_where_the_scheme_is_known(concept: dict[str, str], qcode: str) -> None:
    assert read(subject=[{"name": "x"} | concept]).subjects[0].qcode == qcode


def test_confidence_is_a_fraction_here() -> None:
    assert read(subjects=[{"name": "x", "confidence": 85}]).subjects[0].confidence == 0.85


def test_canceled_is_a_kill_in_any_spelling() -> None:
    for status in ("canceled", "cancelled", "Canceled", "stat:canceled"):
        assert read(pubstatus=status).pub_status is PubStatus.CANCELED


def test_a_source_and_a_section_come_from_their_lists() -> None:
    draft = read(infoSources=[{"name": "Nordlicht"}], service=[{"name": "Sport", "code": "s"}])
    assert (draft.source, draft.section) == ("Nordlicht", "Sport")
    assert draft.extras == {"service": [{"name": "Sport", "code": "s"}]}


def test_html_descriptions_become_a_summary_of_text() -> None:
    assert read(description_html="<p>a &amp; b</p>").summary == "a & b"


def test_a_picture_item_is_its_own_media_object() -> None:
    draft = read(type="picture", renditions={"o": {"href": "https://x.example/a.jpg"}})
    assert draft.associations[0].renditions[0].href == "https://x.example/a.jpg"


def test_every_wrong_value_has_its_pointer() -> None:
    assert pointers(urgency=12, subject=[{"name": "a"}, {"name": 3}], place=4) == {
        "/urgency",
        "/subject/1/name",
        "/place",
    }
    assert pointers(headlines=[{"value": "ok"}], bodies=[5]) == {"/bodies/0"}
    assert pointers(versionCreated="yesterday", pubStatus="gone") == {"/versionCreated", "/pubStatus"}
    assert pointers(associations={"a": {"renditions": {"o": {"href": 4}}}}) == {"/associations/0/renditions/0/href"}


def test_an_item_in_a_list_has_its_index_in_the_pointer() -> None:
    with pytest.raises(MalformedInput) as caught:
        ninjs.parse(json.dumps([{"uri": "urn:u"}, {"uri": "urn:v", "version": "x"}]).encode(), CONTEXT)
    assert caught.value.pointer == "/1/version"


def test_an_item_without_identity_is_refused() -> None:
    with pytest.raises(MalformedInput) as caught:
        ninjs.parse(b'{"headline": "x"}', CONTEXT)
    assert caught.value.pointer == "/uri"


def test_a_time_without_zone_is_the_sources_or_utc_with_a_warning() -> None:
    minsk = ParseContext(source="desk", now=CONTEXT.now, defaults={"timezone": "Europe/Minsk"})
    local = read(minsk, versioncreated="2025-11-12T11:00:00")
    assert (local.version_created, local.warnings) == (TIME, ())
    guessed = read(versioncreated="2025-11-12T08:00:00")
    assert guessed.version_created == TIME
    assert [w.code for w in guessed.warnings] == ["time-zone-missing"]


def test_an_embargo_without_zone_is_never_guessed() -> None:
    assert pointers(embargoed="2025-11-12T08:00:00") == {"/embargoed"}
