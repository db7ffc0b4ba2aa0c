"""The retry policy is a pure function of the attempt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_publisher.webhooks.retry import (
    DEFAULT_SCHEDULE,
    Delivered,
    Exhausted,
    Gone,
    Policy,
    Retry,
    next_attempt,
)
from newswire_runtime.outcome import Failure, Outcome
from newswire_runtime.retry_after import MAX_PAUSE, retry_after_ms

NOW = 1_750_000_000_000  # 2025-06-15T15:06:40Z
PLAIN = Policy(jitter=0)
SECOND, HOUR = 1_000, 3_600_000


def answered(status: int, retry_after: str | None = None) -> Outcome:
    return Outcome(NOW, 1.0, status=status, retry_after=retry_after)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(status: int) -> None:
    assert next_attempt(1, answered(status), NOW, PLAIN, 0) == Delivered()


@pytest.mark.parametrize("status", [101, 301, 302, 304, 307, 308, 400, 401, 404, 413, 429, 500, 502, 503])
def test_any_other_status_is_tried_again_after_five_seconds(status: int) -> None:
    assert next_attempt(1, answered(status), NOW, PLAIN, 0) == Retry(NOW + 5 * SECOND)


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_is_tried_again(failure: Failure) -> None:
    assert next_attempt(1, Outcome(NOW, 1.0, error=failure), NOW, PLAIN, 0) == Retry(NOW + 5 * SECOND)


def test_gone_disables_the_endpoint_whatever_is_left() -> None:
    assert next_attempt(1, answered(410), NOW, PLAIN, 0) == Gone()
    assert next_attempt(10, answered(410, "60"), NOW, PLAIN, 0) == Gone()


def test_the_default_schedule_is_that_of_standard_webhooks() -> None:
    delays = [next_attempt(made, answered(500), NOW, Policy(jitter=0), 0) for made in range(1, 11)]

    assert [(d.at_ms - NOW) // SECOND if isinstance(d, Retry) else d for d in delays] == [
        5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400, Exhausted(),
    ]  # fmt: skip


def test_an_endpoint_has_its_own_schedule() -> None:
    policy = Policy.from_seconds([0, 1.5])

    assert policy.schedule == (0, 1_500)
    assert isinstance(next_attempt(3, answered(500), NOW, policy, 0.5), Exhausted)


def test_an_empty_schedule_means_one_attempt() -> None:
    assert next_attempt(1, answered(500), NOW, Policy.from_seconds([]), 0) == Exhausted()


def test_no_schedule_means_the_default() -> None:
    assert Policy.from_seconds(None).schedule == DEFAULT_SCHEDULE


@pytest.mark.parametrize("seconds", [[-1], [float("nan")], [float("inf")], [604_801], [1] * 50])
def test_a_schedule_out_of_bounds_is_refused(seconds: list[float]) -> None:
    with pytest.raises(ValueError, match="retry:"):
        Policy.from_seconds(seconds)


@given(made=st.integers(1, 9), random=st.floats(0, 1, exclude_max=True))
def test_jitter_never_comes_early_and_adds_at_most_its_share(made: int, random: float) -> None:
    decision = next_attempt(made, answered(500), NOW, Policy(jitter=0.1), random)

    assert isinstance(decision, Retry)
    delay = DEFAULT_SCHEDULE[made - 1]
    assert delay <= decision.at_ms - NOW <= delay * 1.1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_pauses_the_whole_endpoint(status: int) -> None:
    assert next_attempt(1, answered(status, "120"), NOW, PLAIN, 0) == Retry(NOW + 120 * SECOND, NOW + 120 * SECOND)


def test_a_short_retry_after_does_not_shorten_the_schedule() -> None:
    decision = next_attempt(2, answered(429, "1"), NOW, PLAIN, 0)

    assert decision == Retry(NOW + 300 * SECOND, pause_until_ms=NOW + SECOND)


def test_the_last_attempt_still_pauses_the_endpoint() -> None:
    assert next_attempt(10, answered(503, "60"), NOW, PLAIN, 0) == Exhausted(NOW + 60 * SECOND)


@pytest.mark.parametrize("status", [301, 400, 500, 502])
def test_retry_after_counts_only_where_it_means_overload(status: int) -> None:
    assert next_attempt(1, answered(status, "3600"), NOW, PLAIN, 0) == Retry(NOW + 5 * SECOND)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0),
        ("120", 120 * SECOND),
        (" 7 ", 7 * SECOND),
        ("86400", 24 * HOUR),
        ("86401", 24 * HOUR + SECOND),
        ("2592000", 30 * 24 * HOUR),
        ("2592001", MAX_PAUSE),
        ("9" * 5_000, MAX_PAUSE),
        ("Sun, 15 Jun 2025 15:07:40 GMT", 60 * SECOND),
        ("Sat, 05 Jul 2025 15:06:40 GMT", 20 * 24 * HOUR),
        ("Sunday, 15-Jun-25 15:07:40 GMT", 60 * SECOND),
        ("Sun Jun 15 15:07:40 2025", 60 * SECOND),
        ("Sun, 15 Jun 2025 15:07:40 -0000", 60 * SECOND),
        ("Sun, 15 Jun 2025 15:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_PAUSE),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("2025-06-15T15:07:40Z", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(header: str, wait: int | None) -> None:
    assert retry_after_ms(header, NOW) == wait


@given(st.text(max_size=40))
def test_no_retry_after_breaks_the_decision_or_silences_for_more_than_thirty_days(header: str) -> None:
    decision = next_attempt(1, answered(429, header), NOW, PLAIN, 0)

    assert isinstance(decision, Retry)
    assert NOW < decision.at_ms <= NOW + MAX_PAUSE
