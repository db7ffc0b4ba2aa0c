"""Whether a caller wants a page for people, by ``Accept`` (RFC 9110 section 12.5.1)."""


def prefers_html(accept: str) -> bool:
    """Return whether HTML is named, and not below JSON, as browsers do; ``*/*`` alone asks for no page."""
    weights = _weights(accept)
    page = weights.get("text/html", 0.0)
    other = max((weight for kind, weight in weights.items() if "json" in kind or "newsitem" in kind), default=0.0)
    return page > 0 and page > other and page >= weights.get("*/*", 0.0)


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
