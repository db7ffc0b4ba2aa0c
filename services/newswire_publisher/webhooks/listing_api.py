"""Webhooks over HTTP: the list of them, page by page, with their health."""

import base64
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request

from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.model import Status, Webhook
from newswire_publisher.webhooks.overview import HookOverview
from newswire_runtime.problems import Problem


class ListingApi:
    """The route of the list. Its order is that in which webhooks were made, so that pages stay what they are."""

    def __init__(self, access: HookAccess, overview: HookOverview) -> None:
        self._access = access
        self._overview = overview

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/webhooks", self.list, methods=["GET"], tags=["webhooks"])

    async def list(
        self,
        request: Request,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        owner: Annotated[str | None, Query(description="Only those of this token's name.")] = None,
        status: Status | None = None,
    ) -> dict[str, Any]:
        """List the caller's webhooks with their health, the oldest first; an operator sees all."""
        caller = await self._access.caller(request)
        after = _read_cursor(cursor)
        found = sorted(
            (hook.created.isoformat(), hook.id, hook)
            for hook in (await self._access.hooks.all()).values()
            if hook.is_seen_by(caller)
            and owner in (None, hook.owner)
            and status in (None, hook.status)
            and (hook.created.isoformat(), hook.id) > after
        )
        page = [hook for _, _, hook in found[:limit]]
        listed: dict[str, Any] = {"items": await self._overview.shown(page)}
        return listed | {"cursor": _write_cursor(page[-1])} if len(found) > limit else listed


def _write_cursor(hook: Webhook) -> str:
    return base64.urlsafe_b64encode(f"{hook.created.isoformat()} {hook.id}".encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> tuple[str, str]:
    if text is None:
        return "", ""
    try:
        created, _, hook_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(" ")
    except ValueError as exc:
        raise Problem(422, "unknown-cursor", "the cursor is not one of ours; start without it") from exc
    return created, hook_id
