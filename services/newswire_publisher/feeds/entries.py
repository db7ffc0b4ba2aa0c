"""The entries that this process has rendered, in every format; the least recently used leave first.

    (key, rank) ─▶ kept entry, or: kept article ─▶ render;  articles that are missing come in one read

An entry is the same for every feed that shows it, so that an article that goes
to 500 feeds is rendered once in each format. A new version is another key:
nothing here is ever out of date. An entry that cannot be written is left out
and logged; it never costs a feed the others.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.codings import Piece
from newswire_publisher.feeds.formats.page import FeedFormat
from newswire_publisher.feeds.formats.xml import EntryError
from newswire_publisher.feeds.snapshots import Shown
from newswire_publisher.feeds.validators import digest_of
from newswire_schemas.article import Article, from_ms

log = structlog.get_logger()
OVERHEAD = 400
"""Bytes that an entry takes besides its own: its key, its object and its place in the table."""
KEPT_ARTICLES = 1_000


class EntryKey(NamedTuple):
    """What an entry's bytes depend on."""

    key: str
    rank: str
    format: str
    base_url: str


@dataclass(slots=True)
class Fragment(Piece):
    """A piece of documents, and the digest that stands for it in the ETags of all documents that have it."""

    digest: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, body: bytes) -> "Fragment":
        return cls(body, digest=digest_of(body))

    @property
    def cost(self) -> int:
        """Bytes that it takes; what it deflates to is a third of it as a rule."""
        return len(self.body) * 4 // 3 + OVERHEAD


class FragmentCache:
    """Keeps rendered entries up to ``max_bytes``. Not thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[EntryKey, Fragment] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: EntryKey) -> Fragment | None:
        """Return an entry and count it as used now."""
        fragment = self._kept.get(key)
        if fragment is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return fragment

    def put(self, key: EntryKey, fragment: Fragment) -> None:
        """Keep an entry; one that is larger than the whole cache is not kept."""
        self._drop(key)
        cost = fragment.cost
        if cost > self.max_bytes:
            return
        self._kept[key] = fragment
        self.size += cost
        while self.size > self.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: EntryKey) -> None:
        fragment = self._kept.pop(key, None)
        if fragment is not None:
            self.size -= fragment.cost


class Entries:
    """Renders the articles of snapshots."""

    def __init__(self, store: ArticleStore, max_bytes: int = 128_000_000) -> None:
        self._store = store
        self.cache = FragmentCache(max_bytes)
        self._articles: OrderedDict[tuple[str, str], Article] = OrderedDict()

    async def of(self, items: Sequence[Shown], form: FeedFormat, base_url: str) -> list[Fragment]:
        """Return the entries of these articles in this format, in their order."""
        places = [EntryKey(shown.key, shown.rank, form.extension, base_url) for shown in items]
        found = [self.cache.get(place) for place in places]
        if None in found:
            articles = await self.articles([shown for shown, known in zip(items, found, strict=True) if known is None])
            for i, shown in enumerate(items):
                article = articles.get(shown.key)
                if found[i] is None and article is not None:
                    found[i] = self._render(places[i], article, shown, form)
        return [fragment for fragment in found if fragment is not None]

    async def articles(self, items: Sequence[Shown]) -> dict[str, Article]:
        """Return the versions that these articles are shown in, by key."""
        found: dict[str, Article] = {}
        missing: list[Shown] = []
        for shown in items:
            article = self._articles.get((shown.key, shown.rank))
            if article is None:
                missing.append(shown)
            else:
                self._articles.move_to_end((shown.key, shown.rank))
                found[shown.key] = article
        loaded = await self._store.versions([(shown.key, shown.rank) for shown in missing])
        for shown, version in zip(missing, loaded, strict=True):
            if version is None:
                log.error("feed.version_missing", article=shown.key, rank=shown.rank)
                continue
            article = version.model_copy(update={"published": from_ms(shown.published)})
            found[shown.key] = self._articles[(shown.key, shown.rank)] = article
        while len(self._articles) > KEPT_ARTICLES:
            self._articles.popitem(last=False)
        return found

    def _render(self, place: EntryKey, article: Article, shown: Shown, form: FeedFormat) -> Fragment | None:
        try:
            fragment = Fragment.of(form.entry(article, from_ms(shown.moment), place.base_url))
        except EntryError as error:
            log.exception("feed.entry_left_out", format=form.extension, error=str(error))
            return None
        self.cache.put(place, fragment)
        return fragment
