"""Conditional requests answer 304 exactly where RFC 9110 section 13 says so."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from newswire_publisher.feeds.conditional import none_match_fails, not_modified, parse_http_date
from newswire_publisher.feeds.validators import digest_of, etag_of, last_modified, variant

CHANGED = datetime(1994, 11, 6, 8, 49, 37, 900_000, tzinfo=UTC)
LATER = CHANGED + timedelta(days=9)
TAG = '"abc"'


@pytest.mark.parametrize(
    "header",
    ['"abc"', 'W/"abc"', '"x", "abc"', '"x","abc","y"', ' "x" , W/"abc" ', "*", " * ", ',, "abc",', '"a,b", "abc"'],
)
def test_a_header_that_names_the_etag_or_any_is_answered_with_304(header: str) -> None:
    assert none_match_fails(header, TAG)


@pytest.mark.parametrize(
    "header",
    ["", '"ABC"', "abc", '"abc', 'w/"abc"', '"x"', '"abc" "x"', '"abc", *', '"a\x7f"', '"x"; "abc"', '"a,"abc"'],
)
def test_a_header_that_names_another_etag_or_is_malformed_is_answered_in_full(header: str) -> None:
    assert not none_match_fails(header, TAG)


def test_a_weak_etag_of_ours_compares_as_its_strong_form() -> None:
    assert none_match_fails('"abc"', 'W/"abc"')


def test_if_none_match_decides_and_if_modified_since_is_then_ignored() -> None:
    later = last_modified(CHANGED + timedelta(days=1), LATER)
    assert not not_modified(etag=TAG, modified=CHANGED, if_none_match='"x"', if_modified_since=later)
    assert not_modified(etag=TAG, modified=CHANGED, if_none_match=TAG, if_modified_since="rubbish")


@pytest.mark.parametrize(
    "header",
    ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"],
)
def test_each_form_of_an_http_date_is_read(header: str) -> None:
    assert not_modified(etag=TAG, modified=CHANGED, if_modified_since=header)
    assert not not_modified(etag=TAG, modified=CHANGED + timedelta(seconds=1), if_modified_since=header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "yesterday",
        "Sun, 06 Nov 1994 08:49:37 +0000",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
    ],
)
def test_what_is_no_http_date_asks_nothing(header: str) -> None:
    assert parse_http_date(header, CHANGED) is None
    assert not not_modified(etag=TAG, modified=CHANGED, if_modified_since=header)


def test_a_year_of_two_digits_is_at_most_50_years_ahead() -> None:
    near = datetime(2025, 1, 1, tzinfo=UTC)
    for digits, year in (("25", 2025), ("75", 2075), ("76", 1976), ("99", 1999)):
        found = parse_http_date(f"Sunday, 06-Nov-{digits} 08:49:37 GMT", near)
        assert found is not None
        assert found.year == year


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_reads_are_answered_with_304(method: str) -> None:
    assert not not_modified(etag=TAG, if_none_match=TAG, method=method)


def test_without_conditions_or_a_date_of_ours_the_answer_is_full() -> None:
    assert not not_modified(etag=TAG, modified=CHANGED)
    assert not not_modified(etag=TAG, if_modified_since=last_modified(CHANGED, LATER))


def test_last_modified_is_in_gmt_and_satisfies_itself() -> None:
    local = CHANGED.astimezone(timezone(timedelta(hours=3)))
    assert last_modified(local, LATER) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert not_modified(etag=TAG, modified=local, if_modified_since=last_modified(local, LATER))


def test_last_modified_tells_no_second_that_is_yet_to_come() -> None:
    assert last_modified(CHANGED + timedelta(seconds=1), CHANGED) == last_modified(CHANGED, LATER)


def test_an_etag_is_strong_and_follows_the_head_and_the_parts_in_their_order() -> None:
    a, b = digest_of(b"a"), digest_of(b"b")
    tags = [
        etag_of(b"h", [a, b], 7),
        etag_of(b"h", [b, a], 7),
        etag_of(b"i", [a, b], 7),
        etag_of(b"h", [a], 7),
        etag_of(b"ha", [b], 7),
        etag_of(b"h", [a, b], 8),
    ]
    assert len(set(tags)) == len(tags)
    assert tags[0] == etag_of(b"h", [a, b], 7)
    assert tags[0].startswith('"')
    assert none_match_fails(tags[0], tags[0])


def test_a_compressed_document_has_an_etag_of_its_own() -> None:
    assert variant(TAG, "gzip") == '"abc-gzip"'
    assert not none_match_fails(variant(TAG, "gzip"), TAG)
