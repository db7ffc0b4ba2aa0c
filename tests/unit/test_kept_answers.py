"""What is kept of an answer: text that can be shown anywhere, within its bounds, whatever came."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_publisher.webhooks.kept_answers import (
    MAX_FAILED,
    MAX_HEADERS,
    MAX_THANKS,
    MAX_VALUE,
    headers_of,
    kept,
    listed,
    taken,
)
from newswire_runtime.outcome import Outcome

PAGE = ("<p class='error'>Fehler in Zeile 42: kein Zugriff auf «agentur»</p>\n" * 300).encode()[:MAX_FAILED]


def failure(body: bytes, content_type: str | None = None, *, truncated: bool = False) -> Outcome:
    return Outcome(0, 1.0, 500, content_type=content_type, excerpt=body, truncated=truncated)


@given(st.binary(max_size=MAX_FAILED), st.booleans(), st.sampled_from([200, 500]))
def test_whatever_comes_is_kept_as_text_within_its_bound(body: bytes, truncated: bool, status: int) -> None:
    record = json.loads(json.dumps(kept(Outcome(0, 1.0, status, excerpt=body, truncated=truncated))))

    answer = taken(record)
    assert len(answer.body.encode()) <= MAX_FAILED
    assert status == 500 or len(answer.body) <= MAX_THANKS
    assert all(char in "\t\n\r" or char.isprintable() or ord(char) > 0xA0 or char == "\xa0" for char in answer.body)
    assert answer.truncated >= truncated


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8_000))
def test_a_text_that_fits_comes_back_as_it_was(text: str) -> None:
    fits = len(text.encode()) <= MAX_FAILED

    answer = taken(kept(failure(text.encode())))

    assert (answer.body == text, answer.truncated) == (fits, not fits)


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=40), st.binary(max_size=2_000)), max_size=60))
def test_headers_stay_within_their_bound_whatever_comes(headers: list[tuple[bytes, bytes]]) -> None:
    found, cut = headers_of(tuple(headers))

    assert sum(len(name.encode()) + len(value.encode()) for name, value in found.items()) <= MAX_HEADERS
    assert all(len(value) <= MAX_VALUE + 1 for value in found.values())
    assert cut or {name.decode("latin-1").lower() for name, _ in headers} == set(found)


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Нет".encode("windows-1251"), "text/html; charset=windows-1251", "Нет"),
        ("拒否".encode("shift_jis"), 'text/plain; Charset="Shift_JIS"; x=y', "拒否"),
        ("Schluß".encode("latin-1"), "text/plain; charset=iso-8859-1", "Schluß"),
        ("Schluß".encode(), "text/plain; charset=iso-8859-12", "Schluß"),
        (b"\\u0041", "text/plain; charset=unicode_escape", "\\u0041"),
        ("Schluß".encode("latin-1"), None, "Schlu\ufffd"),
    ],
)
def test_a_body_is_read_by_the_charset_that_it_names_if_that_is_one(
    body: bytes, content_type: str | None, text: str
) -> None:
    assert taken(kept(failure(body, content_type))).body == text


@pytest.mark.parametrize("text", ["жжж", "拒拒拒", "😀😀😀"])
def test_a_body_that_was_cut_inside_a_character_ends_before_it(text: str) -> None:
    answer = taken(kept(failure(text.encode()[:-1], truncated=True)))

    assert (answer.body, answer.truncated) == (text[:-1], True)


def test_what_ends_inside_a_character_by_itself_is_told() -> None:
    assert taken(kept(failure("ж".encode()[:1]))).body == "\ufffd"


def test_a_long_page_takes_a_fraction_of_its_size() -> None:
    record = kept(failure(PAGE))

    assert len(json.dumps(record)) < len(PAGE) / 5
    assert taken(record).body.encode() == PAGE


def test_a_list_has_the_start_of_a_long_body_and_no_headers() -> None:
    record = kept(Outcome(0, 1.0, 500, excerpt=PAGE, headers=((b"A", b"b"),)))

    assert listed({"status": 500, **record}) == {
        "status": 500,
        "response": PAGE.decode()[:MAX_THANKS],
        "truncated": True,
    }


def test_a_short_answer_is_the_same_in_a_list() -> None:
    assert listed(kept(failure(b"no"))) == {"response": b"no".decode()}


def test_bytes_of_a_header_that_are_no_utf_8_are_latin_1() -> None:
    assert headers_of(((b"X-Ort", b"K\xf6ln"), (b"x-ort", "Łódź".encode()))) == ({"x-ort": "Köln, Łódź"}, False)


def test_no_cookies_value_is_kept_however_many_there_are() -> None:
    found, cut = headers_of(((b"Set-Cookie", b"a=secret"), (b"SET-COOKIE", b"b=secret" * 900)))

    assert (found, cut) == ({"set-cookie": "(left out)"}, False)


def test_a_header_that_does_not_fit_leaves_room_for_those_that_do() -> None:
    many = tuple((b"a%d" % number, b"x" * 900) for number in range(5))

    found, cut = headers_of((*many, (b"z", b"fits")))

    assert (list(found), cut) == (["a0", "a1", "a2", "a3", "z"], True)
