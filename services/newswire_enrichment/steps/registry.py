"""The enrichment steps, in the order in which they run; a new step is a module and a line here."""

from newswire_enrichment.pipeline import Step
from newswire_enrichment.steps.checks import ChecksStep
from newswire_enrichment.steps.dateline import DatelineStep
from newswire_enrichment.steps.language import LanguageStep
from newswire_enrichment.steps.summary import SummaryStep


def default_steps(language: LanguageStep | None = None) -> tuple[Step, ...]:
    """Return all steps. The dateline comes before the summary, which leaves it out."""
    return (
        language or LanguageStep(),
        DatelineStep(),
        SummaryStep(),
        ChecksStep(),
    )
