"""A feed's documents: made when they are asked for, once per generation, and kept.

    GET ─▶ generation (one small read) ─▶ the kept document, or: snapshot ─▶ kept entries ─▶ frame, joined

Whoever asks sees what is in the feed now: there is no age of a cache in between,
so that a kill is out of the next answer. Three kinds: the current document, a page of
the archive (archive.py), and the delta since a generation that a reader's ETag names.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter, gt
from types import MappingProxyType

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.archive import ArchivePage, page_at, way_back
from newswire_publisher.feeds.codings import Piece
from newswire_publisher.feeds.entries import Entries, Fragment
from newswire_publisher.feeds.formats.page import Channel, FeedFormat, Page, link_header
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.model import Feed
from newswire_publisher.feeds.representations import Representations
from newswire_publisher.feeds.snapshots import Shown, Snapshot, Snapshots
from newswire_publisher.feeds.validators import etag_of
from newswire_publisher.routing.entitlement import View
from newswire_runtime.client import Client
from newswire_schemas.article import from_ms, key_of

KEPT_DOCUMENTS = 2_000
KEPT_SNAPSHOTS = 1_000
MOST_SEARCHED = 500
"""Articles that the current document of a view of some of them is chosen from; its archive has the others."""
MOST_IN_DELTA = 500
"""Changes that a delta tells of at most; a reader who missed more gets the whole document."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A document in its codings; its ttl (minutes), the feed's generation, the second of its last change, its links."""

    made: Representations
    generation: int
    modified: datetime
    media_type: str
    ttl: int
    links: str

    @property
    def body(self) -> bytes:
        return self.made.body

    @property
    def etag(self) -> str:
        return self.made.etag


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which document is asked for: the feed, in a format, under the address that its reader uses.

    ``view`` is what the reader's token opens of it, None for all.
    """

    name: str
    feed: Feed
    form: FeedFormat
    base_url: str
    view: View | None = None

    def address(self, query: str | None = None, extension: str | None = None) -> str:
        address = f"{self.base_url}/feeds/{self.name}.{extension or self.form.extension}"
        return f"{address}?{query}" if query else address


@dataclass(slots=True)
class _Newest:
    """A feed's newest snapshot, the query of the archive behind it, and whether anybody has asked for it."""

    order: str
    limit: int
    snapshot: Snapshot
    asked: bool = False
    back: str | None = field(init=False)

    def __post_init__(self) -> None:
        self.back = way_back(self.snapshot.items, self.order, more=self.snapshot.more)


class FeedDocuments:
    """Makes and keeps the documents of this process."""

    def __init__(self, client: Client, store: ArticleStore, partitions: int) -> None:
        self._snapshots = Snapshots(client, partitions)
        self._entries = Entries(store)
        self._kept: OrderedDict[tuple[str, str, str, str], tuple[Feed, FeedDocument]] = OrderedDict()
        self._newest: OrderedDict[str, _Newest] = OrderedDict()

    async def current(self, wanted: Wanted, generation: int | None = None) -> FeedDocument:
        """Return the feed's document as of now; ``generation`` is the feed's, where the caller has just read it."""
        if generation is None:
            generation = await self._snapshots.generation(wanted.name)
        place = (wanted.name, wanted.form.extension, wanted.base_url, wanted.view.key if wanted.view else "")
        kept = self._kept.get(place)
        if kept is not None and kept[1].generation == generation and kept[0] == wanted.feed:
            self._kept.move_to_end(place)
            return kept[1]
        if wanted.view is not None and wanted.view.narrows:
            newest = _Newest(wanted.feed.order, wanted.feed.limit, await self._narrowed(wanted))
        else:
            newest = await self._newest_of(wanted, generation)
        snapshot, back = newest.snapshot, newest.back
        if back is not None and wanted.view is not None and not wanted.view.has_archive:
            back = None
        page = _page_of(wanted, snapshot, back=None if back is None else wanted.address(back))
        document = await self._render(wanted, snapshot, page)
        self._kept[place] = (wanted.feed, document)
        if len(self._kept) > KEPT_DOCUMENTS:
            self._kept.popitem(last=False)
        return document

    async def refresh(self, names: Iterable[str]) -> dict[str, int]:
        """Read what these feeds show now, of those that somebody has asked for since they were last read.

        One article may change hundreds of feeds: their snapshots come in few round trips, and then each
        document is made when it is asked for. Return the generations that were read, by name.
        """
        known = [(name, self._newest[name]) for name in names if name in self._newest and self._newest[name].asked]
        snapshots = await self._snapshots.newest_of([(name, kept.order, kept.limit) for name, kept in known])
        for (name, kept), snapshot in zip(known, snapshots, strict=True):
            ordered = await self._ordered(snapshot, kept.order)
            now = self._newest.get(name)
            if now is kept and snapshot.state.generation > kept.snapshot.state.generation:
                self._newest[name] = _Newest(kept.order, kept.limit, ordered)
        return {name: each.state.generation for (name, _), each in zip(known, snapshots, strict=True)}

    async def archive(self, wanted: Wanted, archive: str | None, before: str | None) -> FeedDocument | None:
        """Return the page of the archive that a request names, None if there is none of that name."""
        if wanted.view is not None and not wanted.view.has_archive:
            return None
        marks, oldest = await self._snapshots.marks(wanted.name), await self._snapshots.oldest(wanted.name)
        place = page_at(marks, oldest, archive=archive, before=before)
        if place is None:
            return None
        snapshot = await self._snapshots.page(wanted.name, place.after, place.upto)
        items = await self._seen(wanted.view, tuple(filter(place.holds, snapshot.items)))
        snapshot = replace(snapshot, items=items, gone=())
        snapshot = await self._ordered(snapshot, wanted.feed.order)
        query = f"before={before}" if before is not None else f"archive={archive}"
        return await self._render(wanted, snapshot, _archive_page(wanted, snapshot, place, query))

    async def delta(self, wanted: Wanted, since: int) -> FeedDocument | None:
        """Return what came, changed or left after a generation; None if that cannot be told, or is too much.

        A view of some articles only has no deltas: whether it had what has changed is not known.
        """
        if wanted.view is not None and wanted.view.narrows:
            return None
        snapshot = await self._snapshots.since(wanted.name, since, MOST_IN_DELTA)
        if snapshot.more or since < snapshot.state.trimmed or since > snapshot.state.generation:
            return None
        current = await self.current(wanted, snapshot.state.generation)
        if current.generation != snapshot.state.generation:
            return None  # it changed in between: the whole document says all of it
        snapshot = await self._ordered(snapshot, wanted.feed.order)
        return await self._render(wanted, snapshot, replace(_page_of(wanted, snapshot), kind="delta"), current.etag)

    async def _newest_of(self, wanted: Wanted, generation: int) -> "_Newest":
        """Return the newest snapshot; five formats of one generation read it once."""
        order, limit = wanted.feed.order, wanted.feed.limit
        kept = self._newest.get(wanted.name)
        if kept is not None and (kept.order, kept.limit) == (order, limit):
            kept.asked = True
            if kept.snapshot.state.generation == generation:
                return kept
        snapshot = await self._snapshots.newest(wanted.name, wanted.feed.order, wanted.feed.limit)
        snapshot = await self._ordered(snapshot, wanted.feed.order)
        newest = self._newest[wanted.name] = _Newest(order, limit, snapshot, asked=True)
        self._newest.move_to_end(wanted.name)
        if len(self._newest) > KEPT_SNAPSHOTS:
            self._newest.popitem(last=False)
        return newest

    async def _narrowed(self, wanted: Wanted) -> Snapshot:
        """Return what a view sees of the feed: the newest that it may have, and what has left of that.

        Its newest moment is that of what it sees, so that its bytes change only when that does.
        """
        view, feed = wanted.view, wanted.feed
        snapshot = await self._snapshots.newest(wanted.name, feed.order, MOST_SEARCHED)
        seen = await self._seen(view, snapshot.items)
        gone = [each for each in snapshot.gone if await self._entries.was_seen(key_of(each.uri), view)]
        more = snapshot.more or len(seen) > feed.limit
        moments = [*[from_ms(shown.moment) for shown in seen], *[each.when for each in gone]]
        state = replace(snapshot.state, newest=max(moments, default=None))
        items, told = seen[: feed.limit], tuple(gone[: feed.limit])
        narrowed = replace(snapshot, state=state, items=items, gone=told, more=more)
        return await self._ordered(narrowed, feed.order)

    async def _seen(self, view: View | None, items: Sequence[Shown]) -> tuple[Shown, ...]:
        if view is None or not view.narrows:
            return tuple(items)
        articles = await self._entries.articles(items)
        return tuple(shown for shown in items if shown.key in articles and view.sees(articles[shown.key]))

    async def _render(self, wanted: Wanted, snapshot: Snapshot, page: Page, etag: str | None = None) -> FeedDocument:
        form = wanted.form
        entries = await self._entries.of(snapshot.items, form, wanted.base_url, wanted.view)
        gone = self._entries.gone(snapshot.gone, form, wanted.base_url)
        first, second = (gone, entries) if form.tombstones_first else (entries, gone)
        frame = form.frame(page)
        separator = Piece(form.separator)
        if form.lists == 1:
            middle = _joined([*first, *second], separator)
        else:
            middle = [*_joined(first, separator), Piece(frame.middle), *_joined(second, separator)]
        pieces = [Piece(frame.head), *middle, Piece(frame.tail)]
        digests = [fragment.digest for fragment in (*first, *second)]
        return FeedDocument(
            made=Representations(etag or etag_of(frame.head, digests, snapshot.state.generation), pieces),
            generation=snapshot.state.generation,
            modified=snapshot.state.modified or EPOCH,
            media_type=form.media_type,
            ttl=page.channel.ttl,
            links=link_header(page),
        )

    async def _ordered(self, snapshot: Snapshot, order: str) -> Snapshot:
        """Return the snapshot with its articles newest first, and those of one moment by their uri."""
        items = snapshot.items
        moment = attrgetter("moment" if order == "updated" else "published")
        times = [moment(shown) for shown in items]
        if all(map(gt, times, times[1:])):
            return snapshot
        uris = {}
        if len(set(times)) < len(times):
            articles = await self._entries.articles(items)
            uris = {key: article.uri for key, article in articles.items()}
        ordered = sorted(items, key=lambda shown: (-moment(shown), uris.get(shown.key, "")))
        return replace(snapshot, items=tuple(ordered))


def _joined(fragments: Sequence[Fragment], separator: Piece) -> list[Piece]:
    joined = [separator] * (2 * len(fragments) - 1)
    joined[::2] = fragments
    return joined


@lru_cache(KEPT_SNAPSHOTS)
def _channel(name: str, title: str, base_url: str, description: str, language: str | None) -> Channel:
    return Channel(name=name, title=title, base_url=base_url, description=description, language=language)


@lru_cache(KEPT_SNAPSHOTS)
def _addresses(base_url: str, name: str) -> Mapping[str, str]:
    """Return where the feed is in each format; the same object for all of them."""
    return MappingProxyType({extension: f"{base_url}/feeds/{name}.{extension}" for extension in FORMATS})


def _page_of(wanted: Wanted, snapshot: Snapshot, back: str | None = None) -> Page:
    feed = wanted.feed
    return Page(
        channel=_channel(wanted.name, feed.title, wanted.base_url, feed.description or feed.title, feed.language),
        updated=snapshot.state.newest,
        self_url=wanted.address(),
        alternates=_addresses(wanted.base_url, wanted.name),
        hub=f"{wanted.base_url}/hub",
        prev_archive=back,
        next_url=back,
    )


def _archive_page(wanted: Wanted, snapshot: Snapshot, place: ArchivePage, query: str) -> Page:
    previous = None if place.previous is None else wanted.address(f"archive={place.previous}")
    return replace(
        _page_of(wanted, snapshot),
        kind="archive",
        self_url=wanted.address(query),
        current=wanted.address(),
        prev_archive=previous,
        next_archive=None if place.next is None else wanted.address(f"archive={place.next}"),
        next_url=previous,
    )
