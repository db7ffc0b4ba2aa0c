"""Over HTTP: what was told of the health of webhooks."""

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from newswire_publisher.webhooks.access import HookAccess
from newswire_publisher.webhooks.notices import Notices


class Asked(BaseModel):
    """Which notices a list is to have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(100, ge=1, le=500)
    webhook: str | None = Field(None, description="Of this webhook alone.")


class NoticesApi:
    """The route of the notices."""

    def __init__(self, access: HookAccess, notices: Notices) -> None:
        self._access = access
        self._notices = notices

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/webhooks/notices", self.notices, methods=["GET"], tags=["webhooks"])

    async def notices(self, request: Request, asked: Annotated[Asked, Query()]) -> dict[str, Any]:
        """List what was told of the health of the caller's webhooks, newest first; an operator sees all."""
        caller = await self._access.caller(request)
        owner = None if caller.is_operator else caller.name
        return {"items": await self._notices.newest(asked.limit, owner, asked.webhook)}
