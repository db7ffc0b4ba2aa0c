"""Whose a webhook is, and its changes for those who call.

    request ─▶ token ─▶ own webhook ─▶ changes.py

Another's webhook is the same 404 as one that there is not.
"""

from collections.abc import Callable

from fastapi import Request

from newswire_publisher.webhooks.changes import Change, HookChanges
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.auth import Caller, Role, Tokens
from newswire_runtime.conf import ChangedMeanwhileError, Table
from newswire_runtime.http import require
from newswire_runtime.problems import Problem, not_found


class HookAccess:
    """Finds and changes webhooks for those who call."""

    def __init__(self, *, hooks: Table[Webhook], tokens: Tokens, queues: HookQueues) -> None:
        self.hooks = hooks
        self._tokens = tokens
        self._changes = HookChanges(hooks, queues)

    async def caller(self, request: Request) -> Caller:
        """Return who calls, an integrator or operator; raise a 401 or 403 problem otherwise."""
        return await require(request, self._tokens, Role.INTEGRATOR, Role.OPERATOR)

    async def operator(self, request: Request) -> Caller:
        """Return who calls, an operator; raise a 401 or 403 problem otherwise."""
        return await require(request, self._tokens, Role.OPERATOR)

    async def own(self, request: Request, hook_id: str) -> tuple[Caller, Webhook]:
        """Return who calls, and the webhook if it is the caller's; raise a 401, 403 or 404 problem otherwise."""
        caller = await self.caller(request)
        hook = await self.hooks.get(hook_id)
        if hook is None or not hook.is_seen_by(caller):
            raise not_found(f"webhook {hook_id}")
        return caller, hook

    async def pushing(self, request: Request, hook_id: str) -> Webhook:
        """Return the caller's webhook if it has an address; raise a 409 problem if it is pull-only."""
        _, hook = await self.own(request, hook_id)
        return must_push(hook)

    async def change(self, hook_id: str, change: Callable[[Webhook], Webhook]) -> Change:
        """Replace a webhook by ``change`` of it, and tell the queue; raise a 404 problem if it is gone."""
        try:
            changed = await self._changes.change(hook_id, change)
        except ChangedMeanwhileError as exc:
            raise Problem(503, "contended", str(exc), headers={"Retry-After": "1"}) from exc
        if changed is None:
            raise not_found(f"webhook {hook_id}")
        return changed


def must_push(hook: Webhook) -> Webhook:
    """Return the webhook if it has an address; raise a 409 problem if it is pull-only."""
    if not hook.pushes:
        raise Problem(409, "not-possible", "the webhook is pull-only: give it a url first, with PATCH")
    return hook
