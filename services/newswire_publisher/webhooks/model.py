"""A webhook subscription as it is registered and kept."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StringConstraints,
    field_validator,
    model_validator,
)

from newswire_publisher.articles.message import Format
from newswire_publisher.webhooks.headers import check_headers
from newswire_publisher.webhooks.keys import SigningKey, read_earlier
from newswire_publisher.webhooks.retry import Policy
from newswire_publisher.webhooks.sendings import Sending
from newswire_publisher.webhooks.signing import Signature, parse_secret
from newswire_publisher.webhooks.wanted import Wanted
from newswire_runtime.auth import Caller
from newswire_schemas.article import Line, Utc, to_iso

DEFAULT_CONCURRENCY, MOST_CONCURRENCY = 8, 100
MOST_AGE = 10 * 366 * 86_400


class Status(StrEnum):
    """Whether pushes go out. What is `pending` has still to prove that its address wants them."""

    PENDING = "pending"
    ENABLED = "enabled"
    DISABLED = "disabled"


class Settings(Wanted):
    """What an integrator sets. Without ``url`` the subscription is pull-only."""

    url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    format: Format = Format.ARTICLE
    description: Line | None = None
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every push.")
    concurrency: StrictInt = Field(
        DEFAULT_CONCURRENCY, ge=1, le=MOST_CONCURRENCY, description="Pushes at once, at most."
    )
    rate: StrictFloat | None = Field(
        None, gt=0, le=10_000, description="Pushes a second, at most, and one a day at least; none: no bound."
    )
    ordered: StrictBool = Field(
        False, description="One push at a time, in the log's order; a failing one is waited for."
    )
    max_age: StrictInt | None = Field(
        None, ge=1, le=MOST_AGE, description="Seconds after which an entry is not pushed any more."
    )
    signature: Signature = Field(
        Signature.V1,
        description="v1: HMAC-SHA256; v1a: ed25519. A secret that is brought must fit it, and decides if it is left "
        "out. A change counts from the next rotation.",
    )
    retry: tuple[float, ...] | None = Field(
        None, description="Seconds between attempts, instead of the usual schedule."
    )

    challenge: StrictBool = Field(
        False, description="Push nothing until the address has echoed a random token, also after a change of its host."
    )

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

    secret: str | None = Field(None, description="Your own: `whsec_…`, or for v1a a private key `whsk_…`.")

    @field_validator("secret")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        if text is not None:
            parse_secret(text)
        return text


class Webhook(Settings):
    """A subscription as it is kept. The sealed secrets of its keys and headers are written to storage only."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    owner: str
    is_operators: bool = False
    """Whether an operator made it: its notices then tell of all webhooks."""
    created: Utc
    keys: tuple[SigningKey, ...] = ()
    """Newest first; those that have ended stay until the next rotation."""
    sealed_headers: dict[str, str] = Field(default_factory=dict, repr=False)
    """What ``headers`` is kept as; in memory both have every name."""
    enabled: bool = True
    disabled_reason: Line | None = None
    verified: bool = Field(True, description="False until the address has echoed its challenge.")
    revision: int = 1
    """Raised with every change, so that whoever carries an older one to the queue changes nothing there."""
    earlier: tuple[Sending, ...] = ()
    """How its pushes went out before the last changes, the newest last."""

    @model_validator(mode="before")
    @classmethod
    def _earlier(cls, row: Any) -> Any:
        return read_earlier(row)

    @property
    def status(self) -> Status:
        if not self.enabled:
            return Status.DISABLED
        return Status.ENABLED if self.verified else Status.PENDING

    @property
    def pushes(self) -> bool:
        return self.url is not None

    @property
    def policy(self) -> Policy:
        return Policy.from_seconds(self.retry)

    @property
    def is_pushed(self) -> bool:
        """Whether pushes go out now."""
        return self.status is Status.ENABLED and self.url is not None

    def sending(self, until: datetime) -> Sending:
        """Return how its pushes go out, up to now."""
        return Sending(until=until, revision=self.revision, url=self.url, format=self.format, headers=self.headers)

    def is_seen_by(self, caller: Caller) -> bool:
        """Return whether a caller may see and change it: its owner, and operators; an operator's, only those."""
        return caller.is_operator or (caller.owns(self.owner) and not self.is_operators)

    def shown(self) -> dict[str, Any]:
        """Return what its owner sees."""
        hidden = {"keys", "filter", "verified", "is_operators", "earlier", "sealed_headers"}
        body = self.model_dump(mode="json", exclude=hidden, exclude_none=True)
        body["filter"] = self.filter.model_dump(mode="json", exclude_defaults=True)
        if self.keys and self.keys[0].public_key:
            body["public_key"] = self.keys[0].public_key
        body["created"] = to_iso(self.created)
        return body | {"status": self.status.value, "keys": [key.shown() for key in self.keys]}
