"""One article against 10,000 varied subscriptions: a loop over compiled predicates, and the index."""

import statistics
import time

from newswire_publisher.routing import FilterIndex, compile_filter, facts_of, load_topic_tree
from tests.bench.harness import Case, Row, compare, show
from tests.bench.stories import stories, subscriptions

SUBSCRIPTIONS = 10_000
STORIES = 50


def main() -> None:
    """Print the cost of an article both ways, then what building and changing the index costs."""
    topics = load_topic_tree()
    wanted = subscriptions(SUBSCRIPTIONS)
    articles = stories(STORIES)
    index = FilterIndex(wanted, topics)
    predicates = {name: compile_filter(each) for name, each in wanted.items()}

    def loop() -> list[set[str]]:
        found = []
        for article in articles:
            facts = facts_of(article, topics)
            found.append({name for name, holds in predicates.items() if holds(facts)})
        return found

    def indexed() -> list[set[str]]:
        return [index.match(article) for article in articles]

    def facts_only() -> object:
        return [facts_of(article, topics).line for article in articles]

    hits = loop()
    assert indexed() == hits
    matched = statistics.mean(map(len, hits))
    compare(
        f"One article of 400 words against {SUBSCRIPTIONS:,} subscriptions ({matched:.0f} match)",
        Case("loop over compiled predicates", loop, STORIES),
        Case("index", indexed, STORIES),
        Case("(of which: words of the article)", facts_only, STORIES),
        unit="article",
    )
    single = sorted(_seconds(lambda article=article: index.match(article)) for article in articles for _ in range(5))
    print(f"  one article in the index: p50 {single[len(single) // 2] * 1e6:.0f} µs, max {single[-1] * 1e6:.0f} µs")

    rebuilt = _seconds(lambda: FilterIndex(wanted, topics))
    some = list(wanted.items())[:1000]

    def change() -> None:
        for name, each in some:
            index.remove(name)
            index.put(name, each)

    changed = _seconds(change) / len(some)
    show(
        "Keeping the index up to date",
        [
            Row(f"build of {SUBSCRIPTIONS:,}", rebuilt * 1e6, rebuilt * 1e6),
            Row("remove and put one", changed * 1e6, changed * 1e6),
        ],
    )


def _seconds(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
