"""What filters ask about an article, in the form in which it compares."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from newswire_publisher.routing.text import fold, text_of_html, words_of
from newswire_publisher.routing.topics import TopicTree
from newswire_schemas.article import Article, Concept

USUAL_URGENCY = 5
"""What an article without urgency counts as."""

_BREAK = "\n"
"""Stands between two fields: no word equals it, so that no run crosses from one field to the next."""


@dataclass(frozen=True)
class Facts:
    """The comparable values of one article, by the name of the filter's field, and its text.

    ``values["urgency"]`` holds every limit that lets the article pass: ``"5"`` to ``"9"`` for urgency 5.
    The text is taken apart only when a filter asks for words.
    """

    values: dict[str, frozenset[str]]
    texts: tuple[str, ...]

    @cached_property
    def words(self) -> list[str]:
        """The words of all texts, with a break after each text."""
        words: list[str] = []
        for text in self.texts:
            words += words_of(text)
            words.append(_BREAK)
        return words

    @cached_property
    def line(self) -> str:
        """The words as one string, with a space before and after each."""
        return f" {' '.join(self.words)} "

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset(self.words)

    def has_run(self, run: str) -> bool:
        """Return whether the words of the run follow one another in one text. The empty run does nowhere."""
        return bool(run) and f" {run} " in self.line


def facts_of(article: Article, topics: TopicTree) -> Facts:
    """Gather what filters can ask about the article."""
    dateline = article.dateline
    language = (article.language or "").lower().split("-")
    return Facts(
        values={
            "languages": _some("-".join(language[:length]) for length in range(1, len(language) + 1)),
            "topics": frozenset(code for c in article.subjects if c.qcode for code in topics.lineage(c.qcode)),
            "sections": _folded(article.section),
            "places": _names(article.places) | _folded(article.located, dateline.city if dateline else None),
            "sources": _folded(article.source, dateline.agency if dateline else None),
            "genres": _names(article.genres),
            "urgency": _LIMITS[article.urgency or USUAL_URGENCY],
        },
        texts=tuple(filter(None, (article.headline, article.summary, _body(article)))),
    )


def _body(article: Article) -> str:
    return article.body_text or text_of_html(article.body_html or "")


def _names(concepts: tuple[Concept, ...]) -> frozenset[str]:
    return _folded(*(name for concept in concepts for name in (concept.name, concept.qcode)))


def _folded(*names: str | None) -> frozenset[str]:
    return _some(fold(name) for name in names if name)


def _some(values: Iterable[str]) -> frozenset[str]:
    return frozenset(value for value in values if value)


_LIMITS = {urgency: frozenset(str(limit) for limit in range(urgency, 10)) for urgency in range(1, 10)}
