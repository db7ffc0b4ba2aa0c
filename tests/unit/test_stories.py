"""The shipped sample stories."""

import json
from datetime import UTC, datetime, timedelta

from newswire_cli.stories import load
from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.registry import parse
from newswire_schemas.article import Draft, PubStatus

NOW = datetime(2025, 11, 12, 15, tzinfo=UTC)


def drafts(now: datetime = NOW) -> list[Draft]:
    context = ParseContext(source="demo", now=now)
    return [parse(s.body, context=context, content_type=s.content_type)[1][0] for s in load(now)]


def test_there_is_a_dozen_in_many_languages_and_formats() -> None:
    stories = load(NOW)
    assert len(stories) >= 12
    assert {s.content_type.partition(";")[0] for s in stories} == {
        "application/json",
        "application/ninjs+json",
        "text/plain",
    }
    assert {d.language for d in drafts()} >= {"de", "en", "ru", "be", "es", "zh", "pl"}


def test_one_is_corrected_one_is_killed_and_one_is_embargoed() -> None:
    seen: dict[str, Draft] = {}
    acts = []
    for draft in drafts():
        assert draft.uri
        if draft.uri in seen:
            assert (draft.version or 0) > (seen[draft.uri].version or 0)
            assert draft.ed_note
            acts.append(draft.pub_status)
        seen[draft.uri] = draft
    assert sorted(acts) == [PubStatus.CANCELED, PubStatus.USABLE]
    assert [d.embargoed_until for d in drafts() if d.embargoed_until] == [NOW + timedelta(seconds=6)]


def test_a_second_load_has_the_same_identities_versions_and_times() -> None:
    def identity(draft: Draft) -> object:
        return draft.model_dump(exclude={"embargoed_until"})

    assert [identity(d) for d in drafts()] == [identity(d) for d in drafts(NOW + timedelta(days=3))]


def test_the_copied_page_is_free_of_its_chrome() -> None:
    page = next(d for s, d in zip(load(NOW), drafts(), strict=True) if s.content_type.startswith("text/plain"))
    assert page.headline == "Une ligne de tramway relie de nouveau le port au centre-ville"
    assert page.section == "Régions"
    assert len((page.body_text or "").split("\n\n")) == 4
    assert "Suivez-nous" not in (page.body_text or "")
    assert not page.warnings


def test_no_draft_warns_and_all_subjects_are_media_topics() -> None:
    for draft in drafts():
        assert not draft.warnings
        assert all((subject.qcode or "").startswith("medtop:") for subject in draft.subjects)


def test_json_stories_are_valid_json_as_sent() -> None:
    for story in load(NOW):
        if story.content_type.endswith("json"):
            json.loads(story.body)
