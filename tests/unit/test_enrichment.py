"""The pipeline and its steps."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from newswire_enrichment.pipeline import Enrichment, enrich
from newswire_enrichment.steps.checks import ChecksStep
from newswire_enrichment.steps.dateline import DatelineStep
from newswire_enrichment.steps.language import LanguageStep, load_langid
from newswire_enrichment.steps.registry import default_steps
from newswire_enrichment.steps.summary import LIMIT, SummaryStep, shorten
from newswire_schemas.article import Article, Dateline, PubStatus, Warning_

NOW = datetime(2025, 2, 7, 12, tzinfo=UTC)


def article(body: str | None = None, **fields: Any) -> Article:
    settled = {"uri": "urn:x:1", "version": 1, "version_created": NOW, "first_created": NOW}
    return Article.model_validate({**settled, "headline": "Ein Titel", "body_text": body, **fields})


class Step:
    """A step that does what the test says."""

    name = "step"
    version = "7"

    def __init__(self, does: Callable[[Article], Enrichment | None]) -> None:
        self.run = does


def fails(_: Article) -> Enrichment:
    raise RuntimeError("secret detail")


def test_steps_run_in_order_and_see_what_came_before() -> None:
    first = Step(lambda _: Enrichment({"section": "Sport"}, 0.5))
    second = Step(lambda seen: Enrichment({"summary": f"in {seen.section}"}))
    enriched, records = enrich(article(), [first, second])
    assert enriched.summary == "in Sport"
    assert [(r.name, r.version, r.confidence) for r in records] == [("step", "7", 0.5), ("step", "7", None)]


def test_a_failing_step_is_a_warning_and_the_others_go_on() -> None:
    enriched, records = enrich(article(), [Step(fails), Step(lambda _: Enrichment({"section": "Sport"}))])
    assert enriched.section == "Sport"
    assert [w.code for w in enriched.warnings] == ["step-failed"]
    assert "secret" not in enriched.warnings[0].text
    assert len(records) == 1


def test_what_does_not_fit_the_model_is_a_failure_too() -> None:
    enriched, records = enrich(article(), [Step(lambda _: Enrichment({"language": "no language"}))])
    assert enriched.language is None
    assert [w.code for w in enriched.warnings] == ["step-failed"]
    assert records == ()


@pytest.mark.parametrize("status", [PubStatus.CANCELED, PubStatus.WITHHELD])
def test_a_kill_or_withheld_version_passes_untouched(status: PubStatus) -> None:
    killed = article("BERLIN (dpa) - Es regnet.", pub_status=status)
    assert enrich(killed, [Step(fails)]) == (killed, ())


def test_a_step_with_nothing_to_add_leaves_no_record() -> None:
    same = article()
    assert enrich(same, [Step(lambda _: None)]) == (same, ())


def test_an_address_that_is_none_is_kept_and_warned_of() -> None:
    picture = {"uri": "u r i", "renditions": [{"href": "not a url"}, {"href": "https://wire.example/a b.jpg"}]}
    links = [{"href": "/more"}, {"href": "http://wire.example/"}]
    given = Article.model_validate(article("Es regnet.").model_dump() | {"associations": [picture], "links": links})

    enriched, _ = enrich(given, [ChecksStep()])

    assert [(each.code, each.text[:40]) for each in enriched.warnings] == [
        ("no-address", "'not a url' is no address of a file: out"),
        ("no-address", "'/more' is no address of a link: outputs"),
    ]
    assert (enriched.associations, enriched.links) == (given.associations, given.links)


def test_a_second_run_adds_no_second_warning() -> None:
    steps = default_steps(LanguageStep(lambda: lambda _: ("de", 0.9)))
    once, _ = enrich(article("Es regnet. Sehr.\n\nie Sonne kommt morgen wieder."), steps)
    assert [w.code for w in once.warnings] == ["truncated-start"]
    assert enrich(once, steps)[0] == once


def test_same_article_same_result() -> None:
    steps = default_steps(LanguageStep(lambda: lambda _: ("de", 0.9)))
    story = article("BERLIN, 7. Februar (dpa) - Es regnet. Sehr.")
    assert enrich(story, steps) == enrich(story, steps)


def test_the_dateline_also_gives_place_and_source() -> None:
    enriched, _ = enrich(article("MOSKAU, 7. Februar (BelTA) - Es schneit."), [DatelineStep()])
    assert enriched.dateline == Dateline(
        city="Moscow", country="RU", date="2025-02-07", agency="BelTA", text="MOSKAU, 7. Februar (BelTA)"
    )
    assert (enriched.located, enriched.source) == ("Moscow", "BelTA")
    assert enriched.body_text == "MOSKAU, 7. Februar (BelTA) - Es schneit."


def test_a_dateline_that_was_given_stays() -> None:
    given = Dateline(city="Bonn")
    assert enrich(article("BERLIN (dpa) - Es regnet.", dateline=given), [DatelineStep()])[0].dateline == given


def test_a_dateline_may_follow_a_lead() -> None:
    assert enrich(article("Es regnet\n\nBERLIN (dpa) - Es regnet."), [DatelineStep()])[0].located == "Berlin"


def test_a_summary_leaves_the_dateline_out() -> None:
    enriched, _ = enrich(article("BERLIN, 7. Februar (dpa) - Es regnet.\n\nMehr."), [DatelineStep(), SummaryStep()])
    assert enriched.summary == "Es regnet."


def test_a_summary_that_was_given_stays() -> None:
    assert SummaryStep().run(article("Es regnet.", summary="Kurz")) is None


def test_a_long_paragraph_is_cut_after_a_sentence() -> None:
    text = "Am 7. Februar sprach J. Doe lange über das Wetter und vieles andere, das er gesehen hatte. " + "Wort " * 100
    assert shorten(text) == "Am 7. Februar sprach J. Doe lange über das Wetter und vieles andere, das er gesehen hatte."
    assert shorten("天气很好。" * 100).endswith("。")


def test_a_long_sentence_is_cut_between_words() -> None:
    cut = shorten("Wort " * 100)
    assert cut.endswith("Wort…")
    assert len(cut) <= LIMIT
    assert len(shorten("x" * 1_000)) <= LIMIT


@pytest.mark.parametrize(
    "text",
    [
        "Ein Satz.\n\nie Stärkung der Sicherheit sei wichtig.",
        'Er sagte: "Ja."\n\nnd so geht es immer weiter hier.',
        "Конец фразы.\n\nродолжение текста без первой буквы.",
    ],
)
def test_a_paragraph_without_its_first_letters_is_warned_of(text: str) -> None:
    enriched, _ = enrich(article(text), [ChecksStep()])
    assert [w.code for w in enriched.warnings] == ["truncated-start"]
    assert enriched.body_text == text


@pytest.mark.parametrize(
    "text",
    [
        "Ein Satz.\n\nEin anderer Satz steht hier.",
        "Eine Liste,\n\ndie hier weitergeht und endet.",
        "Ein Satz.\n\niPhone und iPad sind Namen von Geräten.",
        "Ein Satz.\n\ndpa meldete am Abend das Gegenteil.",
        "Ein Satz.\n\nab/cde/fg",
        "一句话。\n\n另一句话在这里。",
        "Ein Satz.\n\n»ja« war das Wort des Tages.",
    ],
)
def test_a_whole_paragraph_is_not_warned_of(text: str) -> None:
    assert ChecksStep().run(article(text)) is None


def test_a_language_that_was_given_stays_and_loads_no_model() -> None:
    def load() -> Any:
        raise AssertionError("loaded")

    assert LanguageStep(load).run(article("Text", language="fr")) is None
    assert LanguageStep(load).run(article("123", headline=None)) is None


def test_an_unsure_language_is_a_warning() -> None:
    added = LanguageStep(lambda: lambda _: ("et", 0.3)).run(article("Hm"))
    assert added is not None
    assert not added.fields
    assert [w.code for w in added.warnings] == ["language-unsure"]


def test_the_model_is_loaded_once() -> None:
    loads: list[int] = []

    def load() -> Callable[[str], tuple[str, float]]:
        loads.append(1)
        return lambda _: ("de", 0.9)

    step = LanguageStep(load)
    step.run(article("Eins"))
    step.run(article("Zwei"))
    assert loads == [1]


@pytest.fixture(scope="module")
def language() -> LanguageStep:
    return LanguageStep(load_langid)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Der Hafen ist seit Freitag wieder offen, wie die Verwaltung mitteilte."),
        ("en", "The harbour has been open again since Friday, the office said."),
        ("ru", "Порт снова открыт с пятницы, сообщили в администрации."),
        ("be", "Порт зноў адкрыты з пятніцы, паведамілі ў адміністрацыі."),
        ("es", "El puerto está abierto de nuevo desde el viernes, informó la oficina."),
        ("zh", "港口管理部门表示，港口自星期五起重新开放。"),
        ("pl", "Port jest znowu otwarty od piątku, poinformował zarząd."),
        ("fr", "Le port est de nouveau ouvert depuis vendredi, a annoncé la direction."),
    ],
)
def test_the_wires_languages_are_told_apart(language: LanguageStep, code: str, text: str) -> None:
    added = language.run(article(text, headline=None))
    assert added is not None
    assert added.fields == {"language": code}


def test_warnings_that_were_there_stay() -> None:
    old = Warning_(code="old", text="Old.")
    enriched, _ = enrich(article(warnings=(old,)), [Step(fails)])
    assert enriched.warnings[0] == old
