"""The cache of entries renders each version once and stays within its bytes."""

from datetime import UTC, datetime

from newswire_publisher.feeds.cache import OVERHEAD, Fragment, FragmentCache, FragmentKey, render_entries
from newswire_publisher.feeds.entry import EntryError
from newswire_schemas.article import Article, Rank

NOON = datetime(2025, 2, 7, 12, tzinfo=UTC)
BASE = "https://news.example"


def story(name: str, version: int = 1) -> Article:
    return Article(uri=f"urn:test:{name}", version=version, version_created=NOON, first_created=NOON, headline=name)


def key(name: str) -> FragmentKey:
    return FragmentKey(name, Rank(1, 0), BASE)


class Renderer:
    """Renders a name and refuses the uris that it is told to."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.calls: list[str] = []

    def __call__(self, article: Article, base_url: str) -> bytes:
        self.calls.append(f"{article.headline}:{article.version}")
        if article.headline in self.refused:
            raise EntryError(article.uri)
        return f"<item>{article.headline} {article.version} {base_url}</item>".encode()


def test_an_entry_is_rendered_once_for_all_feeds() -> None:
    cache, render = FragmentCache(10_000), Renderer()
    first = render_entries([story("a"), story("b")], BASE, cache, render)
    assert render_entries([story("b"), story("a")], BASE, cache, render).fragments == first.fragments[::-1]
    assert render.calls == ["a:1", "b:1"]


def test_a_new_version_and_another_address_are_rendered_anew() -> None:
    cache, render = FragmentCache(10_000), Renderer()
    for article, base in ((story("a"), BASE), (story("a", 2), BASE), (story("a"), "https://other.example")):
        assert render_entries([article], base, cache, render).fragments == [Fragment.of(render(article, base))]
    assert len(cache) == 3


def test_an_entry_that_cannot_be_written_leaves_the_others_and_is_reported() -> None:
    done = render_entries([story("a"), story("bad"), story("c")], BASE, FragmentCache(10_000), Renderer("bad"))
    assert [fragment.body.split()[0] for fragment in done.fragments] == [b"<item>a", b"<item>c"]
    assert [str(error) for error in done.errors] == ["urn:test:bad"]


def test_the_least_recently_used_entry_leaves_when_the_bytes_are_used_up() -> None:
    cache = FragmentCache(2 * (OVERHEAD + 10))
    cache.put(key("a"), Fragment.of(b"x" * 10))
    cache.put(key("b"), Fragment.of(b"x" * 10))
    assert cache.get(key("a"))
    cache.put(key("c"), Fragment.of(b"x" * 10))
    assert cache.get(key("b")) is None
    assert cache.get(key("a"))
    assert cache.get(key("c"))
    assert cache.size <= cache.max_bytes


def test_an_entry_larger_than_the_cache_is_not_kept_and_drives_out_nothing() -> None:
    cache = FragmentCache(OVERHEAD + 10)
    cache.put(key("a"), Fragment.of(b"x"))
    cache.put(key("b"), Fragment.of(b"x" * 100))
    assert cache.get(key("a")) == Fragment.of(b"x")
    assert cache.get(key("b")) is None


def test_putting_an_entry_again_counts_its_bytes_once() -> None:
    cache = FragmentCache(10_000)
    for size in (10, 20, 5):
        cache.put(key("a"), Fragment.of(b"x" * size))
    assert cache.size == OVERHEAD + 5
