"""Give an article without summary the beginning of its first paragraph."""

import re

from newswire_enrichment.paragraphs import first_without_dateline
from newswire_enrichment.pipeline import Enrichment
from newswire_schemas.article import Article

LIMIT = 320
"""Characters of a summary."""

# A stop ends a sentence if a capital, a quote or an ideograph follows; not after one letter ("J. Doe") or a number
# ("7. Februar").
_END = re.compile(
    r"(?<![\s.(][^\W\d_])(?<!\d)[.!?…][\"'»”’“)\]]{0,3}(?=\s[^a-zа-яёўіà-öø-ÿąćęłńóśźż])|[。！？][」』”’）]{0,3}"
)


class SummaryStep:
    """Fills ``summary``: whole sentences as far as they fit, or words and ``…``."""

    name = "summary"
    version = "1"

    def run(self, article: Article) -> Enrichment | None:
        if article.summary:
            return None
        text = " ".join(first_without_dateline(article)[: LIMIT * 4].split())
        return Enrichment({"summary": shorten(text)}) if text else None


def shorten(text: str, limit: int = LIMIT) -> str:
    """Return the text cut after a sentence, else between words, at no more than ``limit`` characters."""
    if len(text) <= limit:
        return text
    ends = [match.end() for match in _END.finditer(text[: limit + 1]) if match.end() <= limit]
    if ends and ends[-1] >= limit // 5:
        return text[: ends[-1]]
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > limit // 2 else cut).rstrip(" ,;:-–—") + "…"
