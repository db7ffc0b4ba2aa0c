"""Whose a webhook is, and the one way to change one.

    request ─▶ token ─▶ own webhook ─▶ change ─▶ table (raised revision) ─▶ queue

Another's webhook is the same 404 as one that there is not. A change is made from what is stored at
that moment, whoever else writes; only what changes anything raises the revision and reaches the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.auth import Caller, Role, Tokens
from newswire_runtime.conf import ChangedMeanwhileError, Table
from newswire_runtime.http import require
from newswire_runtime.problems import Problem, not_found


@dataclass(frozen=True, slots=True)
class Change:
    """A webhook before and after a change."""

    before: Webhook
    after: Webhook

    @property
    def moved(self) -> bool:
        """Whether its pushes go to another address now."""
        return self.before.url != self.after.url


class HookAccess:
    """Finds and changes webhooks for those who call."""

    def __init__(self, *, hooks: Table[Webhook], tokens: Tokens, queues: HookQueues) -> None:
        self.hooks = hooks
        self._tokens = tokens
        self._queues = queues

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
        before: list[Webhook] = []

        def raised(hook: Webhook) -> Webhook:
            before[:] = [hook]
            after = change(hook)
            return hook if after == hook else after.model_copy(update={"revision": hook.revision + 1})

        try:
            after = await self.hooks.update(hook_id, raised)
        except ChangedMeanwhileError as exc:
            raise Problem(503, "contended", str(exc), headers={"Retry-After": "1"}) from exc
        if after is None:
            raise not_found(f"webhook {hook_id}")
        if after.revision != before[0].revision:
            await self._queues.apply(after)
        return Change(before[0], after)


def must_push(hook: Webhook) -> Webhook:
    """Return the webhook if it has an address; raise a 409 problem if it is pull-only."""
    if not hook.pushes:
        raise Problem(409, "not-possible", "the webhook is pull-only: give it a url first, with PATCH")
    return hook
