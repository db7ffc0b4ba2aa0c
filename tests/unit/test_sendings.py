"""How an endpoint's pushes went out at a moment, and which of its headers are nobody's to see."""

from datetime import UTC, datetime, timedelta

import pytest

from newswire_publisher.webhooks.sendings import HIDDEN, MOST_EARLIER, Sending, masked, remembered, sending_of

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def sending(number: int) -> Sending:
    """Return the settings of a revision, which ended so many hours after noon."""
    url = f"https://receiver.example/{number}"
    return Sending(until=NOON + timedelta(hours=number), revision=number, url=url)


def after(changes: int) -> tuple[Sending, ...]:
    earlier: tuple[Sending, ...] = ()
    for number in range(1, changes + 1):
        earlier = remembered(earlier, sending(number))
    return earlier


@pytest.mark.parametrize(("hours", "place"), [(0, 1), (0.99, 1), (1, 2), (1.5, 2), (3, 4), (9, 4)])
def test_an_attempt_that_says_no_revision_has_the_settings_of_its_moment(hours: float, place: int) -> None:
    found = sending_of(after(3), sending(4), None, NOON + timedelta(hours=hours))

    assert found == sending(place)


@pytest.mark.parametrize(("revision", "place"), [(1, 1), (2, 2), (3, 3), (4, 4), (7, 4)])
def test_a_revision_counts_whatever_the_clocks_say(revision: int, place: int) -> None:
    assert sending_of(after(3), sending(4), revision, NOON - timedelta(days=1)) == sending(place)


def test_what_is_older_than_the_changes_that_are_kept_is_not_known() -> None:
    earlier = after(MOST_EARLIER + 3)

    assert len(earlier) == MOST_EARLIER
    assert sending_of(earlier, sending(99), 1, NOON) is None
    assert sending_of(earlier, sending(99), earlier[1].revision, NOON) == earlier[1]


def test_no_credential_stays_behind_when_headers_change() -> None:
    ended = Sending(until=NOON, revision=1, headers={"authorization": "Bearer abc", "x-desk": "sport", "x": "y" * 900})

    (kept,) = remembered((), ended)

    assert kept.headers == {"authorization": HIDDEN, "x-desk": "sport", "x": "y" * 200 + "…"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", "x"),
        ("X-Api-Key", "x"),
        ("x-auth-token", "x"),
        ("x-hub-secret", "x"),
        ("x-amz-security-token", "x"),
        ("x-whatever", "Bearer x"),
        ("x-whatever", "basic dXNlcjpwYXNz"),
        ("x-whatever", "sk_live_0123456789abcdefgh"),
        ("x-whatever", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
    ],
)
def test_what_looks_like_a_credential_is_hidden(name: str, value: str) -> None:
    assert masked({name: value}) == {name: HIDDEN}


@pytest.mark.parametrize(
    ("name", "value"), [("x-desk", "sport"), ("x-environment", "staging-2"), ("x-route", "desk one, floor 2, newsroom")]
)
def test_what_looks_like_none_is_shown(name: str, value: str) -> None:
    assert masked({name: value}) == {name: value}
