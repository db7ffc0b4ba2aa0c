"""The entries that this process has rendered, bounded by their bytes; the least recently used leave first.

An entry is the same for every feed that shows it, so that an article that goes
to 500 feeds is rendered once. A new version is another key: nothing here is
ever out of date.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from newswire_publisher.feeds.entry import EntryError, render_entry
from newswire_publisher.feeds.validators import digest_of
from newswire_schemas.article import Article, Rank

OVERHEAD = 400
"""Bytes that an entry takes besides its own: its key, its object and its place in the table."""


class FragmentKey(NamedTuple):
    """What an entry's bytes depend on."""

    uri: str
    rank: Rank
    base_url: str


class Fragment(NamedTuple):
    """A rendered entry, and the digest that stands for it in the ETags of all feeds that show it."""

    body: bytes
    digest: bytes

    @classmethod
    def of(cls, body: bytes) -> "Fragment":
        return cls(body, digest_of(body))


class FragmentCache:
    """Keeps rendered entries up to ``max_bytes``. Not thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[FragmentKey, Fragment] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: FragmentKey) -> Fragment | None:
        """Return an entry and count it as used now."""
        fragment = self._kept.get(key)
        if fragment is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return fragment

    def put(self, key: FragmentKey, fragment: Fragment) -> None:
        """Keep an entry; one that is larger than the whole cache is not kept."""
        self._drop(key)
        cost = len(fragment.body) + OVERHEAD
        if cost > self.max_bytes:
            return
        self._kept[key] = fragment
        self.size += cost
        while self.size > self.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: FragmentKey) -> None:
        fragment = self._kept.pop(key, None)
        if fragment is not None:
            self.size -= len(fragment.body) + OVERHEAD


class Rendered(NamedTuple):
    """Entries in the order of their articles, and the errors of those that could not be written, to be logged."""

    fragments: list[Fragment]
    errors: list[EntryError]


def render_entries(
    articles: Iterable[Article],
    base_url: str,
    cache: FragmentCache,
    render: Callable[[Article, str], bytes] = render_entry,
) -> Rendered:
    """Render the articles that the cache does not have; one that cannot be written leaves the others untouched."""
    done = Rendered([], [])
    for article in articles:
        key = FragmentKey(article.uri, article.rank, base_url)
        fragment = cache.get(key)
        if fragment is None:
            try:
                fragment = Fragment.of(render(article, base_url))
            except EntryError as error:
                done.errors.append(error)
                continue
            cache.put(key, fragment)
        done.fragments.append(fragment)
    return done
