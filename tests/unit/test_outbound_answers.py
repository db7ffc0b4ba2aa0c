"""Reading answers: whatever comes, in whatever pieces, there is one answer, or it is no HTTP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newswire_runtime.outbound_answers import (
    MAX_EXCERPT,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_RAW,
    MOST_HEADERS,
    Answer,
    AnswerReader,
    BrokenAnswer,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
IN_CHUNKS = ((b"Transfer-Encoding", b"chunked"),)


def read(*parts: bytes) -> Answer | None:
    reader = AnswerReader()
    for part in parts:
        answer = reader.feed(part)
        if answer is not None:
            return answer
    return None


def ended(*parts: bytes) -> Answer | None:
    """Return what is known when the peer ends the connection after these parts."""
    reader = AnswerReader()
    for part in parts:
        if reader.feed(part) is not None:
            raise AssertionError("the answer was complete before its end")
    return reader.end(by_peer=True)


ANSWERS = [
    OK,
    b"HTTP/1.1 204 No Content\r\nRetry-After: 3\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\nRetry-After: 9\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
    b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\nabc",
    CHUNKED + b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: a\r\n\r\n",
    b"HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbusy",
]


@given(st.sampled_from(ANSWERS), st.lists(st.integers(1, 60), max_size=8))
def test_an_answer_is_the_same_in_whatever_pieces_it_comes(said: bytes, sizes: list[int]) -> None:
    parts, rest = [], said
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]

    assert read(*filter(None, [*parts, rest])) == read(said) is not None


def test_the_headers_of_a_1xx_are_not_the_answers() -> None:
    answer = read(ANSWERS[2])

    assert answer == Answer(
        200, None, None, b"ok", truncated=False, reusable=True, headers=((b"Content-Length", b"2"),)
    )


def test_chunks_are_joined_and_trailers_are_nothing() -> None:
    answer = read(CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\nRetry-After: 5\r\n\r\n")

    assert answer == Answer(200, None, None, b"abcde", truncated=False, reusable=True, headers=IN_CHUNKS)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\n\r\n",
        OK + b"\x00\x01",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\nhello",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ],
    ids=["close", "1.0", "a second answer", "garbage", "204 length", "204 chunked", "204 body", "101", "bare 101"],
)
def test_after_what_is_more_or_less_than_one_answer_the_connection_cannot_be_used_again(said: bytes) -> None:
    answer = read(said)

    assert answer is not None
    assert not answer.reusable


def test_a_body_without_length_is_whole_when_the_peer_ends_the_connection() -> None:
    assert ended(b"HTTP/1.1 200 OK\r\n\r\nabc") == Answer(200, None, None, b"abc", truncated=False, reusable=False)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CHUNKED + b"9\r\nabc"])
def test_a_body_that_ends_early_is_truncated(head: bytes) -> None:
    answer = ended(head)

    assert answer is not None
    assert answer[:6] == (200, None, None, b"abc", True, False)


def test_without_a_status_nothing_is_known() -> None:
    assert ended(b"HTTP/1.1 200 OK\r\nContent-") is None


def test_what_breaks_after_the_status_leaves_the_status_standing() -> None:
    answer = read(CHUNKED + b"2\r\nok\r\nzz\r\n")

    assert answer == Answer(200, None, None, b"ok", truncated=True, reusable=False, headers=IN_CHUNKS)


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 200 OK\r\nX: " + b"a" * MAX_HEAD + b"\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\n"] + [b"X: " + b"a" * 1_000 + b"\r\n"] * 70,
        [b"HTTP/1.1 200 OK\r\nX: "] + [b"a" * 10_000] * 7,
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 3_000,
    ],
    ids=["at once", "many", "one in pieces", "1xx"],
)
def test_a_head_over_64_kilobytes_is_no_answer(parts: list[bytes]) -> None:
    with pytest.raises(BrokenAnswer):
        read(*parts)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nBad Header: 1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_in_two_ways_is_no_answer(said: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        read(said)


def test_an_excerpt_of_chunks_of_one_byte_is_bounded() -> None:
    answer = read(CHUNKED, *[b"1\r\na\r\n" * 1_000] * 20)

    assert answer == Answer(200, None, None, b"a" * MAX_EXCERPT, truncated=True, reusable=False, headers=IN_CHUNKS)


def test_trailers_without_end_are_cut() -> None:
    answer = read(CHUNKED, b"0\r\n", *[b"X: " + b"a" * 1_000 + b"\r\n"] * (MAX_RAW // 1_000 + 2))

    assert answer is not None
    assert not answer.reusable


def test_a_header_that_is_not_ascii_is_read_byte_by_byte() -> None:
    answer = read(b"HTTP/1.1 503 No\r\nRetry-After: \xff7\r\nContent-Length: 0\r\n\r\n")

    assert answer is not None
    assert answer.retry_after == "\xff7"


def test_headers_are_kept_as_they_came_those_that_come_twice_too() -> None:
    answer = read(b"HTTP/1.1 503 No\r\nVia: a\r\nX-Odd: \xff;,=\r\nVIA: b\r\nX-None:\r\nContent-Length: 0\r\n\r\n")

    assert answer is not None
    assert answer.headers == (
        *((b"Via", b"a"), (b"X-Odd", b"\xff;,="), (b"VIA", b"b"), (b"X-None", b"")),
        (b"Content-Length", b"0"),
    )


@pytest.mark.parametrize(
    "lines",
    [[b"X: " + b"a" * 60_000], [b"X:"] * 10_000, [b"X" * 30_000 + b": a"] * 2],
    ids=["a long value", "many", "long names"],
)
def test_headers_without_end_are_kept_to_a_bound(lines: list[bytes]) -> None:
    answer = read(b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"Content-Length: 0", b"", b""]))

    assert answer is not None
    assert 1 <= len(answer.headers) <= MOST_HEADERS
    assert sum(len(name) + len(value) for name, value in answer.headers[:-1]) < MAX_HEADERS


@given(st.binary(max_size=200))
def test_whatever_bytes_come_there_is_an_answer_or_there_is_none(said: bytes) -> None:
    reader = AnswerReader()
    try:
        answer = reader.feed(said) or reader.end(by_peer=True)
    except BrokenAnswer:
        answer = None

    assert answer is None or 101 <= answer.status <= 999
