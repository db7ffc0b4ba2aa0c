"""The cache of entries stays within its bytes."""

from newswire_publisher.feeds.entries import OVERHEAD, Fragment, FragmentCache, Place

RSS = Place("rss", "https://news.example")


def test_the_least_recently_used_entry_leaves_when_the_bytes_are_used_up() -> None:
    cache = FragmentCache(2 * Fragment.of(b"x" * 10).cost)
    cache.put(RSS, "a", Fragment.of(b"x" * 10))
    cache.put(RSS, "b", Fragment.of(b"x" * 10))
    assert cache.get(RSS, ["a"]) != [None]
    cache.put(RSS, "c", Fragment.of(b"x" * 10))
    assert cache.get(RSS, ["b"]) == [None]
    assert cache.get(RSS, ["a"]) != [None]
    assert cache.get(RSS, ["c"]) != [None]
    assert cache.size <= cache.max_bytes


def test_an_entry_larger_than_the_cache_is_not_kept_and_drives_out_nothing() -> None:
    cache = FragmentCache(OVERHEAD + 10)
    small = Fragment.of(b"x")
    cache.put(RSS, "a", small)
    cache.put(RSS, "b", Fragment.of(b"x" * 100))
    assert cache.get(RSS, ["a"]) == [small]
    assert cache.get(RSS, ["b"]) == [None]


def test_putting_an_entry_again_counts_its_bytes_once() -> None:
    cache = FragmentCache(10_000)
    for size in (10, 20, 5):
        cache.put(RSS, "a", Fragment.of(b"x" * size))
    assert cache.size == Fragment.of(b"x" * 5).cost
