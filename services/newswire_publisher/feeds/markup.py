"""Text and HTML as a feed may carry it: as every output."""

from newswire_publisher.articles.markup import excerpt, markup_of, plain, safe_markup, web_address

__all__ = ["excerpt", "markup_of", "plain", "safe_markup", "web_address"]
