"""Warn about what looks damaged. Nothing is repaired: the agency's words are the agency's."""

from itertools import pairwise

from newswire_enrichment.paragraphs import paragraphs
from newswire_enrichment.pipeline import Enrichment
from newswire_schemas.agencies import lookup
from newswire_schemas.article import Article, Warning_

MOST = 5
"""Warnings of one kind for one article."""
_CLOSERS = "\"'»”’“)]"


class ChecksStep:
    """Warns ``truncated-start`` of a paragraph whose first letters seem to be lost."""

    name = "checks"
    version = "1"

    def run(self, article: Article) -> Enrichment | None:
        found = paragraphs(article)
        warnings = [
            Warning_(
                code="truncated-start",
                text=f"Paragraph {number} begins with {_start(text)!r}: its first letters may be missing.",
            )
            for number, (before, text) in enumerate(pairwise(found), start=2)
            if _ends_sentence(before) and _starts_broken(text)
        ]
        return Enrichment(warnings=tuple(warnings[:MOST])) if warnings else None


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
