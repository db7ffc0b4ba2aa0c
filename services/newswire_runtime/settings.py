"""Settings that every service reads once, from ``NEWSWIRE_*`` variables.

A service that needs more derives from `Settings`. Durations are in seconds
unless the name says otherwise.
"""

import ipaddress
import os
import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

SECRET_KEY_LENGTH = 32
"""Characters that a key needs at least: with hexadecimal digits, 128 bits."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _consumer_name() -> str:
    return f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"


def _secret_keys(given: SecretStr | Path) -> tuple[str, ...]:
    """Return the keys of a setting or file, which commas or white space separate; raise ValueError for a bad one."""
    try:
        text = given.read_text(encoding="utf-8") if isinstance(given, Path) else given.get_secret_value()
    except OSError as exc:
        raise ValueError(f"it cannot be read: {exc.strerror}") from exc
    keys = tuple(text.replace(",", " ").split())
    if not keys or any(len(key) < SECRET_KEY_LENGTH for key in keys):
        raise ValueError(
            f"write {SECRET_KEY_LENGTH} or more random characters, such as `openssl rand -base64 32` prints; "
            "several with commas between, the first encrypts"
        )
    return keys


class Settings(BaseSettings):
    """What every service needs to know."""

    model_config = SettingsConfigDict(env_prefix="NEWSWIRE_", frozen=True, extra="ignore")

    broker_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"),
        description="Redis >= 7.4 or Valkey >= 9: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://.",
    )
    partitions: int = Field(1, ge=1, le=256, description="Partitions of the wire; every process must have the same.")
    host: str = Field("127.0.0.1", description="Address that the service's HTTP server listens on.")
    port: int = Field(8080, ge=0, le=65535, description="Port of the service's HTTP server.")
    base_url: str = Field("", description="How readers reach the publisher; by default the address it listens on.")
    public: bool = Field(True, description="Whether public feeds and their articles are read without a token.")
    poll_limit: int = Field(
        500,
        ge=0,
        description="Full answers of one unchanged feed that an address gets in a minute without validators; 0: any.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses and networks, with commas between, whose X-Forwarded-For and -Proto are believed.",
    )
    operator_token: SecretStr | None = Field(None, description="The first operator token.")
    operator_token_file: Path | None = Field(None, description="A file that holds the first operator token.")
    secret_key: SecretStr | None = Field(
        None,
        description="What encrypts the secrets of webhooks: 32 or more random characters; several with commas between.",
    )
    secret_key_file: Path | None = Field(None, description="A file that holds it.")
    ssrf_allow: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Guarded networks that outbound calls may reach all the same, as CIDRs with commas between."
    )
    webhook_limit: int = Field(100, ge=1, le=10_000, description="Webhooks that an integrator may have.")
    webhook_challenge: Literal["optional", "required"] = Field(
        "optional", description="required: every webhook's address must echo a challenge before anything is pushed."
    )
    webhook_attempts_kept: float = Field(
        30 * 86_400, ge=60, description="How long what came of each webhook attempt is kept."
    )
    webhook_patience: float = Field(
        5 * 86_400, ge=60, description="How long a webhook may do nothing but fail before it is disabled."
    )
    max_body: int = Field(10_000_000, ge=1_000, description="Bytes that a request's body may have.")
    batch: int = Field(100, ge=1, le=1_000, description="Entries that one read takes from a stream.")
    claim_idle: float = Field(
        10.0, gt=0, description="After how long an unfinished entry is taken over from its reader."
    )
    max_deliveries: int = Field(5, ge=1, description="Deliveries of an entry after which it becomes a dead letter.")
    stream_retention: float = Field(86_400, ge=0, description="How long handled entries stay in the streams.")
    lag_bound: int = Field(10_000, ge=1, description="Unread entries above which a service says that it is not ready.")
    stop_timeout: float = Field(10.0, gt=0, description="How long a stop waits for work in hand.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field("json", pattern="^(json|console)$", description="json, or console for people.")
    consumer: str = Field(default_factory=_consumer_name, description="This process's name in the consumer groups.")

    @field_validator("ssrf_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("secret_key", "secret_key_file", mode="before")
    @classmethod
    def _nothing(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("secret_key", "secret_key_file")
    @classmethod
    def _long_enough(cls, given: SecretStr | Path | None) -> SecretStr | Path | None:
        if given is not None:
            _secret_keys(given)
        return given

    def secret_keys(self) -> tuple[str, ...]:
        """Return the keys that encrypt secrets at rest: the first encrypts, all decrypt; none if none is set."""
        given = self.secret_key or self.secret_key_file
        return () if given is None else _secret_keys(given)

    @property
    def attempts_kept_ms(self) -> int:
        """How long what came of each webhook attempt is kept, in ms."""
        return int(self.webhook_attempts_kept * 1_000)

    def first_operator_token(self) -> str | None:
        """Return the operator token that the settings name, if any."""
        if self.operator_token is not None:
            return self.operator_token.get_secret_value()
        if self.operator_token_file is not None:
            return self.operator_token_file.read_text().strip()
        return None
