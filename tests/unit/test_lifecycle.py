"""The life-cycle's decisions, on sequences that nobody would think of."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newswire_ingest.lifecycle import Accepted, Known, Unchanged, decide, desk_version
from newswire_schemas.article import MAX_VERSION, Article, Draft, PubStatus

START = datetime(2025, 2, 7, tzinfo=UTC)
moments = st.integers(-5, 5).map(lambda minutes: START + timedelta(minutes=minutes))
drafts = st.builds(
    Draft,
    uri=st.just("urn:test:1"),
    version=st.none() | st.integers(1, 5) | st.sampled_from([MAX_VERSION - 1, MAX_VERSION]),
    version_created=st.none() | moments,
    headline=st.sampled_from(["A", "B", "C"]),
    pub_status=st.sampled_from([PubStatus.USABLE] * 4 + [PubStatus.WITHHELD, PubStatus.CANCELED]),
    expires=st.none() | moments,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(drafts | st.sampled_from(PubStatus), moments), max_size=12))
def test_versions_never_go_backwards_and_the_killed_stay_killed(
    steps: list[tuple[Draft | PubStatus, datetime]],
) -> None:
    known: Known | None = None
    for step, now in steps:
        if isinstance(step, Draft):
            decision = decide(step, known, now=now, owner="a", may_change_all=False)
        elif known is not None:
            decision = desk_version(known, step, None, now)
        else:
            continue
        if not isinstance(decision, Accepted):
            continue
        article = Article.model_validate_json(decision.article.model_dump_json())
        assert article == decision.article, "what was accepted keeps to the content model"
        if known is not None:
            assert article.rank > known.rank
            assert known.status is not PubStatus.CANCELED or article.pub_status is PubStatus.CANCELED
        known = Known(
            (known.revision if known else 0) + 1, article.rank, article.pub_status, decision.digest, "a", article
        )
        if isinstance(step, Draft) and article.pub_status is PubStatus.USABLE:
            again = decide(step.model_copy(update={"version": None}), known, now=now, owner="a", may_change_all=False)
            assert isinstance(again, Unchanged)


def test_a_submitted_withhold_keeps_the_story_and_its_embargo_for_the_reinstate() -> None:
    story = Draft(uri="urn:test:1", version=1, headline="A", body_text="B", embargoed_until=START + timedelta(hours=1))
    first = decide(story, None, now=START, owner="a", may_change_all=False)
    assert isinstance(first, Accepted)
    known = Known(1, first.article.rank, PubStatus.USABLE, first.digest, "a", first.article)

    notice = Draft(uri="urn:test:1", version=2, pub_status=PubStatus.WITHHELD)
    withheld = decide(notice, known, now=START, owner="a", may_change_all=False)
    assert isinstance(withheld, Accepted)
    known = Known(2, withheld.article.rank, PubStatus.WITHHELD, withheld.digest, "a", withheld.article)
    back = desk_version(known, PubStatus.USABLE, None, START)

    assert isinstance(back, Accepted)
    assert (back.article.headline, back.article.body_text) == ("A", "B")
    assert back.article.embargoed_until == story.embargoed_until


def test_a_kill_clears_the_embargo_and_still_says_what_it_was_about() -> None:
    story = Draft(uri="urn:test:1", version=1, headline="A", embargoed_until=START + timedelta(hours=1))
    first = decide(story, None, now=START, owner="a", may_change_all=False)
    assert isinstance(first, Accepted)
    known = Known(1, first.article.rank, PubStatus.USABLE, first.digest, "a", first.article)

    killed = decide(
        Draft(uri="urn:test:1", version=2, pub_status=PubStatus.CANCELED),
        known,
        now=START,
        owner="a",
        may_change_all=False,
    )

    assert isinstance(killed, Accepted)
    assert (killed.article.headline, killed.article.embargoed_until) == ("A", None)
