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
