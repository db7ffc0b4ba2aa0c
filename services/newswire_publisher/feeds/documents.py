"""A feed's document: made when it is asked for, once per generation, and kept.

    GET ─▶ generation (one small read) ─▶ the kept document, or: items ─▶ rows ─▶ kept fragments ─▶ join

Whoever asks sees what is in the feed now: there is no age of a cache in between,
so that a kill is out of the next answer.
"""

import gzip
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.cache import FragmentCache, render_entries
from newswire_publisher.feeds.document import Channel, render_document
from newswire_publisher.feeds.model import Feed
from newswire_publisher.feeds.snapshots import Snapshot, Snapshots
from newswire_runtime.client import Client

log = structlog.get_logger()
KEPT_DOCUMENTS = 500
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class FeedDocument:
    """A rendered feed: bytes, strong ETag, and when it last changed. ``compressed`` is made when first wanted."""

    body: bytes
    etag: str
    modified: datetime
    _compressed: bytes | None = None

    def compressed(self) -> bytes:
        if self._compressed is None:
            self._compressed = gzip.compress(self.body, 6, mtime=0)
        return self._compressed


class FeedDocuments:
    """Makes and keeps the documents of this process."""

    def __init__(self, client: Client, store: ArticleStore, partitions: int) -> None:
        self._snapshots = Snapshots(client, partitions)
        self._store = store
        self._fragments = FragmentCache(64_000_000)
        self._kept: OrderedDict[tuple[str, str], tuple[int, Feed, FeedDocument]] = OrderedDict()

    async def get(self, name: str, feed: Feed, base_url: str) -> FeedDocument:
        """Return the feed's document as of now."""
        generation = await self._snapshots.generation(name)
        place = (name, base_url)
        kept = self._kept.get(place)
        if kept is not None and kept[0] == generation and kept[1] == feed:
            self._kept.move_to_end(place)
            return kept[2]
        snapshot = await self._snapshots.newest(name, feed.order, feed.limit)
        generation = snapshot.state.generation
        document = await self._render(name, feed, base_url, snapshot)
        self._kept[place] = (generation, feed, document)
        if len(self._kept) > KEPT_DOCUMENTS:
            self._kept.popitem(last=False)
        return document

    async def _render(self, name: str, feed: Feed, base_url: str, snapshot: Snapshot) -> FeedDocument:
        items = [shown.key for shown in snapshot.items]
        # What a kill has reached in the store but not yet in this feed is left out here already.
        rows = [row for row in await self._store.rows(items) if row is not None and row.is_public]
        rendered = render_entries([row.article for row in rows], base_url, self._fragments)
        for error in rendered.errors:
            log.error("feed.entry_left_out", feed=name, error=str(error))
        changed = snapshot.state.newest
        channel = Channel(
            name=name,
            title=feed.title,
            base_url=base_url,
            description=feed.description or feed.title,
            language=feed.language,
        )
        document = render_document(channel, changed, rendered.fragments)
        return FeedDocument(document.body, document.etag, snapshot.state.updated or EPOCH)
