"""The paragraphs of an article's text, as the steps look at them."""

import re

from newswire_schemas.article import Article

_BREAK = re.compile(r"\n[ \t]*\n")
_DASH = re.compile(r"\s{0,3}[.:]?\s{0,3}[-–—]{0,3}\s{0,3}")


def paragraphs(article: Article, limit: int = 1_000) -> list[str]:
    """Return the article's paragraphs, at most ``limit``."""
    blocks = _BREAK.split(article.body_text or "", maxsplit=limit)[:limit]
    return [stripped for block in blocks if (stripped := block.strip())]


def first_without_dateline(article: Article) -> str:
    """Return the first paragraph without its dateline."""
    found = paragraphs(article, 1)
    if not found:
        return ""
    text = found[0]
    written = article.dateline.text if article.dateline else None
    if written and text.startswith(written):
        rest = text[len(written) :]
        return rest[_DASH.match(rest).end() :] if _DASH.match(rest) else rest  # type: ignore[union-attr] # just tested
    return text
