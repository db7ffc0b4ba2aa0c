"""Run the enrichment steps over an article: pure, in order, and never losing it.

    article ──step──▶ article ──step──▶ … ──▶ article + which steps touched it

A step returns what it adds or None. What it adds is checked against the content
model; a step that raises, or adds what does not fit, leaves the article as it
was, with a warning ``step-failed``. A kill or a withheld version passes through
untouched: nothing may delay it, and nobody reads its text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from newswire_schemas.article import Article, PubStatus, Warning_
from newswire_schemas.events import StepRecord


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What a step adds: values by field name, how sure it is (0 to 1, None: certain), and warnings."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    confidence: float | None = None
    warnings: tuple[Warning_, ...] = ()


class Step(Protocol):
    """One enrichment step. ``version`` changes whenever its results could."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def run(self, article: Article) -> Enrichment | None:
        """Return what the step knows about the article; None if nothing. Same article, same answer."""


def enrich(article: Article, steps: Sequence[Step]) -> tuple[Article, tuple[StepRecord, ...]]:
    """Return the article with what the steps add, and a record of each step that added something."""
    if article.pub_status is not PubStatus.USABLE:
        return article, ()
    records: list[StepRecord] = []
    for step in steps:
        try:
            added = step.run(article)
            if added is None:
                continue
            article = _apply(article, added)
        except Exception as exc:
            text = f"The step {step.name!r} failed ({type(exc).__name__}) and added nothing."
            article = _apply(article, Enrichment(warnings=(Warning_(code="step-failed", text=text),)))
        else:
            records.append(StepRecord(name=step.name, version=step.version, confidence=added.confidence))
    return article, tuple(records)


def _apply(article: Article, added: Enrichment) -> Article:
    # A version that comes through a second time, after a crash, must not warn twice.
    warnings = (*article.warnings, *(each for each in added.warnings if each not in article.warnings))
    # The known parts are models already and are not validated again; only what is added is.
    return Article.model_validate({**article.__dict__, **added.fields, "warnings": warnings})
