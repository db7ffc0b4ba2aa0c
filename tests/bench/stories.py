"""Made-up stories and subscriptions for the benches: the same ones in every run."""

import random
from datetime import UTC, datetime, timedelta

from newswire_schemas.article import Article, Concept, Dateline
from newswire_schemas.filters import Filter

NOON = datetime(2025, 2, 7, 12, tzinfo=UTC)
LANGUAGES = ("de", "en", "ru", "be", "es", "zh", "pl", "fr", "de-AT", "en-GB", "zh-Hans", "es-MX")
SECTIONS = ("Politik", "Wirtschaft", "Sport", "Kultur", "World", "Business", "Общество", "Наука", "社会", "Deportes")
PLACES = (
    "Minsk",
    "Moskau",
    "Berlin",
    "Wien",
    "Paris",
    "Warszawa",
    "Madrid",
    "北京",
    "London",
    "Genf",
    "New York",
    "Київ",
)
SOURCES = ("BelTA", "dpa", "APA", "AFP", "PAP", "EFE", "新华社", "Keystone-SDA", "Interfax", "AP")
GENRES = ("Bericht", "Analyse", "Kommentar", "Interview", "Eilmeldung", "Feature")
TOPICS = tuple(
    f"medtop:{code}"
    for code in (
        "01000000",
        "02000000",
        "04000000",
        "11000000",
        "15000000",
        "16000000",
        "20000002",
        "20000007",
        "20000065",
    )
)
_VALUES: dict[str, tuple[str, ...]] = {
    "languages": LANGUAGES,
    "topics": TOPICS,
    "sections": SECTIONS,
    "places": PLACES,
    "sources": SOURCES,
    "genres": GENRES,
    "words": (),
}
_SYLLABLES = (
    "ka",
    "mer",
    "lo",
    "ti",
    "ven",
    "stra",
    "ße",
    "пра",
    "ви",
    "тель",
    "ство",
    "gen",
    "rat",
    "ion",
    "ük",
    "al",
)
_HAN = "北京上海会谈举行主席国家经济发展合作世界和平新闻记者报道"


def vocabulary(rng: random.Random, size: int = 6_000) -> list[str]:
    """Return made-up words of two to four syllables."""
    return ["".join(rng.choices(_SYLLABLES, k=rng.randint(2, 4))) for _ in range(size)]


def stories(count: int, *, words: int = 400, seed: int = 1) -> list[Article]:
    """Return stories of some 400 words, a tenth of them Chinese."""
    rng = random.Random(seed)
    lexicon = vocabulary(random.Random(0))
    return [_story(rng, lexicon, number, words) for number in range(count)]


def _story(rng: random.Random, lexicon: list[str], number: int, words: int) -> Article:
    chinese = number % 10 == 9
    # As in any language, the n-th word is n times rarer than the first; subscribers ask for any.
    weights = [1 / rank for rank in range(1, len(lexicon) + 1)]
    paragraphs = [
        "".join(rng.choices(_HAN, k=80)) + "。"
        if chinese
        else " ".join(rng.choices(lexicon, weights, k=50)).capitalize() + "."
        for _ in range(words // 50)
    ]
    moment = NOON + timedelta(minutes=number)
    return Article(
        uri=f"urn:newsml:example.org:2025:{number}",
        version=1 + number % 3,
        version_created=moment,
        first_created=NOON,
        published=moment,
        language="zh" if chinese else rng.choice(LANGUAGES),
        headline=paragraphs[0][:70],
        byline="Анна Müller",
        summary=paragraphs[0],
        body_html="".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
        body_text="\n\n".join(paragraphs),
        section=rng.choice(SECTIONS),
        subjects=tuple(Concept(qcode=code, name=f"topic {code[-4:]}") for code in rng.sample(TOPICS, 2)),
        places=(Concept(name=rng.choice(PLACES)),),
        genres=(Concept(name=rng.choice(GENRES)),),
        dateline=Dateline(city=rng.choice(PLACES), agency=rng.choice(SOURCES)),
        source=rng.choice(SOURCES),
        urgency=rng.randint(1, 9),
    )


def subscriptions(count: int, *, seed: int = 2) -> dict[str, Filter]:
    """Return varied filters: one to three fields each, a third with words, a sixth nested, a few empty."""
    rng = random.Random(seed)
    lexicon = vocabulary(random.Random(0))
    return {f"hook-{number}": _filter(rng, lexicon) for number in range(count)}


def _filter(rng: random.Random, lexicon: list[str], *, nested: bool = True) -> Filter:
    fields: dict[str, object] = {}
    if nested and rng.random() < 0.01:
        return Filter()
    for name in rng.sample(sorted(_VALUES), rng.choice((1, 2, 2, 3, 3))):
        values = _VALUES[name] or lexicon
        fields[name] = tuple(rng.sample(values, rng.randint(1, 3)))
    if rng.random() < 0.2:
        fields["urgency"] = rng.randint(1, 6)
    if rng.random() < 0.1:
        run = (
            "".join(rng.choices(_HAN, k=3)) if rng.random() < 0.3 else " ".join(rng.sample(lexicon, rng.randint(2, 3)))
        )
        fields["phrases"] = (run,)
    if nested and rng.random() < 0.1:
        fields["exclude"] = _filter(rng, lexicon, nested=False)
    if nested and rng.random() < 0.07:
        kind = rng.choice(("any", "all"))
        fields[kind] = tuple(_filter(rng, lexicon, nested=False) for _ in range(rng.randint(2, 4)))
    return Filter.model_validate(fields)
