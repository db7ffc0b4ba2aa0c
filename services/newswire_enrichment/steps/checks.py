"""Warn about what looks damaged and of addresses that are none. Nothing is repaired: the words are the agency's."""

from itertools import pairwise

from newswire_enrichment.paragraphs import paragraphs
from newswire_enrichment.pipeline import Enrichment
from newswire_schemas.agencies import lookup
from newswire_schemas.article import Article, Warning_
from newswire_schemas.uris import uri_of

MOST = 5
"""Warnings of one kind for one article."""
_CLOSERS = "\"'»”’“)]"


class ChecksStep:
    """Warns ``truncated-start`` of a paragraph whose first letters seem to be lost, and ``no-address``."""

    name = "checks"
    version = "2"

    def run(self, article: Article) -> Enrichment | None:
        warnings = (*_truncated(article)[:MOST], *_without_address(article)[:MOST])
        return Enrichment(warnings=warnings) if warnings else None


def _truncated(article: Article) -> list[Warning_]:
    return [
        Warning_(
            code="truncated-start",
            text=f"Paragraph {number} begins with {_start(text)!r}: its first letters may be missing.",
        )
        for number, (before, text) in enumerate(pairwise(paragraphs(article)), start=2)
        if _ends_sentence(before) and _starts_broken(text)
    ]


def _without_address(article: Article) -> list[Warning_]:
    files = [("file", rendition.href) for media in article.associations for rendition in media.renditions]
    return [
        Warning_(
            code="no-address", text=f"{href[:100]!r} is no address of a {what}: outputs that need one leave it out."
        )
        for what, href in [*files, *(("link", link.href) for link in article.links)]
        if uri_of(href) is None
    ]


def _start(text: str) -> str:
    return " ".join(text[:60].split()[:3])


def _ends_sentence(text: str) -> bool:
    return text.rstrip(_CLOSERS + " ").endswith((".", "!", "?", "…"))


def _starts_broken(text: str) -> bool:
    """Whether a text begins with a small letter; not if it is a name (iPhone, dpa) or a signature (ab/cde)."""
    if not text[0].islower():
        return False
    first = text.split(None, 1)[0].strip(".,:;")
    if not first.islower() or lookup(first) is not None or "/" in first or "." in first:
        return False
    return len(text.split(None, 4)) > 3
