"""Which format `/feeds/{name}` answers in: proactive negotiation by ``Accept`` (RFC 9110 section 12.5.1).

Each format has its registered type and the generic ones that readers ask for it by. The most
specific range that fits a type gives its weight; the heaviest format is taken, and
the first offered of equal ones. A range for a generic type counts for a format only as
far as its own type is not named. Whoever opens the address in a browser gets the first
format rather than a refusal: the feed is what there is at this address.
"""

from collections.abc import Mapping, Sequence

from newswire_publisher.feeds.weights import read_weights

GENERIC: Mapping[str, tuple[str, ...]] = {
    "rss": ("application/xml", "text/xml"),
    "atom": (),
    "json": ("application/json",),
    "ninjs": (),
    "newsml": (),
}
"""Types that say less than a format's own; for any other format there are none."""
_BROWSER = "text/html"


def choose_format(accept: str | None, offered: Sequence[tuple[str, str]]) -> str | None:
    """Return the extension of the format to answer in; None if the client takes none of them.

    ``offered`` holds extensions and media types, the preferred first. Without the
    header anything is welcome. Parameters of types are not looked at.
    """
    ranges = dict(reversed([(each.value, each.weight) for each in read_weights(accept or "")]))
    if accept is None or not accept.strip():
        return offered[0][0]
    best: tuple[float, str] | None = None
    for extension, media_type in offered:
        weight = _weight(ranges, bare(media_type), GENERIC.get(extension, ()))
        if weight > 0 and (best is None or weight > best[0]):
            best = weight, extension
    if best is not None:
        return best[1]
    return offered[0][0] if ranges.get(_BROWSER, 0) > 0 else None


def bare(media_type: str) -> str:
    """Return a media type without its parameters."""
    return media_type.partition(";")[0].strip().lower()


def _weight(ranges: Mapping[str, float], own: str, generic: Sequence[str]) -> float:
    if own in ranges:
        return ranges[own]
    named = [ranges[each] for each in generic if each in ranges]
    if named:
        return max(named)
    for each in (f"{own.partition('/')[0]}/*", "*/*"):
        if each in ranges:
            return ranges[each]
    return 0.0
