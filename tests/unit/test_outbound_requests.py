"""The bytes of requests: nothing that a caller gives can become another header or request."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from newswire_runtime import outbound_requests
from newswire_runtime.outbound_requests import Body, start_of

START = start_of("POST", URL("http://hook.example:8080/a?b=c"))


def request(start: bytes, headers: Mapping[str, str], body: Body | None, user_agent: str) -> bytes:
    return b"".join(outbound_requests.request(start, headers, body, user_agent))


def lines(head: bytes) -> list[bytes]:
    return head.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_a_request_has_its_line_its_host_and_its_length() -> None:
    said = request(START, {"webhook-id": "m1"}, b"{}", "newswire")

    assert lines(said) == [
        b"POST /a?b=c HTTP/1.1",
        b"Host: hook.example:8080",
        b"User-Agent: newswire",
        b"Accept: */*",
        b"Accept-Encoding: identity",
        b"webhook-id: m1",
        b"Content-Length: 2",
    ]
    assert said.endswith(b"\r\n\r\n{}")


def test_a_request_without_body_has_no_length_and_an_empty_body_has() -> None:
    assert b"content-length" not in request(START, {}, None, "newswire").lower()
    assert b"Content-Length: 0\r\n\r\n" in request(START, {}, b"", "newswire")


def test_a_body_in_parts_is_sent_as_if_it_were_in_one_piece() -> None:
    assert request(START, {}, (b"ab", b"", b"c"), "newswire") == request(START, {}, b"abc", "newswire")


def test_a_callers_header_takes_the_place_of_ours() -> None:
    said = request(START, {"USER-AGENT": "other", "accept": "a/b"}, b"", "newswire").lower()

    assert said.count(b"user-agent:") == said.count(b"accept:") == 1
    assert b"user-agent: other\r\n" in said


def test_a_percent_sign_is_a_character() -> None:
    said = request(START, {"x%s": "%d%s"}, b"", "100 %s")

    assert b"x%s: %d%s\r\n" in said
    assert b"User-Agent: 100 %s\r\n" in said


@pytest.mark.parametrize(
    "value", ["a\r\nX: b", "a\nX: b", "a\rb", "\r\n", "a\x00b", "a\x7f", "é", "a\u2028b", "\r\n\r\nGET /"]
)
def test_a_value_with_a_line_break_or_control_character_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="value"):
        request(START, {"x": value}, b"", "newswire")


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "é", "a\x00"])
def test_what_is_no_header_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        request(START, {name: "v"}, b"", "newswire")


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "CONNECTION", "expect", "te"])
def test_what_frames_the_message_is_set_by_the_client_only(name: str) -> None:
    with pytest.raises(ValueError, match="itself"):
        request(START, {name: "1"}, b"", "newswire")


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4))
def test_a_request_has_the_lines_it_should_have_or_is_refused(headers: dict[str, str]) -> None:
    try:
        said = request(START, headers, b"", "newswire")
    except ValueError:
        return
    names = {name.lower() for name in headers}
    ours = len({"user-agent", "accept", "accept-encoding"} - names)

    assert len(lines(said)) == 2 + ours + len(headers) + 1
    assert said.count(b"\n") == said.count(b"\r") == said.count(b"\r\n")


@pytest.mark.parametrize(
    ("url", "start"),
    [
        ("http://hook.example", b"GET / HTTP/1.1\r\nHost: hook.example\r\n"),
        ("https://hook.example:443/a b", b"GET /a%20b HTTP/1.1\r\nHost: hook.example\r\n"),
        (
            "http://\u00e4.example/\u00fc?q=\u00fc",
            b"GET /%C3%BC?q=%C3%BC HTTP/1.1\r\nHost: xn--4ca.example\r\n",
        ),
        ("http://[2001:db8::1]:81/", b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:81\r\n"),
        ("http://hook.example/%0d%0aX:%20y", b"GET /%0D%0AX:%20y HTTP/1.1\r\nHost: hook.example\r\n"),
    ],
)
def test_the_first_lines_say_what_the_url_says(url: str, start: bytes) -> None:
    assert start_of("GET", URL(url)) == start
