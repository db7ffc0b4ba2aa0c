"""Whether a caller wants a page for people or a document for machines, by ``Accept`` (RFC 9110 section 12.5.1)."""

from newswire_publisher.articles import newsml, ninjs

DOCUMENTS = ("application/json", ninjs.MEDIA_TYPE, newsml.MEDIA_TYPE)
"""What there is of an article beside its page."""


def prefers_html(accept: str) -> bool:
    """Return whether HTML is named, and not below JSON, as browsers do; ``*/*`` alone asks for no page."""
    weights = _weights(accept)
    page = weights.get("text/html", 0.0)
    other = max((weight for kind, weight in weights.items() if "json" in kind or "newsitem" in kind), default=0.0)
    return page > 0 and page > other and page >= weights.get("*/*", 0.0)


def prefers_document(accept: str) -> bool:
    """Return whether one of `DOCUMENTS` is named, above HTML; at an article's own address all others get its page."""
    weights = _weights(accept)
    document = max(weights.get(kind, 0.0) for kind in DOCUMENTS)
    return document > weights.get("text/html", 0.0) and document >= weights.get("*/*", 0.0)


def _weights(accept: str) -> dict[str, float]:
    found = {}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        try:
            found[kind] = float(quality)
        except ValueError:
            found[kind] = 0.0
    return found
