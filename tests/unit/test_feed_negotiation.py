"""The format of `/feeds/{name}`, by what a client says that it takes."""

import pytest

from newswire_publisher.feeds.negotiation import choose_format

OFFERED = (
    ("rss", "application/rss+xml; charset=utf-8"),
    ("atom", "application/atom+xml; charset=utf-8"),
    ("json", "application/feed+json"),
    ("ninjs", "application/ninjs+json"),
    ("newsml", "application/vnd.iptc.g2.newsmessage+xml"),
)


@pytest.mark.parametrize(
    ("accept", "extension"),
    [
        (None, "rss"),
        ("", "rss"),
        ("*/*", "rss"),
        ("application/*", "rss"),
        ("application/atom+xml", "atom"),
        ("Application/Atom+XML;type=feed", "atom"),
        ("application/feed+json", "json"),
        ("application/json", "json"),
        ("application/ninjs+json, application/json;q=0.9", "ninjs"),
        ("application/vnd.iptc.g2.newsmessage+xml", "newsml"),
        ("application/xml", "rss"),
        ("text/xml;q=0.5, application/atom+xml;q=0.4", "rss"),
        ("application/rss+xml;q=0.2, application/atom+xml;q=0.8", "atom"),
        ("application/rss+xml;q=0.8, application/atom+xml;q=0.8", "rss"),
        ("application/rss+xml;q=0, */*", "atom"),
        ("application/json;q=0.3, */*;q=0.1", "json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "rss"),
        ("text/html", "rss"),
        ("text/html, application/atom+xml;q=0.1", "atom"),
        ("text/plain", None),
        ("*/*;q=0", None),
        ("text/html;q=0, image/png", None),
        ("application/rss+xml;q=high", None),
    ],
)
def test_the_heaviest_format_is_taken(accept: str | None, extension: str | None) -> None:
    assert choose_format(accept, OFFERED) == extension
