"""URIs from what sources send: by the grammar of RFC 3986, and nothing is lost on the way."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc3986_validator import validate_rfc3986

from newswire_schemas.uris import name_of, uri_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NEAR = st.builds("".join, st.tuples(st.sampled_from(["http:", "https://", "urn:", "//", ""]), st.text("a1[]:@/?#% ü")))


@pytest.mark.parametrize(
    "uri",
    [
        "urn:newsml:wire.example:20250207:1",
        "tag:wire.example,2025:1",
        "https://user:p%20w@wire.example:8080/a;b=c/d(e)?f=[g]#h".replace("[g]", "g"),
        "http://[2001:db8::1]:80/",
        "mailto:desk@wire.example",
        "https://wire.example?a=b/c",
    ],
)
def test_a_uri_is_left_as_it_is(uri: str) -> None:
    assert uri_of(uri) == uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("https://wire.example/a b.jpg", "https://wire.example/a%20b.jpg"),
        ("https://wire.example/Köln?ö=ü#ß", "https://wire.example/K%C3%B6ln?%C3%B6=%C3%BC#%C3%9F"),
        ("https://wire.example/100%/[1]#a#b", "https://wire.example/100%25/%5B1%5D#a%23b"),
        ("https://käse.example/", "https://k%C3%A4se.example/"),
    ],
)
def test_what_a_uri_cannot_have_is_percent_encoded(text: str, uri: str) -> None:
    assert uri_of(text) == uri


@pytest.mark.parametrize(
    "text", ["", "plain", "not a url", "//wire.example/a", "/a", "http:", "http://[::1/", "https://a:b:c/", "1a:b"]
)
def test_what_has_no_scheme_or_a_broken_host_is_no_uri(text: str) -> None:
    assert uri_of(text) is None


@given(TEXTS | NEAR)
def test_whatever_the_text_its_name_is_a_uri_by_the_grammar(text: str) -> None:
    assert validate_rfc3986(name_of(text), rule="URI")
    assert uri_of(name_of(text)) == name_of(text)


@given(TEXTS)
def test_a_name_that_is_no_uri_can_be_read_back(text: str) -> None:
    if uri_of(text) is None:
        assert unquote(name_of(text).removeprefix("urn:x-newswire:")) == text
