"""Rotating an endpoint's secret, and sealing all of them with a new master key, over HTTP.

    POST /v1/webhooks/{id}/rotate-secret   {"grace", "secret"?} ─▶ 200 with the id and, this once, the new secret
    POST /v1/webhooks/rekey                (operator) ─▶ 200 {"webhooks", "unreadable"}

A rotation is one change of the row: two at once both count, one after the other. Who asks again after
an answer that did not come rotates once more, and both new secrets sign; with an ``Idempotency-Key`` the first answer
comes again. What is kept with it is the new key's id, and the secret is read from where the webhook keeps it.

What may go wrong: five keys live (409, which says until when), no master key (503), a `secret` that is none,
of the other scheme, or signs already (422). Nothing is changed then.
"""

from datetime import timedelta
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.responses import JSONResponse, Response

from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.keys import DEFAULT_GRACE, MAX_GRACE, TooManyKeysError, rotated
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.patching import check_scheme, refusal
from newswire_publisher.webhooks.repeats import HEADER_DOC, Repeats
from newswire_publisher.webhooks.signing import Signature, parse_secret
from newswire_runtime.http import now
from newswire_runtime.problems import Problem
from newswire_schemas.article import to_iso


class Rotation(BaseModel):
    """The body of ``POST …/rotate-secret``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grace: int = Field(
        int(DEFAULT_GRACE.total_seconds()),
        ge=0,
        le=int(MAX_GRACE.total_seconds()),
        description="Seconds that the secrets so far go on signing beside the new one; 0: they end at once.",
    )
    secret: str | None = Field(None, description="Your own: `whsec_…`, or for v1a a private key `whsk_…`.")

    @field_validator("secret")
    @classmethod
    def _readable(cls, text: str | None) -> str | None:
        if text is not None:
            parse_secret(text)
        return text


class RotationApi:
    """The routes."""

    def __init__(self, access: HookAccess, keyring: Keyring, repeats: Repeats) -> None:
        self._access = access
        self._keyring = keyring
        self._repeats = repeats

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/webhooks/rekey", self.rekey, methods=["POST"], tags=["webhooks"])
        path = "/v1/webhooks/{hook_id}/rotate-secret"
        app.add_api_route(path, self.rotate, methods=["POST"], tags=["webhooks"], openapi_extra=HEADER_DOC)

    async def rotate(self, request: Request, hook_id: str, rotation: Rotation | None = None) -> Response:
        """Make a new secret, or take one that is brought and fits `signature`; the answer shows it, this once."""
        asked = rotation or Rotation()
        caller, _ = await self._access.own(request, hook_id)
        name = await self._repeats.name_of(request, caller)

        async def make() -> dict[str, Any]:
            return {"key": await self._rotate(request, hook_id, asked, name)}

        kept, headers = await self._repeats.once(request, caller, make)
        _, hook = await self._access.own(request, hook_id)
        key = next((key for key in hook.keys if key.id == kept["key"]), None)
        if key is None:
            raise Problem(409, "not-possible", "the secret of this Idempotency-Key has been rotated away since")
        return JSONResponse(hook.shown() | {"secret": self._keyring.shown(hook_id, key)}, headers=dict(headers))

    async def _rotate(self, request: Request, hook_id: str, asked: Rotation, name: str | None) -> str:
        """Put a new key in front, unless one of this name was made already; return its id."""
        _, hook = await self._access.own(request, hook_id)
        other = next(scheme for scheme in Signature if scheme != hook.signature)
        check_scheme(asked.secret, hook.signature, f'change the webhook first: PATCH {{"signature": "{other}"}}')
        key, _ = self._keyring.make(hook_id, hook.signature, now(), asked.secret, name)
        if asked.secret is not None and self._keyring.has(hook, asked.secret, key.created, but=key.id):
            detail = "signs this webhook's pushes already; give another, or leave it out and one is made"
            raise refusal([{"pointer": "/secret", "detail": detail}])

        def change(hook: Webhook) -> Webhook:
            if any(each.id == key.id for each in hook.keys):
                return hook  # the first call with this Idempotency-Key died after it
            keys = rotated(hook.keys, key, key.created, timedelta(seconds=asked.grace))
            return hook.model_copy(update={"keys": keys, "signature": key.signature})

        try:
            await self._access.change(hook_id, change)
        except TooManyKeysError as exc:
            detail = f"{exc}; rotate after that, or with grace 0, which ends all others at once"
            raise Problem(409, "too-many-secrets", detail, free_at=to_iso(exc.free_at)) from exc
        return key.id

    async def rekey(self, request: Request) -> dict[str, Any]:
        """Encrypt all secrets with the first of NEWSWIRE_SECRET_KEY (operator); name those that no key opens."""
        await self._access.operator(request)
        written, unreadable = 0, []
        for name, hook in (await self._access.hooks.all()).items():
            if not self._keyring.stale(hook):
                continue
            # The table seals whatever is written.
            changed = await self._access.hooks.update(name, lambda hook: hook)
            if changed is None:
                continue
            left = self._keyring.stale(changed)
            unreadable += [{"webhook": name, "key": key} for key in left]
            written += not left
        return {"webhooks": written, "unreadable": unreadable}
