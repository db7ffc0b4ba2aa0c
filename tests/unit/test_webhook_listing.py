"""Which webhooks a list has and in what order, and a webhook's health in a word."""

from typing import Any

import pytest

from newswire_publisher.webhooks.listing import Asked, Row, Wanted, by_age, summary, take_page, worst_first
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.overview import Condition, condition_of
from newswire_publisher.webhooks.pushes import Counts
from newswire_publisher.webhooks.standings import Standing
from newswire_runtime.problems import Problem


def hook(name: str = "a", **settings: Any) -> Webhook:
    base = {"id": f"wh_{name}", "owner": "north", "created": "2026-01-02T03:04:05Z", "url": f"https://{name}.example/"}
    return Webhook.model_validate(base | settings)


def standing(last: str | None = None, **counts: Any) -> Standing:
    return Standing(Counts(**{"waiting": 0, "in_flight": 0, "last_sequence": 0} | counts), last and {"outcome": last})


@pytest.mark.parametrize(
    ("settings", "stands", "condition"),
    [
        ({"enabled": False}, standing(failing_since_ms=1), Condition.DISABLED),
        ({"verified": False}, standing(), Condition.PENDING),
        ({"url": None}, standing(last_sequence=3), Condition.PULL),
        ({}, standing("retry", failing_since_ms=1, paused_until_ms=9), Condition.FAILING),
        ({}, standing("retry", failing_since_ms=1)._replace(unsigned="no key"), Condition.UNSIGNED),
        ({}, standing("retry", circuit="half-open"), Condition.FAILING),
        ({}, standing("retry", paused_until_ms=9), Condition.PAUSED),
        ({}, standing("retry"), Condition.RETRYING),
        ({}, standing("exhausted"), Condition.RETRYING),
        ({}, standing("delivered"), Condition.OK),
        ({}, standing(last_sequence=1), Condition.OK),
        ({}, standing(), Condition.QUIET),
    ],
)
def test_health_is_the_word_that_its_owner_should_see(
    settings: dict[str, Any], stands: Standing, condition: Condition
) -> None:
    assert condition_of(hook(**settings), stands) is condition


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("north", True),
        ("A.EXAMPLE", True),
        ("wh_a", True),
        ("straße", True),
        ("STRASSE north", True),
        ("north south", False),
        ("", True),
    ],
)
def test_a_search_finds_all_its_words_wherever_they_stand(words: str, is_found: bool) -> None:
    assert Wanted(q=words).takes(hook(description="Der Weg zur Straße")) is is_found


def test_the_worst_come_first_and_among_those_the_longest_failing() -> None:
    rows: list[Row] = [
        (hook("quiet"), standing()),
        (hook("ok"), standing("delivered")),
        (hook("new"), standing("retry", failing_since_ms=9)),
        (hook("old"), standing("retry", failing_since_ms=5)),
        (hook("backlog"), standing("delivered", waiting=4)),
        (hook("off", enabled=False), standing()),
    ]
    found, _ = take_page(rows, worst_first, Asked(order="health"))
    assert [row[0].id for row in found] == ["wh_old", "wh_new", "wh_off", "wh_backlog", "wh_ok", "wh_quiet"]


def test_pages_go_on_where_the_one_before_ended_while_others_are_made() -> None:
    hooks = [hook(name) for name in "bdf"]
    first, cursor = take_page(hooks, by_age, Asked(limit=2))
    second, end = take_page([*hooks, hook("a"), hook("g")], by_age, Asked(limit=5, cursor=cursor))
    assert [each.id for each in first] == ["wh_b", "wh_d"]
    assert ([each.id for each in second], end) == (["wh_f", "wh_g"], None)


@pytest.mark.parametrize("cursor", ["x", "WzFd", "é", "eyJhIjoxfQ"])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        take_page([hook()], by_age, Asked(cursor=cursor))
    assert refused.value.status == 422


def test_a_cursor_of_another_order_is_refused() -> None:
    _, cursor = take_page([hook("a"), hook("b")], by_age, Asked(limit=1))
    rows: list[Row] = [(hook(), standing())]
    with pytest.raises(Problem, match="another order"):
        take_page(rows, worst_first, Asked(order="health", cursor=cursor))


def test_a_summary_counts_every_health_and_owner() -> None:
    rows: list[Row] = [
        (hook("a"), standing("retry", failing_since_ms=1, waiting=3, in_flight=1)),
        (hook("b", owner="south"), standing("delivered", waiting=2)),
        (hook("c", owner="south"), standing("delivered")),
    ]
    found = summary(rows)
    assert {word: count for word, count in found["health"].items() if count} == {"failing": 1, "ok": 2}
    assert set(found["health"]) == set(Condition)
    assert found["owners"] == {"north": 1, "south": 2}
    assert (found["total"], found["waiting"], found["in_flight"]) == (3, 5, 1)
