"""Webhooks over HTTP: register, change, test, read the log and the attempts."""

import dataclasses
import json
import secrets
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from newswire_publisher.articles import message
from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.model import Registration, Settings, Webhook
from newswire_publisher.webhooks.notices import Notices
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.signing import Secret
from newswire_runtime.auth import Role, Tokens
from newswire_runtime.conf import Table
from newswire_runtime.http import invalid_fields, now, require
from newswire_runtime.problems import Problem, not_found
from newswire_runtime.ssrf import AddressGuard, RefusedUrl, check_url

Limit = Annotated[int, Query(ge=1, le=500)]


TEST_EVENT = "webhook.test"


class HookApi:
    """The routes of the webhooks."""

    def __init__(
        self,
        *,
        hooks: Table[Webhook],
        queues: HookQueues,
        log: HookLog,
        attempts: Attempts,
        notices: Notices,
        courier: Courier,
        tokens: Tokens,
        guard: AddressGuard,
    ) -> None:
        self._hooks = hooks
        self._queues = queues
        self._log = log
        self._attempts = attempts
        self._notices = notices
        self._courier = courier
        self._tokens = tokens
        self._guard = guard

    def install(self, app: FastAPI) -> None:
        for method, path, call in (
            ("POST", "", self.create),
            ("GET", "", self.list),
            ("GET", "/notices", self.notices),
            ("GET", "/{hook_id}", self.get),
            ("PATCH", "/{hook_id}", self.patch),
            ("DELETE", "/{hook_id}", self.delete),
            ("POST", "/{hook_id}/test", self.test),
            ("POST", "/{hook_id}/enable", self.enable),
            ("POST", "/{hook_id}/disable", self.disable),
            ("GET", "/{hook_id}/events", self.events),
            ("GET", "/{hook_id}/attempts", self.attempts),
        ):
            app.add_api_route(f"/v1/webhooks{path}", call, methods=[method], tags=["webhooks"])

    async def create(self, request: Request, registration: Registration) -> Response:
        """Register a webhook; the answer shows its secret, this once. Without `url` it is pull-only."""
        caller = await require(request, self._tokens, Role.INTEGRATOR, Role.OPERATOR)
        self._check_url(registration.url)
        secret = registration.secret or Secret.generate().reveal()
        settings = {name: getattr(registration, name) for name in Settings.model_fields}
        hook = Webhook(
            id=f"wh_{secrets.token_hex(8)}",
            owner=caller.name,
            is_operators=caller.is_operator,
            created=now(),
            secrets=(secret,),
            **settings,
        )
        await self._hooks.create(hook.id, hook)
        await self._queues.apply(hook)
        return JSONResponse(hook.shown() | {"secret": secret}, status_code=201)

    async def list(self, request: Request) -> dict[str, Any]:
        """List the caller's webhooks; an operator sees all."""
        caller = await require(request, self._tokens, Role.INTEGRATOR, Role.OPERATOR)
        return {"items": [hook.shown() for hook in (await self._hooks.all()).values() if caller.owns(hook.owner)]}

    async def get(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Show a webhook, with how much waits and the log's last sequence."""
        hook = await self._own(request, hook_id)
        (counts,) = await self._queues.counts([hook.id])
        return hook.shown() | dataclasses.asdict(counts)

    async def patch(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Change some settings: a JSON object of what changes (RFC 7396)."""
        hook = await self._own(request, hook_id)
        try:
            changes = json.loads(await request.body())
        except ValueError as exc:
            raise Problem(422, "malformed-input", f"the body is no JSON: {exc}") from exc
        if not isinstance(changes, dict):
            raise Problem(422, "malformed-input", "the body must be a JSON object of what changes")
        current = hook.model_dump(mode="json", include=set(Settings.model_fields))
        try:
            settings = Settings.model_validate(
                {name: value for name, value in (current | changes).items() if value is not None}
            )
        except ValidationError as exc:
            raise invalid_fields(exc.errors()) from exc
        self._check_url(settings.url)
        update = {name: getattr(settings, name) for name in Settings.model_fields}
        return await self._change(hook_id, update)

    async def delete(self, request: Request, hook_id: str) -> Response:
        """Delete a webhook, its log and what waits."""
        hook = await self._own(request, hook_id)
        await self._hooks.delete(hook.id)
        await self._queues.forget(hook.id)
        return Response(status_code=204)

    async def test(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Send a `webhook.test` event now, once, and answer what came of it."""
        hook = await self._own(request, hook_id)
        if not hook.pushes:
            raise Problem(409, "not-possible", "the webhook is pull-only: it has no url to send a test to")
        body = message.build(TEST_EVENT, now(), 0, b'{"note":"a test from newswire"}')
        outcome = await self._courier.post(hook, f"test_{secrets.token_hex(8)}", body)
        return {
            "delivered": outcome.ok,
            "status": outcome.status,
            "error": outcome.error.value if outcome.error else None,
            "detail": outcome.detail,
            "ms": round(outcome.duration_ms, 1),
            "response": outcome.excerpt[:2_000].decode(errors="replace"),
        }

    async def enable(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Let pushes go out again; what waited goes first."""
        await self._own(request, hook_id)
        shown = await self._change(hook_id, {"enabled": True, "disabled_reason": None})
        await self._queues.resume(hook_id)
        return shown

    async def disable(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Send nothing until it is enabled again; what waits is kept."""
        await self._own(request, hook_id)
        return await self._change(hook_id, {"enabled": False, "disabled_reason": "disabled by its owner"})

    async def events(
        self, request: Request, hook_id: str, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 100
    ) -> dict[str, Any]:
        """Read the log after a sequence number; `payload` holds the very bytes that a push carries."""
        hook = await self._own(request, hook_id)
        items = []
        for entry in await self._log.after(hook.id, after, limit):
            body = await self._log.body(hook, entry)
            items.append(
                {
                    "sequence": entry.sequence,
                    "uri": entry.uri,
                    "version": entry.version,
                    "type": entry.type,
                    "time": entry.moment.isoformat().replace("+00:00", "Z"),
                    "payload": None if body is None else body.decode(),
                }
            )
        return {"items": items, "cursor": str(items[-1]["sequence"]) if items else str(after)}

    async def attempts(self, request: Request, hook_id: str, limit: Limit = 100) -> dict[str, Any]:
        """List the attempts of the last 30 days, newest first."""
        hook = await self._own(request, hook_id)
        return {"items": await self._attempts.newest(hook.id, limit)}

    async def notices(self, request: Request, limit: Limit = 100) -> dict[str, Any]:
        """List what was told of the health of the caller's webhooks, newest first; an operator sees all."""
        caller = await require(request, self._tokens, Role.INTEGRATOR, Role.OPERATOR)
        return {"items": await self._notices.newest(limit, None if caller.is_operator else caller.name)}

    async def _change(self, hook_id: str, update: dict[str, Any]) -> dict[str, Any]:
        changed = await self._hooks.update(
            hook_id, lambda hook: hook.model_copy(update={**update, "revision": hook.revision + 1})
        )
        if changed is None:
            raise not_found(f"webhook {hook_id}")
        await self._queues.apply(changed)
        return changed.shown()

    async def _own(self, request: Request, hook_id: str) -> Webhook:
        caller = await require(request, self._tokens, Role.INTEGRATOR, Role.OPERATOR)
        hook = await self._hooks.get(hook_id)
        if hook is None or not caller.owns(hook.owner):
            raise not_found(f"webhook {hook_id}")
        return hook

    def _check_url(self, url: str | None) -> None:
        if url is None:
            return
        try:
            check_url(url, self._guard)
        except RefusedUrl as exc:
            detail = f"/url: {exc}"
            raise Problem(422, "refused-url", detail, errors=[{"pointer": "/url", "detail": str(exc)}]) from exc
