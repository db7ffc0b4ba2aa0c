"""The pages of a feed's archive (RFC 5005 section 4): where each begins and ends, and what it links to.

    current document ─▶ ?before=MS-KEY ─▶ ?archive=MARK ─▶ ?archive=MARK ─▶ …   rel=prev-archive

A mark is the moment at which a page was full; a page is what was published after one mark
and up to the next. Pages never move: a correction changes an article in its place, what leaves
makes its page shorter, and what comes belongs to the newest. The first page of the way back
is the rest between the last article of the current document and the nearest mark, so that
document and archive together hold each article exactly once, whatever is published meanwhile.
A feed ordered by updates begins at ``?archive=latest``: its archive alone holds each once.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from newswire_publisher.feeds.snapshots import Shown

LATEST = "latest"
FOREVER = 2**53 - 1


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A part of the archive: published after ``after`` (ms) and up to ``upto``, and before ``below`` if given.

    ``previous`` and ``next`` are the marks of its neighbours; None where there is none.
    """

    after: int
    upto: int
    below: tuple[int, str] | None = None
    previous: int | None = None
    next: int | None = None

    def holds(self, shown: Shown) -> bool:
        return self.below is None or (shown.published, shown.key) < self.below


def way_back(items: Sequence[Shown], order: str, *, more: bool) -> str | None:
    """Return the query of the first archive page behind a current document of these articles, if there is one."""
    if not more or not items:
        return None
    if order == "updated":
        return f"archive={LATEST}"
    oldest = min(map(attrgetter("published"), items))
    return f"before={oldest}-{min(shown.key for shown in items if shown.published == oldest)}"


def page_at(marks: Sequence[int], oldest: int | None, *, archive: str | None, before: str | None) -> ArchivePage | None:
    """Return the page that a request names; None if there is no such page."""
    if before is not None:
        ms, _, key = before.partition("-")
        if not _is_ms(ms):
            return None
        below = int(ms)
        place = bisect_left(marks, below)
        return _page(marks, oldest, place, below, below=(below, key))
    if archive == LATEST:
        return _page(marks, oldest, len(marks), FOREVER)
    if archive is None or not _is_ms(archive) or int(archive) not in marks:
        return None
    place = bisect_left(marks, int(archive))
    return _page(marks, oldest, place, int(archive), following=marks[place + 1] if place + 1 < len(marks) else None)


def _page(
    marks: Sequence[int],
    oldest: int | None,
    place: int,
    upto: int,
    *,
    below: tuple[int, str] | None = None,
    following: int | None = None,
) -> ArchivePage:
    lower = marks[place - 1] if place else None
    return ArchivePage(
        after=-1 if lower is None else lower,
        upto=upto,
        below=below,
        previous=lower if lower is not None and oldest is not None and oldest <= lower else None,
        next=following,
    )


def _is_ms(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 16
