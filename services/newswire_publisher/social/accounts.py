"""A social account as an operator configures it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    SerializationInfo,
    StringConstraints,
    field_serializer,
    field_validator,
)
from yarl import URL

from newswire_publisher.social.platforms import PLATFORMS, Platform, PlatformName
from newswire_publisher.social.render import UtmName, parse_template
from newswire_schemas.article import Language
from newswire_schemas.filters import Filter

MASK = "**********"
"""What is shown in a credential's place."""

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
CredentialName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class Account(BaseModel):
    """Where posts go, which articles are posted, and how; an outside poster leases and settles them.

    What cannot be honoured yet is refused, so that nobody relies on it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    platform: PlatformName
    base_url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    credentials: dict[CredentialName, SecretStr] = Field(
        {}, max_length=20, description="Kept for the poster of the account; never shown again."
    )
    filter: Filter = Filter()
    languages: Annotated[tuple[Language, ...], Field(max_length=100)] = ()
    template: Annotated[str, StringConstraints(min_length=1, max_length=2_000)] | None = None
    mode: Literal["manual"] = Field(description="`manual`: an outside poster leases and settles the posts.")
    pace: None = Field(None, description="Not available in mode `manual`.")
    quiet: None = Field(None, description="Not available in mode `manual`.")
    ttl: None = Field(None, description="Not available yet.")
    on_correction: Literal["edit", "reply", "repost", "none"] = "edit"
    on_kill: Literal["delete", "edit", "notice"] = "delete"
    utm: dict[UtmName, Word] = Field({}, description="Added to links as `utm_source` and so on.")

    @field_validator("mode", mode="before")
    @classmethod
    def _only_manual(cls, mode: Any) -> Any:
        if mode in ("auto", "approve"):
            raise ValueError(f"mode {mode!r} is not available yet; with 'manual' a poster of yours leases the posts")
        return mode

    @field_validator("pace", "quiet", "ttl", mode="before")
    @classmethod
    def _nothing_ignored(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("this does nothing yet, so it is refused; leave it out")
        return value

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, base_url: str | None) -> str | None:
        if base_url is None:
            return None
        url = URL(base_url)
        if url.scheme not in ("http", "https") or not url.host or url.user or url.query_string or url.fragment:
            raise ValueError("write the http(s) address of the platform, without credentials, query or fragment")
        return base_url.rstrip("/")

    @field_validator("template")
    @classmethod
    def _template_parses(cls, template: str | None) -> str | None:
        if template is not None:
            parse_template(template)
        return template

    @field_validator("credentials")
    @classmethod
    def _not_the_mask(cls, credentials: dict[str, SecretStr]) -> dict[str, SecretStr]:
        for name, secret in credentials.items():
            if secret.get_secret_value() == MASK:
                raise ValueError(f"{name} is the mask that we show in place of the secret; send the secret itself")
        return credentials

    @field_serializer("credentials")
    def _hide(self, credentials: Mapping[str, SecretStr], info: SerializationInfo) -> dict[str, str]:
        """Show the secrets to the table that stores them (``context={"reveal": True}``), to nobody else."""
        reveal = bool(info.context and info.context.get("reveal"))
        return {name: secret.get_secret_value() if reveal else MASK for name, secret in credentials.items()}

    @property
    def wanted(self) -> Filter:
        """What the account takes: its filter and, if any are named, its languages."""
        return Filter(all=(self.filter, Filter(languages=self.languages))) if self.languages else self.filter

    @property
    def limits(self) -> Platform:
        return PLATFORMS[self.platform]
