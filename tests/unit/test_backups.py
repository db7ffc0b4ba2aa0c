"""How far webhooks' numbers leap when a backup is restored."""

from datetime import UTC, datetime, timedelta

import pytest

from newswire_publisher.api.backups import numbers_ahead

MADE = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "leap"),
    [
        (timedelta(0), 1_000_000),
        (timedelta(seconds=1_000), 1_000_000),
        (timedelta(seconds=1_001), 2_000_000),
        (timedelta(days=1), 87_000_000),
        (timedelta(days=365), 31_536_000_000),
    ],
)
def test_a_log_leaps_further_than_a_thousand_entries_a_second_could_have_taken_it(age: timedelta, leap: int) -> None:
    assert numbers_ahead(MADE, MADE + age) == leap
    assert leap >= age.total_seconds() * 1_000


def test_a_backup_from_a_clock_that_goes_before_ours_leaps_too() -> None:
    assert numbers_ahead(MADE, MADE - timedelta(minutes=10)) == 1_000_000
