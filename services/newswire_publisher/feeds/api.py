"""How operators configure feeds."""

from typing import Annotated, Any

from fastapi import Body, FastAPI, Request
from starlette.responses import JSONResponse, Response

from newswire_publisher.feeds.directory_api import DirectoryApi
from newswire_publisher.feeds.model import ALL, Feed, FormerFeed, with_all
from newswire_publisher.feeds.refill import FeedRefills
from newswire_publisher.feeds.serving import FeedServing
from newswire_publisher.feeds.sink import FeedSinks
from newswire_runtime.auth import Name, Role, Tokens
from newswire_runtime.conf import Table
from newswire_runtime.http import require
from newswire_runtime.openapi import PUBLIC
from newswire_runtime.problems import Problem, not_found


class FeedApi:
    """The routes of the feeds' settings."""

    def __init__(
        self,
        *,
        feeds: Table[Feed],
        former: Table[FormerFeed],
        sinks: FeedSinks,
        refills: FeedRefills,
        serving: FeedServing,
        directory: DirectoryApi,
        tokens: Tokens,
    ) -> None:
        self._feeds = feeds
        self._former = former
        self._sinks = sinks
        self._refills = refills
        self._serving = serving
        self._directory = directory
        self._tokens = tokens

    def install(self, app: FastAPI) -> None:
        # Bare routes serve the readers, and the documented one below them is for /docs only.
        app.router.routes.extend([*self._directory.routes(), *self._serving.routes()])
        app.add_api_route(
            "/feeds/{name}.{extension}",
            _documented,
            methods=["GET"],
            tags=["feeds"],
            summary="A feed as RSS, Atom, JSON Feed, ninjs or NewsML-G2.",
            openapi_extra=PUBLIC,
        )
        app.add_api_route("/v1/feeds", self.list, methods=["GET"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}", self.put, methods=["PUT"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}", self.get, methods=["GET"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}", self.delete, methods=["DELETE"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}/rename", self.rename, methods=["POST"], tags=["feeds"])

    async def list(self, request: Request) -> dict[str, Any]:
        """List the feeds (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        feeds = with_all(await self._feeds.all())
        return {"items": [_shown(name, feed) for name, feed in sorted(feeds.items())]}

    async def put(self, request: Request, name: Name, feed: Feed) -> Response:
        """Set up a feed (operator). It fills with the published articles that match, within seconds."""
        await require(request, self._tokens, Role.OPERATOR)
        before = await self._serving.find(name)
        new = await self._feeds.put(name, feed)
        self._serving.changed(name)
        await self._former.delete(name)
        if before is None or before.filter != feed.filter:
            await self._refills.ask(name)
        return JSONResponse(_shown(name, feed), status_code=201 if new else 200)

    async def get(self, request: Request, name: Name) -> dict[str, Any]:
        """Show a feed's settings (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        feed = await self._serving.find(name)
        if feed is None:
            raise not_found(f"feed {name}")
        return _shown(name, feed)

    async def delete(self, request: Request, name: Name) -> Response:
        """Delete a feed (operator): its addresses answer 410 from now on. `all` goes back to its first settings."""
        await require(request, self._tokens, Role.OPERATOR)
        feed = await self._feeds.get(name)
        if feed is None:
            raise not_found(f"feed {name}")
        await self._leave(name, FormerFeed(access=feed.access))
        return Response(status_code=204)

    async def rename(self, request: Request, name: Name, to: Annotated[Name, Body(embed=True)]) -> Response:
        """Give a feed another name (operator): its old addresses answer 301 with the new ones."""
        await require(request, self._tokens, Role.OPERATOR)
        feed = await self._feeds.get(name)
        if feed is None or name == ALL:
            raise not_found(f"feed {name}")
        if to == ALL or not await self._feeds.create(to, feed):
            raise Problem(409, "feed-exists", f"there is a feed {to}; choose another name, or delete it first")
        await self._former.delete(to)
        await self._refills.ask(to)
        await self._leave(name, FormerFeed(access=feed.access, moved_to=to))
        return JSONResponse(_shown(to, feed))

    async def restored(self, name: str) -> None:
        """A feed came back from a backup: it fills, and its addresses are its own again."""
        self._serving.changed(name)
        await self._former.delete(name)
        await self._refills.ask(name)

    async def _leave(self, name: str, former: FormerFeed) -> None:
        """Take a feed away; what is told of it is written first, so that it is never merely unknown."""
        if name == ALL:
            await self._feeds.delete(name)
            self._serving.changed(name)
            await self._refills.ask(name)
            return
        await self._former.put(name, former)
        await self._feeds.delete(name)
        self._serving.changed(name)
        await self._sinks.forget(name)


def _shown(name: str, feed: Feed) -> dict[str, Any]:
    shown = feed.model_dump(mode="json", exclude_none=True)
    return {"name": name, **shown, "filter": feed.filter.model_dump(mode="json", exclude_defaults=True)}


async def _documented(name: str, extension: str) -> Response:  # noqa: ARG001 - never reached: the bare route answers
    """Strong ETags, `If-None-Match` and `If-Modified-Since`; `A-IM: feed` gets what changed since an ETag (226)."""
    raise AssertionError("the bare route answers")
