"""Topics match through the hierarchy of IPTC Media Topics."""

import pytest

from newswire_publisher.routing import TopicTree, load_topic_tree


def test_a_topic_has_all_its_broader_topics_in_order() -> None:
    assert load_topic_tree().lineage("medtop:20000007") == ("medtop:20000007", "medtop:20000002", "medtop:01000000")


def test_a_concept_uri_is_the_same_topic_as_its_qcode() -> None:
    tree = load_topic_tree()
    assert tree.lineage("http://cv.iptc.org/newscodes/mediatopic/20000007") == tree.lineage("MEDTOP:20000007")


def test_an_unknown_code_has_only_itself() -> None:
    assert load_topic_tree().lineage("subj:123") == ("subj:123",)


def test_a_hierarchy_that_runs_in_a_circle_is_refused() -> None:
    with pytest.raises(ValueError, match="own ancestor"):
        TopicTree({"a": "b", "b": "a"})
