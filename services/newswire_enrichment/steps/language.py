"""Name the language of an article that does not say it."""

from collections.abc import Callable

from newswire_enrichment.pipeline import Enrichment
from newswire_schemas.article import Article, Warning_

LANGUAGES = (
    *("de", "en", "ru", "be", "es", "zh", "pl", "fr", "uk", "it", "pt", "nl", "tr", "cs"),
    *("lt", "lv", "et", "sv", "ar", "ja", "ko", "el", "ro", "hu", "bg", "sr", "kk", "fa", "vi", "hi"),
)
"""What may be found. A short list makes short texts certain: the wire carries few languages."""

SAMPLE = 800
"""Characters that are looked at; more costs time and changes nothing."""
UNSURE = 0.6

Identify = Callable[[str], tuple[str, float]]
"""Text to a language code and a probability."""


class LanguageStep:
    """Fills ``language`` from headline and text. The model (0.5 s, some 100 MB) is loaded at the first use."""

    name = "language"
    version = "1"

    def __init__(self, load: Callable[[], Identify] | None = None) -> None:
        self._load = load or load_langid
        self._identify: Identify | None = None

    def warm_up(self) -> None:
        """Load the model now, so that the first article does not wait for it."""
        if self._identify is None:
            self._identify = self._load()

    def run(self, article: Article) -> Enrichment | None:
        if article.language is not None:
            return None
        sample = f"{article.headline or ''}\n{(article.body_text or '')[:SAMPLE]}".strip()
        if not any(c.isalpha() for c in sample):
            return None
        self.warm_up()
        assert self._identify is not None  # noqa: S101 - warm_up has just set it
        language, confidence = self._identify(sample)
        confidence = round(confidence, 3)
        if confidence < UNSURE:
            text = f"The language could not be told; {language!r} is the best guess ({confidence:.0%})."
            return Enrichment(confidence=confidence, warnings=(Warning_(code="language-unsure", text=text),))
        return Enrichment({"language": language}, confidence)


def load_langid() -> Identify:
    """Return py3langid's classifier, restricted to the wire's languages."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # slow: numpy and a model

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([code for code in LANGUAGES if code in identifier.labels])
    identify: Identify = identifier.classify
    return identify
