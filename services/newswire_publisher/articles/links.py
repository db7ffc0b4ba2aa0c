"""Where an article lives for its readers."""

from urllib.parse import urlsplit

from newswire_schemas.article import Article

_OWN_PAGE = ("canonical", "alternate")


def link_of(article: Article, base_url: str) -> str:
    """Return the address that a post or a page links to.

    The publisher of the story may have said where it stands: an http link of rel
    ``canonical``, else ``alternate`` (RFC 6596, RFC 8288). Otherwise it is our own page
    at ``base_url``, which has no slash at its end.
    """
    for rel in _OWN_PAGE:
        for link in article.links:
            if link.rel.lower() == rel and _is_web(link.href):
                return link.href
    return f"{base_url}/articles/{article.key}"


def _is_web(href: str) -> bool:
    try:
        parts = urlsplit(href)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not any(c.isspace() for c in href)
