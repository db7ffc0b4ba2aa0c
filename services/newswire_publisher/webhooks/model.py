"""A webhook subscription as it is registered and kept."""

import fnmatch
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_serializer, field_validator

from newswire_publisher.articles.message import EVENT_TYPES, Format
from newswire_publisher.webhooks.headers import check_headers
from newswire_publisher.webhooks.retry import Policy
from newswire_publisher.webhooks.signing import Secret
from newswire_schemas.article import Line, Utc
from newswire_schemas.filters import Filter

NOTICE_TYPES = (
    "webhook.failing",
    "webhook.recovered",
    "webhook.disabled",
    "webhook.exhausted",
    "webhook.kill_untaken",
)
"""What a subscription that asks for it is told of the health of its owner's others; an operator's, of all."""

DEFAULT_CONCURRENCY = 8
Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z._*]{1,64}$")]


class Signature(StrEnum):
    """The scheme of Standard Webhooks that signs an endpoint's pushes."""

    V1 = "v1"
    V1A = "v1a"


class Settings(BaseModel):
    """What an integrator sets. Without ``url`` the subscription is pull-only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    filter: Filter = Filter()
    events: Annotated[tuple[Pattern, ...], Field(max_length=20)] = Field(
        (),
        description="Event types such as `article.new`, or patterns such as `article.*`; empty for all of articles. "
        "`webhook.*` tells of the health of your webhooks.",
    )
    format: Format = Format.ARTICLE
    description: Line | None = None
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every push.")
    concurrency: int = Field(DEFAULT_CONCURRENCY, ge=1, le=100, description="Pushes at once, at most.")
    rate: float | None = Field(None, gt=0, le=10_000, description="Pushes a second, at most; none: no bound.")
    ordered: bool = Field(False, description="One push at a time, in the log's order; a failing one is waited for.")
    max_age: int | None = Field(None, ge=1, description="Seconds after which an entry is not pushed any more.")
    signature: Signature = Field(Signature.V1, description="v1: HMAC-SHA256; v1a: ed25519.")
    retry: tuple[float, ...] | None = Field(
        None, description="Seconds between attempts, instead of the usual schedule."
    )

    @field_validator("events")
    @classmethod
    def _some_type(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            types = (*EVENT_TYPES.values(), *NOTICE_TYPES)
            if not any(fnmatch.fnmatchcase(name, pattern) for name in types):
                known = ", ".join(types)
                raise ValueError(f"{pattern!r} matches no event type; there are {known}")
        return patterns

    @field_validator("headers")
    @classmethod
    def _allowed(cls, headers: dict[str, str]) -> dict[str, str]:
        return check_headers(headers)

    @field_validator("retry")
    @classmethod
    def _schedule(cls, delays: tuple[float, ...] | None) -> tuple[float, ...] | None:
        Policy.from_seconds(delays)
        return delays


class Registration(Settings):
    """The body of ``POST /v1/webhooks``: the settings, and the secret if the integrator brings one."""

    secret: str | None = None

    @field_validator("secret")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        if text is not None:
            Secret.parse(text)
        return text


class Webhook(Settings):
    """A subscription as it is kept. The secret is written to storage only, and shown once, at creation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    owner: str
    is_operators: bool = False
    """Whether an operator made it: its notices then tell of all webhooks."""
    created: Utc
    secrets: tuple[str, ...] = Field((), repr=False)
    enabled: bool = True
    disabled_reason: Line | None = None
    revision: int = 1
    """Raised with every change, so that whoever carries an older one to the queue changes nothing there."""

    @field_serializer("secrets")
    def _hide(self, secrets: tuple[str, ...], info: Any) -> list[str]:
        return list(secrets) if (info.context or {}).get("reveal") else []

    @property
    def pushes(self) -> bool:
        return self.url is not None

    @property
    def policy(self) -> Policy:
        return Policy.from_seconds(self.retry)

    @property
    def is_pushed(self) -> bool:
        """Whether pushes go out now."""
        return self.enabled and self.url is not None

    def wants(self, event_type: str) -> bool:
        if not self.events:
            return event_type not in NOTICE_TYPES
        return any(fnmatch.fnmatchcase(event_type, pattern) for pattern in self.events)

    @property
    def takes_articles(self) -> bool:
        return any(map(self.wants, EVENT_TYPES.values()))

    @property
    def takes_notices(self) -> bool:
        return any(map(self.wants, NOTICE_TYPES))

    def shown(self) -> dict[str, Any]:
        """Return what its owner sees."""
        body = self.model_dump(mode="json", exclude={"secrets", "filter"}, exclude_none=True)
        return body | {"filter": self.filter.model_dump(mode="json", exclude_defaults=True)}
