"""Who polls without validators is asked to wait; nobody else is."""

import pytest

from newswire_publisher.feeds.limits import RepeatLimit, client_of

READER, FEED = "192.0.2.1", "all"


def test_so_many_full_answers_are_free_and_then_one_at_a_time() -> None:
    limit = RepeatLimit(6)
    assert limit.wait(READER, FEED, '"a"', 0) == 0
    assert [limit.wait(READER, FEED, '"a"', 0) for _ in range(6)] == [0] * 6
    assert limit.wait(READER, FEED, '"a"', 0) == 10
    assert limit.wait(READER, FEED, '"a"', 7) == 3
    assert limit.wait(READER, FEED, '"a"', 10) == 0
    assert limit.wait(READER, FEED, '"a"', 10) == 10
    assert limit.wait(READER, FEED, '"a"', 700) == 0


def test_a_document_that_has_changed_is_given_all_the_same() -> None:
    limit = RepeatLimit(1)
    assert [limit.wait(READER, FEED, '"a"', 0) for _ in range(3)] == [0, 0, 60]
    assert [limit.wait(READER, FEED, '"b"', 0), limit.wait(READER, FEED, '"b"', 0)] == [0, 60]


def test_each_client_and_each_feed_has_its_own() -> None:
    limit = RepeatLimit(1)
    assert [limit.wait(READER, FEED, '"a"', 0) for _ in range(3)] == [0, 0, 60]
    assert limit.wait("192.0.2.2", FEED, '"a"', 0) == 0
    assert limit.wait(READER, "other", '"a"', 0) == 0


def test_zero_is_no_limit() -> None:
    limit = RepeatLimit(0)
    assert not any(limit.wait(READER, FEED, '"a"', 0) for _ in range(1_000))
    assert len(limit) == 0


def test_memory_is_bounded_and_the_busy_stay_known() -> None:
    limit = RepeatLimit(1, most=10)
    for _ in range(2):
        limit.wait(READER, FEED, '"a"', 0)
    for number in range(100):
        limit.wait(f"192.0.2.{number + 2}", FEED, '"a"', 0)
        assert limit.wait(READER, FEED, '"a"', 0) == 60
    assert len(limit) == 10


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_ipv6_host_is_known_by_its_network(address: str, client: str) -> None:
    assert client_of(address) == client
