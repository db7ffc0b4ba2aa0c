"""Read the dateline of a story that has none, from its first paragraph."""

from newswire_enrichment.datelines import read
from newswire_enrichment.paragraphs import paragraphs
from newswire_enrichment.pipeline import Enrichment
from newswire_schemas.article import Article


class DatelineStep:
    """Fills ``dateline``, and from it ``located`` and ``source`` where they are missing. The text stays as it is."""

    name = "dateline"
    version = "1"

    def run(self, article: Article) -> Enrichment | None:
        if article.dateline is not None:
            return None
        # A lead may stand before the paragraph with the dateline.
        for text in paragraphs(article, 2):
            found = read(text, article.first_created.date())
            if found is not None:
                fields: dict[str, object] = {"dateline": found.dateline}
                if article.located is None and found.dateline.city:
                    fields["located"] = found.dateline.city
                if article.source is None and found.dateline.agency:
                    fields["source"] = found.dateline.agency
                return Enrichment(fields, found.confidence)
        return None
