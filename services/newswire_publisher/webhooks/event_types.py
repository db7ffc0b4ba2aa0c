"""Every type of event that a webhook carries, and what it means to a receiver."""

from dataclasses import dataclass

from newswire_publisher.articles.message import EVENT_TYPES, Format
from newswire_schemas.article import Act

TEST, CHALLENGE = "webhook.test", "webhook.challenge"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type. Those of articles come in every format, the others in one form of their own."""

    name: str
    description: str

    @property
    def formats(self) -> tuple[Format, ...]:
        return tuple(Format) if self.name in EVENT_TYPES.values() else ()

    def schema_name(self, form: Format | None = None) -> str:
        """Return the name of its schema: one a format for all of articles, one each for the others."""
        return f"webhook-{form.value if form else self.name.partition('.')[2]}.schema.json"

    def sample_name(self, form: Format | None = None) -> str:
        return f"{self.name}.{form.value}.json" if form else f"{self.name}.json"


_OF_ARTICLES = {
    Act.NEW: "An article comes out for the first time.",
    Act.CORRECTION: "A higher version of an article you may have; `ed_note` says what changed.",
    Act.REWRITE: "A new article that takes the place of another; `evolved_from` names it.",
    Act.KILL: "Take the article down, whatever version you have. Sent to all who got any version, before all else.",
    Act.WITHHOLD: "Take the article down for now; it may be reinstated.",
    Act.REINSTATE: "The article may be used again.",
    Act.EXPIRE: "The time of the article is over; no correction, and nothing to tell readers.",
}

_OF_WEBHOOKS = {
    TEST: "A test that you asked for. It is in no log, and its `sequence` is 0.",
    CHALLENGE: "Asks for the token in `data.challenge` back, to prove that the address is yours; `sequence` is 0.",
    "webhook.failing": "A webhook of yours does nothing but fail; one push at a time tries on.",
    "webhook.recovered": "A webhook of yours that failed takes pushes again.",
    "webhook.disabled": "A webhook of yours was disabled: `reason` says why. Its log goes on.",
    "webhook.exhausted": "The schedule of retries has ended for one entry; read it from the log, or replay it.",
    "webhook.kill_untaken": "A kill was pushed several times and not taken; it is tried on.",
}

CATALOGUE: tuple[EventType, ...] = (
    *(EventType(EVENT_TYPES[act], text) for act, text in _OF_ARTICLES.items()),
    *(EventType(name, text) for name, text in _OF_WEBHOOKS.items()),
)
