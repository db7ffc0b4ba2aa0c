"""Which sinks an article goes to: filters compiled to an inverted index. Pure; no I/O but `load_topic_tree`."""

from newswire_publisher.routing.facts import Facts, facts_of
from newswire_publisher.routing.index import FilterIndex
from newswire_publisher.routing.shape import compile_filter
from newswire_publisher.routing.topics import TopicTree, load_topic_tree

__all__ = ["Facts", "FilterIndex", "TopicTree", "compile_filter", "facts_of", "load_topic_tree"]
