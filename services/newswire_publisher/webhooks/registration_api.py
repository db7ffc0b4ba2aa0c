"""Webhooks over HTTP: register, show, change and delete.

    POST ─▶ checked ─▶ (counted) ─▶ table ─▶ queue ─▶ (challenged) ─▶ 201 with the secret, this once

With an ``Idempotency-Key`` a repeated call answers as the first one did: what is kept with the key is the id
alone, and the secret is read from where the webhook keeps it. A call that died half-way left at most the
webhook itself, whose id is kept with the key for a day, so that the repeated call finds it.
"""

import secrets
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.challenge import Challenger
from newswire_publisher.webhooks.changes import Change
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.model import Registration, Settings, Webhook
from newswire_publisher.webhooks.overview import HookOverview
from newswire_publisher.webhooks.patching import check, check_scheme, patched
from newswire_publisher.webhooks.pushes import Proof
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.repeats import HEADER_DOC
from newswire_runtime.auth import Caller
from newswire_runtime.bodies import read_body
from newswire_runtime.http import now
from newswire_runtime.idempotency import REPEATED, Answers
from newswire_runtime.merge_patch import MEDIA_TYPE
from newswire_runtime.problems import Problem
from newswire_runtime.ssrf import AddressGuard
from newswire_runtime.strict_json import read_json

_MAX_PATCH = 200_000


class _UncountedError(Exception):
    """The change would have the webhook's address challenged, and that is not counted yet."""

    def __init__(self, hook: Webhook) -> None:
        super().__init__(hook.id)
        self.hook = hook


class RegistrationApi:
    """The routes of the webhooks' settings. ``limit``: how many an integrator may have; ``proof_seconds``: how long
    it is known what a deleted one took."""

    def __init__(
        self,
        *,
        access: HookAccess,
        queues: HookQueues,
        overview: HookOverview,
        challenger: Challenger,
        answers: Answers,
        guard: AddressGuard,
        keyring: Keyring,
        limit: int,
        proof_seconds: int,
    ) -> None:
        self._access = access
        self._hooks = access.hooks
        self._queues = queues
        self._overview = overview
        self._challenger = challenger
        self._answers = answers
        self._guard = guard
        self._keyring = keyring
        self._limit = limit
        self._proof_seconds = proof_seconds

    def install(self, app: FastAPI) -> None:
        for method, path, call, more in (
            ("POST", "", self.create, _CREATE_DOC),
            ("GET", "/{hook_id}", self.get, {}),
            ("PATCH", "/{hook_id}", self.patch, _PATCH_DOC),
            ("DELETE", "/{hook_id}", self.delete, {"status_code": 204}),
        ):
            app.add_api_route(f"/v1/webhooks{path}", call, methods=[method], tags=["webhooks"], **more)

    async def create(self, request: Request, registration: Registration) -> Response:
        """Register a webhook; the answer shows its secret, this once. Without `url` it is pull-only.

        With `challenge` its address must first echo a token; `verification` says what came of it.
        """
        caller = await self._access.caller(request)
        check(registration, self._guard)
        if "signature" in registration.model_fields_set:  # else the secret decides
            check_scheme(registration.secret, registration.signature, "leave signature out, and the secret decides")
        key = request.headers.get("idempotency-key")
        if key is None:
            made, repeated = await self._make(caller, registration, f"wh_{secrets.token_hex(8)}"), False
        else:
            whose = f"webhooks:{caller.role}:{caller.name}"

            async def make() -> dict[str, Any]:
                return await self._make(caller, registration, f"wh_{await self._answers.name_of(whose, key)}")

            made, repeated = await self._answers.once(whose, key, await request.body(), make)
        hook = await self._hooks.get(made["id"])
        if hook is None:
            detail = "the webhook that this Idempotency-Key made has been deleted; use a new key for a new one"
            raise Problem(409, "not-possible", detail)
        shown = hook.shown() | made
        first = next((key for key in hook.keys if key.created == hook.created), None)
        if first is not None:  # else it was rotated away since
            shown["secret"] = self._keyring.shown(hook.id, first)
        return JSONResponse(shown, status_code=201, headers=REPEATED if repeated else None)

    async def _make(self, caller: Caller, registration: Registration, hook_id: str) -> dict[str, Any]:
        """Make the webhook and ask its address; return its id, and what came of the question."""
        settings = {name: getattr(registration, name) for name in Settings.model_fields}
        key, _ = self._keyring.make(hook_id, registration.signature, now(), registration.secret)
        settings["signature"] = key.signature
        pending = self._challenger.is_due(registration)
        hook = Webhook(
            id=hook_id,
            owner=caller.name,
            is_operators=caller.is_operator,
            created=key.created,
            keys=(key,),
            verified=not pending,
            **settings,
        )
        await self._refuse_over_limit(caller)
        if pending:
            await self._challenger.count(hook)
        if not await self._hooks.create(hook.id, hook):
            # The first call with this key died: its webhook is as good as ours.
            before = await self._hooks.get(hook_id)
            if before is not None and settings == {name: getattr(before, name) for name in Settings.model_fields}:
                return {"id": before.id}
            return await self._make(caller, registration, f"wh_{secrets.token_hex(8)}")
        await self._refuse_over_limit(caller, hook)
        await self._queues.apply(hook, anew=True)
        if not pending:
            return {"id": hook.id}
        _, verification = await self._challenger.ask(hook)
        return {"id": hook.id, "verification": verification}

    async def _refuse_over_limit(self, caller: Caller, made: Webhook | None = None) -> None:
        """Raise a 409 problem if an integrator has too many; of several made at once, the last ones go."""
        if caller.is_operator:
            return
        hooks = await self._hooks.all()
        mine = sorted((hook.created, hook.id) for hook in hooks.values() if hook.owner == caller.name)
        place = len(mine) if made is None else mine.index((made.created, made.id))
        if place < self._limit:
            return
        if made is not None:
            await self._hooks.delete(made.id)
            await self._queues.forget(made.id)  # an article may have come meanwhile
        detail = f"you have {self._limit} webhooks, as many as one may have; delete one, or ask the operator for more"
        raise Problem(409, "too-many-webhooks", detail, limit=self._limit)

    async def get(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Show a webhook: its settings, how much waits, since when it fails, the log's last sequence."""
        _, hook = await self._access.own(request, hook_id)
        return (await self._overview.shown([hook]))[0]

    async def patch(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Change some settings: a JSON object of what changes (RFC 7396); `null` takes one back to its default.

        Nothing else is touched: a pause or a backlog stays. Pushes to a new address start at once.
        """
        await self._access.own(request, hook_id)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in ("", "application/json", MEDIA_TYPE):
            headers = {"Accept-Patch": f"{MEDIA_TYPE}, application/json"}
            raise Problem(415, "unsupported-format", f"send the changes as {MEDIA_TYPE}", headers=headers)
        try:
            changes = read_json(await read_body(request, _MAX_PATCH))
        except ValueError as exc:
            raise Problem(422, "malformed-input", f"the body is no JSON: {exc}") from exc
        change = await self._change(hook_id, changes)
        hook, answer = change.after, {}
        if change.moved:
            await self._queues.resume(hook_id)
        if change.before.verified and not hook.verified:
            hook, answer["verification"] = await self._challenger.ask(hook)
        return (await self._overview.shown([hook]))[0] | answer

    async def _change(self, hook_id: str, changes: object) -> Change:
        """Patch a webhook; whether it may be challenged is asked before that is written."""
        counted = False

        def change(hook: Webhook) -> Webhook:
            after = patched(hook, changes, self._guard, challenge=self._challenger.required, now=now())
            if hook.verified and not after.verified and not counted:
                raise _UncountedError(hook)
            return after

        try:
            return await self._access.change(hook_id, change)
        except _UncountedError as exc:
            await self._challenger.count(exc.hook)
            counted = True
            return await self._access.change(hook_id, change)

    async def delete(self, request: Request, hook_id: str) -> Response:
        """Delete a webhook, its log and what waits; receipts know what it took for as long as attempts are kept."""
        _, hook = await self._access.own(request, hook_id)
        await self._hooks.delete(hook.id)
        whose = {"owner": hook.owner, "url": hook.url, "description": hook.description}
        await self._queues.forget(hook.id, Proof(whose, self._proof_seconds))
        return Response(status_code=204)


_CREATE_DOC: dict[str, Any] = {
    "status_code": 201,
    "openapi_extra": HEADER_DOC,
}
_PATCH_DOC: dict[str, Any] = {
    "openapi_extra": {
        "requestBody": {"required": True, "content": {MEDIA_TYPE: {"schema": Settings.model_json_schema()}}}
    }
}
