"""Over HTTP: what was told of the health of webhooks."""

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request

from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.notices import Notices


class NoticesApi:
    """The route of the notices."""

    def __init__(self, access: HookAccess, notices: Notices) -> None:
        self._access = access
        self._notices = notices

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/webhooks/notices", self.notices, methods=["GET"], tags=["webhooks"])

    async def notices(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        webhook: Annotated[str | None, Query(description="Of this webhook alone.")] = None,
    ) -> dict[str, Any]:
        """List what was told of the health of the caller's webhooks, newest first; an operator sees all."""
        caller = await self._access.caller(request)
        owner = None if caller.is_operator else caller.name
        return {"items": await self._notices.newest(limit, owner, webhook)}
