"""Who calls: bearer tokens with one role each.

    operator    everything
    source      submits articles, and changes its own
    integrator  registers webhooks, and sees its own
    subscriber  reads token feeds

A token is shown once, when it is made; the broker keeps its SHA-256 only. A subscriber's
may be limited to an entitlement.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_schemas.article import Utc
from newswire_schemas.entitlements import Entitlement

KEEP_ENDED = timedelta(days=90)
"""How long readers of a token feed are told that their token was revoked, and not just that there is nothing."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
"""The name of a token, source, feed or account."""


class Role(StrEnum):
    """What a token may do."""

    OPERATOR = "operator"
    SOURCE = "source"
    INTEGRATOR = "integrator"
    SUBSCRIBER = "subscriber"


class Token(BaseModel):
    """A token as it is kept; the secret itself is not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    role: Role
    name: Name
    created: Utc
    expires: Utc | None = None
    entitlement: Entitlement | None = None


class EndedToken(BaseModel):
    """What is remembered of a token that was revoked."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: Utc


class Caller(BaseModel):
    """Whoever made a request."""

    model_config = ConfigDict(frozen=True)

    role: Role
    name: str
    entitlement: Entitlement | None = None

    @property
    def is_operator(self) -> bool:
        return self.role is Role.OPERATOR

    def owns(self, owner: str) -> bool:
        return self.is_operator or self.name == owner


class Tokens:
    """Makes, knows and revokes tokens."""

    def __init__(self, client: Client, operator_token: str | None) -> None:
        self._table = Table(client, "tokens", Token)
        self._ended = Table(client, "ended_tokens", EndedToken)
        self._operator = digest_of(operator_token) if operator_token else None

    async def create(
        self,
        role: Role,
        name: str,
        now: datetime,
        expires: datetime | None = None,
        entitlement: Entitlement | None = None,
    ) -> tuple[str, Token]:
        """Make a token; return the secret, which is not kept, and its record."""
        secret = f"nw_{secrets.token_urlsafe(32)}"
        digest = digest_of(secret)
        token = Token(id=digest[:16], role=role, name=name, created=now, expires=expires, entitlement=entitlement)
        await self._table.put(digest, token)
        return secret, token

    async def caller(self, secret: str, now: datetime) -> Caller | None:
        """Return whose token it is, or None if it is unknown or expired."""
        return await self.holder(digest_of(secret), now)

    async def holder(self, digest: str, now: datetime) -> Caller | None:
        """Return whose token has this digest, or None if there is none or it is expired."""
        if self._operator is not None and hmac.compare_digest(digest, self._operator):
            return Caller(role=Role.OPERATOR, name="operator")
        token = (await self._table.all()).get(digest)
        if token is None or (token.expires is not None and token.expires <= now):
            return None
        return Caller(role=token.role, name=token.name, entitlement=token.entitlement)

    async def has_ended(self, secret: str, now: datetime) -> bool:
        """Return whether there was such a token, and it was revoked or has expired."""
        digest = digest_of(secret)
        token = (await self._table.all()).get(digest)
        if token is not None:
            return token.expires is not None and token.expires <= now
        return digest in await self._ended.all()

    async def all(self) -> list[Token]:
        return list((await self._table.all()).values())

    async def revoke(self, token_id: str, now: datetime) -> bool:
        """Forget a token by its id, but that it has ended for `KEEP_ENDED`; return whether there was one."""
        for digest, ended in (await self._ended.all()).items():
            if ended.at + KEEP_ENDED < now:
                await self._ended.delete(digest)
        for digest, token in (await self._table.all()).items():
            if token.id == token_id:
                await self._ended.put(digest, EndedToken(at=now))
                return await self._table.delete(digest)
        return False


def digest_of(secret: str) -> str:
    """Return what is kept of a token: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()
