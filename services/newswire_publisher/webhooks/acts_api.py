"""Webhooks over HTTP: test, verify, enable, disable, and what a filter would have carried."""

import secrets
from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from pydantic import BaseModel, ConfigDict

from newswire_publisher.articles import message
from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.call_limit import CallLimit
from newswire_publisher.webhooks.challenge import Challenger, told
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.dry_run import DryRunRequest, DryRuns
from newswire_publisher.webhooks.model import Status
from newswire_publisher.webhooks.overview import HookOverview
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.sent_requests import SentRequests
from newswire_runtime.http import now
from newswire_runtime.problems import Problem
from newswire_schemas.article import Line, from_ms

TEST_EVENT = "webhook.test"


class Disabling(BaseModel):
    """The body of ``POST …/disable``: why, for whoever looks later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Line | None = None


class ActsApi:
    """The routes of what is done with a webhook at once."""

    def __init__(
        self,
        *,
        access: HookAccess,
        queues: HookQueues,
        overview: HookOverview,
        challenger: Challenger,
        courier: Courier,
        sent: SentRequests,
        calls: CallLimit,
        dry_runs: DryRuns,
    ) -> None:
        self._access = access
        self._queues = queues
        self._overview = overview
        self._challenger = challenger
        self._courier = courier
        self._sent = sent
        self._calls = calls
        self._dry_runs = dry_runs

    def install(self, app: FastAPI) -> None:
        for path, call in (
            ("/dry-run", self.dry_run),
            ("/{hook_id}/test", self.test),
            ("/{hook_id}/verify", self.verify),
            ("/{hook_id}/enable", self.enable),
            ("/{hook_id}/disable", self.disable),
        ):
            app.add_api_route(f"/v1/webhooks{path}", call, methods=["POST"], tags=["webhooks"])

    async def dry_run(self, request: Request, body: DryRunRequest) -> dict[str, Any]:
        """Tell what a filter would have carried in the last days: how much a day, of which types, and samples."""
        await self._access.caller(request)
        return await self._dry_runs.run(body, now())

    async def test(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Send a `webhook.test` event now, once, and answer what came of it; it leaves no entry in the log.

        One that is taken closes the circuit, so that what waits need not wait for the next probe.
        `request` is what was sent, as an attempt shows it, and `response` the body of the answer.
        """
        hook = await self._access.pushing(request, hook_id)
        if hook.status is Status.PENDING:
            raise Problem(409, "not-verified", "the address has not echoed its challenge yet; call POST …/verify first")
        await self._calls.count(hook)
        body = message.build(TEST_EVENT, now(), 0, b'{"note":"a test from newswire"}')
        name = f"test_{secrets.token_hex(8)}"
        outcome = await self._courier.post(hook, name, body)
        if outcome.ok:
            await self._queues.close_circuit(hook.id)
        at_ms = outcome.started_at_ms
        sent = self._sent.of(hook, hook.sending(from_ms(at_ms)), name, at_ms, body)
        return {"delivered": outcome.ok, **told(outcome), "request": sent}

    async def verify(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Send the challenge again to a pending webhook's address; `verification` says what came of it."""
        hook = await self._access.pushing(request, hook_id)
        if hook.verified:
            return (await self._overview.shown([hook]))[0]
        await self._challenger.count(hook)
        hook, verification = await self._challenger.ask(hook)
        return (await self._overview.shown([hook]))[0] | {"verification": verification}

    async def enable(self, request: Request, hook_id: str) -> dict[str, Any]:
        """Let pushes go out again, at once; what waited goes first."""
        await self._access.own(request, hook_id)
        update = {"enabled": True, "disabled_reason": None}
        change = await self._access.change(hook_id, lambda hook: hook.model_copy(update=update))
        await self._queues.resume(hook_id)
        return (await self._overview.shown([change.after]))[0]

    async def disable(
        self, request: Request, hook_id: str, body: Annotated[Disabling | None, Body()] = None
    ) -> dict[str, Any]:
        """Send nothing until it is enabled again; what waits is kept."""
        caller, hook = await self._access.own(request, hook_id)
        who = "its owner" if caller.name == hook.owner else "an operator"
        update = {"enabled": False, "disabled_reason": (body.reason if body else None) or f"disabled by {who}"}
        change = await self._access.change(hook_id, lambda hook: hook.model_copy(update=update))
        return (await self._overview.shown([change.after]))[0]
