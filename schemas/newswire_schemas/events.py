"""What the services tell each other: past tense, frozen, versioned.

A stream entry has one field, ``event``, that holds one of these as JSON. A new
field needs a default, and a reader ignores fields it does not know: services of
neighbouring releases run side by side. A change that breaks this gets a new
``type``.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from newswire_schemas.article import Act, Article, Uri, Utc, Version


class Event(BaseModel):
    """What every event carries. ``trace_id`` is one id from submission to delivery."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1
    type: str
    trace_id: str

    def encode(self) -> str:
        """Return the event as a stream entry holds it: JSON without defaults, but with its ``type``."""
        fields = self.model_dump_json(exclude_defaults=True)
        return f'{{"type":"{self.type}",{fields[1:]}'


class ArticleReceived(Event):
    """Ingest accepted a version of an article; it is durable from here on."""

    type: Literal["article.received"] = "article.received"
    act: Act
    article: Article
    received_at: Utc = Field(description="When the submission was accepted.")
    owner: str = Field("", description="Name of the token or source that submitted it.")


class StepRecord(BaseModel):
    """Which enrichment step, in which version, touched an article, and how sure it was."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    version: str
    confidence: float | None = None


class ArticleEnriched(Event):
    """Enrichment has added what it knows; the article is ready to go out."""

    type: Literal["article.enriched"] = "article.enriched"
    act: Act
    article: Article
    received_at: Utc
    owner: str = ""
    steps: tuple[StepRecord, ...] = ()


class ArticleFellDue(Event):
    """A moment that was waited for has come: an embargo's end or an expiry."""

    type: Literal["article.due"] = "article.due"
    uri: Uri
    version: Version
    cause: Literal["embargo", "expiry"]


class SubmissionReplayed(Event):
    """An operator wants a refused submission to be read again, from its kept bytes."""

    type: Literal["submission.replayed"] = "submission.replayed"
    content_type: str
    format: str | None = None
    uri: str | None = Field(None, description="The uri that the caller asked for.")
    owner: str = ""
    may_change_all: bool = False
    body_base64: str


PublisherEvent = Annotated[ArticleEnriched | ArticleFellDue, Field(discriminator="type")]
"""What the publisher reads from one stream."""
