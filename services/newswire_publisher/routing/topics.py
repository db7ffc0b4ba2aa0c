"""The hierarchy of IPTC Media Topics: which broader topics a topic belongs to.

The data file beside this module is read by `load_topic_tree`, which the
composition root calls once; importing reads nothing. See ``data/NOTICE`` for
its licence (CC BY 4.0, IPTC). Retired topics are kept: old stories and old
filters still name them.
"""

import json
from collections.abc import Mapping
from importlib import resources

from newswire_publisher.routing.text import fold

SCHEME = "medtop"
_SCHEME_URIS = tuple(f"{protocol}://cv.iptc.org/newscodes/mediatopic/" for protocol in ("http", "https"))


def topic_code(qcode: str) -> str:
    """Return the form in which topic codes compare: case folded, IPTC's concept URIs as ``medtop:`` QCodes."""
    code = fold(qcode)
    for uri in _SCHEME_URIS:
        if code.startswith(uri):
            return f"{SCHEME}:{code[len(uri) :]}"
    return code


class TopicTree:
    """Knows each topic's ancestors. ``broader`` maps a code to its parent; a code without a parent is absent."""

    def __init__(self, broader: Mapping[str, str]) -> None:
        self._lineages = {code: _climb(code, broader) for code in broader}

    def lineage(self, qcode: str) -> tuple[str, ...]:
        """Return the topic's comparable code, then those of its ancestors, the nearest first.

        A code that the tree does not know, of whatever scheme, has no ancestors.
        """
        code = topic_code(qcode)
        return self._lineages.get(code) or (code,)


def _climb(code: str, broader: Mapping[str, str]) -> tuple[str, ...]:
    line = [code]
    while (parent := broader.get(line[-1])) is not None:
        if parent in line:
            raise ValueError(f"topics: {parent} is its own ancestor; correct the hierarchy")
        line.append(parent)
    return tuple(line)


def load_topic_tree() -> TopicTree:
    """Read the shipped hierarchy of IPTC Media Topics (1,372 topics; some 5 ms)."""
    text = resources.files("newswire_publisher.routing").joinpath("data/mediatopics.json").read_text("utf-8")
    narrower: dict[str, list[str]] = json.loads(text)["narrower"]
    return TopicTree({f"{SCHEME}:{child}": f"{SCHEME}:{parent}" for parent, kids in narrower.items() for child in kids})
