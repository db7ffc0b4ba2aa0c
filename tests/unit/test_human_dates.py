"""Dates and times as people write them."""

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_runtime.human_dates import find


@pytest.mark.parametrize(
    "text",
    [
        "07 Februar 2025, 15:39", "7 февраля 2025, 15:39", "7 лютага 2025, 15:39", "7 de febrero de 2025 15:39",
        "2025年2月7日 15:39", "7 lutego 2025, 15:39", "7 février 2025 à 15h39", "February 7, 2025 3:39 PM",
        "07.02.2025 15:39", "2025-02-07T15:39:00", "07/02/2025 - 15:39", "15.39 Uhr, 7. Februar 2025",
        "7 лютого 2025 15:39",
    ],
)  # fmt: skip
def test_one_moment_in_many_spellings(text: str) -> None:
    found = find(text)
    assert found is not None
    assert (found.year, found.month, found.day, found.hour, found.minute) == (2025, 2, 7, 15, 39)


@pytest.mark.parametrize(
    "text", ["Alle Nachrichten 12 Uhr", "31 Februar 2025", "Version 3.11.2025.4", "12 Stunden", "", "2:1 (1:0)", "Mai"]
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert find(text) is None


def test_a_day_beyond_twelve_settles_the_order() -> None:
    found = find("2/13/2025")
    assert found is not None
    assert (found.month, found.day) == (2, 13)


def test_midnight_and_noon_of_twelve_hours() -> None:
    for text, hour in (("Feb. 7, 2025 12:05 a.m.", 0), ("Feb. 7, 2025 12:05 PM", 12)):
        found = find(text)
        assert found is not None
        assert found.hour == hour


@pytest.mark.parametrize(
    ("text", "hours"), [("7.2.2025 15:39 (GMT+3)", 3), ("2025-02-07T15:39:00-05:00", -5), ("7 Feb 2025 15:39 UTC", 0)]
)
def test_a_zone_in_the_text_beats_the_given_one(text: str, hours: int) -> None:
    found = find(text)
    assert found is not None
    expected = datetime(2025, 2, 7, 15, 39, tzinfo=UTC) - timedelta(hours=hours)
    assert found.moment(ZoneInfo("Asia/Tokyo")) == expected


def test_the_missing_year_is_the_nearest() -> None:
    found = find("31 Dec")
    assert found is not None
    assert found.near(date(2025, 1, 2)) == date(2024, 12, 31)
    assert found.moment(UTC) is None


@given(st.text(alphabet="0123456789 .:/-年月日FebMaiуюль()+", max_size=200))
def test_any_line_is_read_quickly(text: str) -> None:
    began = time.process_time()
    found = find(text)
    if found is not None:
        found.near(date(2025, 1, 1))
        found.moment(UTC)
    assert time.process_time() - began < 0.05
