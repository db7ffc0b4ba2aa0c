"""The entries that this process has rendered, in every format; the least recently used leave first.

    (key, rank) ─▶ kept entry, or: kept article ─▶ render;  articles that are missing come in one read

An entry is the same for every feed that shows it, so that an article that goes
to 500 feeds is rendered once in each format. A new version is another key:
nothing here is ever out of date. An entry that cannot be written is left out
and logged; it never costs a feed the others.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.codings import Piece
from newswire_publisher.feeds.formats.page import FeedFormat
from newswire_publisher.feeds.formats.xml import EntryError
from newswire_publisher.feeds.snapshots import Shown
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_publisher.feeds.validators import digest_of
from newswire_publisher.routing.entitlement import ALL_RIGHTS, View
from newswire_schemas.article import Article, from_ms

log = structlog.get_logger()
OVERHEAD = 400
"""Bytes that an entry takes besides its own: its key, its object and its place in the table."""
KEPT_ARTICLES = 1_000


class Place(NamedTuple):
    """What a part's bytes depend on beside its article or tombstone."""

    format: str
    base_url: str
    rights: str = ALL_RIGHTS


@dataclass(slots=True, eq=False)
class Fragment(Piece):
    """A piece of documents, and the digest that stands for it in the ETags of all documents that have it.

    ``used``: whether a document has asked for it since the cache last looked.
    """

    digest: bytes = field(default=b"", repr=False)
    used: bool = field(default=True, repr=False)

    @classmethod
    def of(cls, body: bytes) -> "Fragment":
        return cls(body, digest=digest_of(body))

    @property
    def cost(self) -> int:
        """Bytes that it takes; what it deflates to is a third of it as a rule."""
        return len(self.body) * 4 // 3 + OVERHEAD


class FragmentCache:
    """Keeps rendered parts up to ``max_bytes``. Not thread-safe.

    Who is not used leaves: the oldest goes round to the end if it was asked for since it was last looked at
    (the clock algorithm), so that a hit is one look into a table. An article is one line for many thousand
    documents; whatever a hit costs is paid that often, and is paid only when the cache fills up.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._kept: dict[Place, dict[Hashable, Fragment]] = {}
        self._round: deque[tuple[Place, Hashable, Fragment]] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def get(self, place: Place, keys: Iterable[Hashable]) -> list[Fragment | None]:
        """Return the parts by their keys, None for those that there are not."""
        found = list(map(self._kept.get(place, _NOTHING).get, keys))
        if self.size > self.max_bytes // 2:
            for fragment in found:
                if fragment is not None:
                    fragment.used = True
        return found

    def put(self, place: Place, key: Hashable, fragment: Fragment) -> None:
        """Keep a part; one that is larger than the whole cache is not kept."""
        before = self._kept.get(place, _NOTHING).get(key)
        if before is not None:
            self._leave(place, key, before)
        if fragment.cost > self.max_bytes:
            return
        self._kept.setdefault(place, {})[key] = fragment
        self._round.append((place, key, fragment))
        self.size += fragment.cost
        fragment.used = False
        while self.size > self.max_bytes:
            self._turn()

    def _turn(self) -> None:
        place, key, fragment = self._round.popleft()
        if self._kept.get(place, _NOTHING).get(key) is not fragment:
            return  # another took its place
        if fragment.used:
            fragment.used = False
            self._round.append((place, key, fragment))
        else:
            self._leave(place, key, fragment)

    def _leave(self, place: Place, key: Hashable, fragment: Fragment) -> None:
        kept = self._kept[place]
        del kept[key]
        if not kept:
            del self._kept[place]
        self.size -= fragment.cost


_NOTHING: dict[Hashable, Fragment] = {}


class Entries:
    """Renders the articles of snapshots."""

    def __init__(self, store: ArticleStore, max_bytes: int = 128_000_000) -> None:
        self._store = store
        self.cache = FragmentCache(max_bytes)
        self._articles: OrderedDict[tuple[str, str], Article] = OrderedDict()

    async def of(
        self, items: Sequence[Shown], form: FeedFormat, base_url: str, view: View | None = None
    ) -> list[Fragment]:
        """Return the entries of these articles in this format, in their order, as a view shows them."""
        place = Place(form.extension, base_url, view.rights if view is not None else ALL_RIGHTS)
        found = self.cache.get(place, items)
        if None in found:
            articles = await self.articles([shown for shown, known in zip(items, found, strict=True) if known is None])
            for i, shown in enumerate(items):
                article = articles.get(shown.key)
                if found[i] is None and article is not None:
                    found[i] = self._render(place, view.shown(article) if view else article, shown, form)
        return [fragment for fragment in found if fragment is not None]

    def gone(self, tombstones: Sequence[Tombstone], form: FeedFormat, base_url: str) -> list[Fragment]:
        """Return what is told of what has left in this format, in this order."""
        if not tombstones:
            return []
        place = Place(form.extension, base_url)
        keys = [(each.uri, each.version, each.when, each.act, each.note) for each in tombstones]
        told = []
        for key, tombstone, known in zip(keys, tombstones, self.cache.get(place, keys), strict=True):
            fragment = known
            if fragment is None:
                fragment = Fragment.of(form.tombstone(tombstone, base_url))
                self.cache.put(place, key, fragment)
            told.append(fragment)
        return told

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

    async def was_seen(self, key: str, view: View | None) -> bool:
        """Return whether a view saw any version of an article."""
        return view is None or any(map(view.sees, await self._store.past(key)))

    def _render(self, place: Place, article: Article, shown: Shown, form: FeedFormat) -> Fragment | None:
        try:
            fragment = Fragment.of(form.entry(article, from_ms(shown.moment), place.base_url))
        except EntryError as error:
            log.exception("feed.entry_left_out", format=form.extension, error=str(error))
            return None
        self.cache.put(place, shown, fragment)
        return fragment
