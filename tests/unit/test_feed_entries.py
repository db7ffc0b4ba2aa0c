"""The cache of entries stays within its bytes."""

from newswire_publisher.feeds.entries import OVERHEAD, EntryKey, Fragment, FragmentCache


def key(name: str) -> EntryKey:
    return EntryKey(name, "1:0", "rss", "https://news.example")


def test_the_least_recently_used_entry_leaves_when_the_bytes_are_used_up() -> None:
    cache = FragmentCache(2 * Fragment.of(b"x" * 10).cost)
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
    assert cache.size == Fragment.of(b"x" * 5).cost
