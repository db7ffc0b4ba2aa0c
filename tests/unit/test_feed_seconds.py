"""A date tells two states of one second apart only while nobody has seen the first."""

from datetime import UTC, datetime, timedelta

from newswire_publisher.feeds.seconds import GivenSeconds

NOON = datetime(2025, 2, 7, 12, tzinfo=UTC)
LATER = NOON + timedelta(milliseconds=700)


def test_the_second_state_of_a_second_is_noticed_if_the_first_was_given_out() -> None:
    given = GivenSeconds()
    assert not given.shared("/feeds/all.rss", '"a"', NOON)
    assert not given.shared("/feeds/all.rss", '"a"', NOON)
    assert given.shared("/feeds/all.rss", '"b"', LATER)
    assert given.shared("/feeds/all.rss", '"b"', LATER)
    assert not given.shared("/feeds/all.atom", '"b"', LATER)
    assert not given.shared("/feeds/all.rss", '"c"', NOON + timedelta(seconds=1))


def test_memory_is_bounded() -> None:
    given = GivenSeconds(most=2)
    for number in range(10):
        given.shared(f"/{number}", '"a"', NOON)
    assert not given.shared("/0", '"b"', LATER)
    assert given.shared("/9", '"b"', LATER)
