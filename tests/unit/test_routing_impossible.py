"""Filters that can match nothing are told with the place of the mistake, and no filter that can match is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_publisher.routing import TopicTree, compile_filter, facts_of
from newswire_publisher.routing.impossible import impossible
from newswire_schemas.article import Article, Concept
from newswire_schemas.filters import Filter

IMPOSSIBLE: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
    ({"exclude": {}}, ("exclude",)),
    ({"languages": ["de-AT"], "exclude": {"languages": ["de"]}}, ("exclude",)),
    ({"urgency": 3, "exclude": {"urgency": 5}}, ("exclude",)),
    ({"sections": ["Sport"], "all": [{"languages": ["en"]}], "exclude": {"languages": ["EN"]}}, ("exclude",)),
    ({"sections": ["Sport"], "exclude": {"any": [{"sources": ["x"]}, {"sections": ["sport", "art"]}]}}, ("exclude",)),
    ({"words": ["!!!", "—"]}, ("words",)),
    ({"all": [{"languages": ["de"]}, {"languages": ["en", "fr"]}]}, ("all",)),
    ({"languages": ["de"], "all": [{"all": [{"languages": ["en"]}]}]}, ("all",)),
    ({"all": [{}, {"phrases": ["?"]}]}, ("all", 1, "phrases")),
    ({"any": [{"words": ["?"]}, {"exclude": {}}]}, ("any", 0, "words")),
]

POSSIBLE: list[dict[str, Any]] = [
    {},
    {"exclude": {"languages": ["de"]}},
    {"languages": ["de"], "exclude": {"languages": ["de-AT"]}},
    {"languages": ["de", "en"], "exclude": {"languages": ["de"]}},
    {"urgency": 5, "exclude": {"urgency": 3}},
    {"sections": ["Sport"], "exclude": {"sections": ["sport"], "languages": ["de"]}},
    {"sections": ["Sport"], "exclude": {"sections": ["sport"], "exclude": {"urgency": 1}}},
    {"words": ["!!!", "war"]},
    {"any": [{"words": ["?"]}, {"words": ["war"]}]},
    {"all": [{"languages": ["de", "en"]}, {"languages": ["en-GB"]}]},
    {"all": [{"sections": ["Sport"]}, {"topics": ["t:1"]}]},
]


@pytest.mark.parametrize(("wanted", "path"), IMPOSSIBLE)
def test_a_filter_that_can_match_nothing_is_found(wanted: dict[str, Any], path: tuple[str | int, ...]) -> None:
    found = impossible(Filter.model_validate(wanted))
    assert found is not None
    assert found.path == path


@pytest.mark.parametrize("wanted", POSSIBLE)
def test_a_filter_that_can_match_is_let_through(wanted: dict[str, Any]) -> None:
    assert impossible(Filter.model_validate(wanted)) is None


_values = {
    "languages": st.sampled_from(["de", "de-AT", "en"]),
    "sections": st.sampled_from(["Sport", "Art"]),
    "topics": st.sampled_from(["t:1", "t:2"]),
    "words": st.sampled_from(["war", "?"]),
}
_asks: dict[str, Any] = {name: st.lists(values, max_size=2) for name, values in _values.items()}
_flat = st.fixed_dictionaries({}, optional=_asks | {"urgency": st.integers(1, 9)})
_filters = st.recursive(
    _flat,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "languages": _asks["languages"],
            "all": st.lists(inner, max_size=2),
            "any": st.lists(inner, max_size=2),
            "exclude": inner,
        },
    ),
    max_leaves=5,
)
_articles = st.builds(
    Article,
    uri=st.just("urn:test:1"),
    version=st.just(1),
    version_created=st.just("2025-02-07T12:00:00Z"),
    first_created=st.just("2025-02-07T12:00:00Z"),
    language=st.sampled_from(["de", "de-AT", "en", None]),
    section=st.sampled_from(["Sport", "Art", None]),
    urgency=st.sampled_from([1, 3, 7, None]),
    headline=st.sampled_from(["War and peace", "Peace", None]),
    subjects=st.lists(st.sampled_from(["t:1", "t:2"]).map(lambda code: Concept(qcode=code)), max_size=2),
)


@given(_filters, st.lists(_articles, min_size=1, max_size=20))
def test_no_article_matches_what_is_called_impossible(wanted: dict[str, Any], stories: list[Article]) -> None:
    asked = Filter.model_validate(wanted)
    if impossible(asked) is not None:
        holds, tree = compile_filter(asked), TopicTree({"t:2": "t:1"})
        assert not any(holds(facts_of(story, tree)) for story in stories)
