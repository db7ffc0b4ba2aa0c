"""One document, several representations, each under its own tag."""

import gzip

import brotli
import pytest

from newswire_publisher.feeds.codings import Piece, Wanted, shrink
from newswire_publisher.feeds.representations import Representations

TEXT = b"<item>The ferry is back.</item>" * 30
GZIP, BROWSER, PLAIN, NOTHING = map(Wanted, ("gzip", "gzip, deflate, br, zstd", None, "*;q=0"))


@pytest.fixture
def made() -> Representations:
    return Representations('"d-7"', [Piece(b"<rss>"), Piece(TEXT), Piece(b"</rss>")])


WHOLE = b"<rss>" + TEXT + b"</rss>"


def test_gzip_is_there_at_once_and_a_smaller_one_takes_its_place(made: Representations) -> None:
    first = made.ready(GZIP)
    assert first is not None
    assert gzip.decompress(first.body) == WHOLE
    assert made.ready(GZIP) is first
    assert made.missing(GZIP) == "gzip"
    made.add("gzip", shrink(made.body, "gzip"))
    second = made.ready(GZIP)
    assert second is not None
    assert gzip.decompress(second.body) == WHOLE
    assert len(second.body) < len(first.body)
    assert made.missing(GZIP) is None
    assert len({made.etag, first.etag, second.etag}) == 3


def test_a_client_gets_the_best_of_what_is_ready(made: Representations) -> None:
    assert made.missing(BROWSER) == "zstd"
    ready = made.ready(BROWSER)
    assert ready is not None
    assert ready.coding == "gzip"
    made.add("br", shrink(made.body, "br"))
    ready = made.ready(BROWSER)
    assert ready is not None
    assert brotli.decompress(ready.body) == WHOLE
    plain = made.ready(PLAIN)
    assert plain is not None
    assert (plain.coding, plain.body, plain.etag) == ("identity", WHOLE, '"d-7"')
    assert (made.missing(PLAIN), made.missing(NOTHING), made.ready(NOTHING)) == (None, None, None)


def test_who_has_any_representation_that_it_takes_has_the_document(made: Representations) -> None:
    joined = made.ready(GZIP)
    assert joined is not None
    made.add("gzip", shrink(made.body, "gzip"))
    small = made.ready(GZIP)
    assert small is not None
    for tag in (joined.etag, small.etag, '"d-7"'):
        assert made.tag_that_matches(f'"other", W/{tag}', GZIP) == tag
    assert made.tag_that_matches(joined.etag, PLAIN) is None
    assert made.tag_that_matches('"d-7"', Wanted("gzip, identity;q=0")) is None
    assert made.tag_that_matches('"d-6"', GZIP) is None
    assert made.tag_that_matches("*", GZIP) == small.etag
    assert made.tag_that_matches("*", NOTHING) is None
