"""The cache of entries stays within its bytes, and keeps what is asked for."""

from newswire_publisher.feeds.entries import OVERHEAD, Fragment, FragmentCache, Place

PLACE = Place("rss", "https://news.example")


def body_of(cache: FragmentCache, key: str) -> bytes | None:
    (found,) = cache.get(PLACE, [key])
    return found.body if found is not None else None


def test_what_is_not_asked_for_leaves_when_the_bytes_are_used_up() -> None:
    cache = FragmentCache(2 * Fragment.of(b"x" * 10).cost)
    cache.put(PLACE, "a", Fragment.of(b"x" * 10))
    cache.put(PLACE, "b", Fragment.of(b"y" * 10))
    assert body_of(cache, "a")
    cache.put(PLACE, "c", Fragment.of(b"z" * 10))
    assert body_of(cache, "b") is None
    assert body_of(cache, "a")
    assert body_of(cache, "c")
    assert cache.size <= cache.max_bytes


def test_an_entry_that_is_asked_for_stays_however_many_pass_by() -> None:
    cache = FragmentCache(10 * Fragment.of(b"x" * 10).cost)
    cache.put(PLACE, "a", Fragment.of(b"x" * 10))
    for number in range(200):
        cache.put(PLACE, f"{number}", Fragment.of(b"x" * 10))
        assert body_of(cache, "a")
        assert cache.size <= cache.max_bytes
    assert len(cache) == 10


def test_places_do_not_mix() -> None:
    cache = FragmentCache(10_000)
    cache.put(PLACE, "a", Fragment.of(b"rss"))
    cache.put(Place("atom", PLACE.base_url), "a", Fragment.of(b"atom"))
    assert body_of(cache, "a") == b"rss"
    assert cache.get(Place("json", PLACE.base_url), ["a"]) == [None]


def test_an_entry_larger_than_the_cache_is_not_kept_and_drives_out_nothing() -> None:
    cache = FragmentCache(OVERHEAD + 10)
    cache.put(PLACE, "a", Fragment.of(b"x"))
    cache.put(PLACE, "b", Fragment.of(b"x" * 100))
    assert body_of(cache, "a") == b"x"
    assert body_of(cache, "b") is None


def test_putting_an_entry_again_counts_its_bytes_once() -> None:
    cache = FragmentCache(10_000)
    for size in (10, 20, 5):
        cache.put(PLACE, "a", Fragment.of(b"x" * size))
    assert cache.size == Fragment.of(b"x" * 5).cost
    assert len(cache) == 1
