"""What callers of the social API send."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from newswire_publisher.social.queue import Outcome
from newswire_runtime.auth import Name
from newswire_schemas.article import Article, Draft, Utc

PostId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Remote = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeaseBody(_Body):
    """How many posts a poster takes, and for how long; a post not settled by then is handed out again."""

    limit: int = Field(1, ge=1, le=100)
    seconds: float = Field(60, ge=1, le=3_600)


class SettleBody(_Body):
    """What came of a lease. ``retry_in`` seconds: try it again; without it a failure is final."""

    id: PostId
    lease: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    outcome: Literal["sent", "failed"]
    remote_id: Remote | None = None
    remote_url: Remote | None = None
    error: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    retry_in: float | None = Field(None, ge=0, le=86_400)

    @model_validator(mode="after")
    def _fits_the_outcome(self) -> "SettleBody":
        if self.outcome == "sent" and (self.error is not None or self.retry_in is not None):
            raise ValueError("error and retry_in go with outcome 'failed'")
        if self.outcome == "failed" and (self.remote_id is not None or self.remote_url is not None):
            raise ValueError("remote_id and remote_url go with outcome 'sent'")
        return self

    @property
    def what(self) -> Outcome:
        return Outcome(self.outcome, self.remote_id, self.remote_url, self.error, self.retry_in)


class PreviewBody(_Body):
    """Which article, by ``key`` or as a draft, as a post of which account."""

    account: Name
    key: Annotated[str, StringConstraints(max_length=64)] | None = None
    article: Draft | None = None

    @model_validator(mode="after")
    def _one_article(self) -> "PreviewBody":
        if (self.key is None) == (self.article is None):
            raise ValueError("give either key or article")
        return self


def article_of(draft: Draft, now: Utc) -> Article:
    """Return the article that a draft would be; for a preview only."""
    fields = {name: getattr(draft, name) for name in draft.model_fields_set}
    fields["uri"] = draft.uri or "urn:preview"
    fields["version"] = draft.version or 1
    fields["version_created"] = draft.version_created or now
    fields["first_created"] = draft.first_created or now
    return Article(**fields)
