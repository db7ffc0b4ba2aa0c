"""Feeds over HTTP: their documents, and how operators configure them."""

import base64
import re
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newswire_publisher.feeds.conditional import not_modified
from newswire_publisher.feeds.document import MEDIA_TYPE
from newswire_publisher.feeds.documents import FeedDocument, FeedDocuments
from newswire_publisher.feeds.model import ALL, DEFAULT_ALL, Feed
from newswire_publisher.feeds.sink import FeedSinks
from newswire_publisher.feeds.validators import last_modified, variant
from newswire_runtime import metrics
from newswire_runtime.auth import Name, Role, Tokens
from newswire_runtime.conf import Table
from newswire_runtime.http import authenticate, now, require
from newswire_runtime.problems import not_found

_ZERO = re.compile(r"q\s*=\s*0(\.0*)?\s*\Z")


class FeedApi:
    """The routes of the feeds."""

    def __init__(
        self,
        *,
        feeds: Table[Feed],
        sinks: FeedSinks,
        documents: FeedDocuments,
        tokens: Tokens,
        public: bool,
        base_url: str,
    ) -> None:
        self._feeds = feeds
        self._sinks = sinks
        self._documents = documents
        self._tokens = tokens
        self._public = public
        self._base_url = base_url

    def install(self, app: FastAPI) -> None:
        # Polling is the hot path: a bare route serves it, and the documented one below it is for /docs only.
        app.router.routes.append(Route("/feeds/{name}.rss", self.rss, methods=["GET", "HEAD"]))
        app.add_api_route(
            "/feeds/{name}.rss", _documented, methods=["GET"], tags=["feeds"], summary="A feed as RSS 2.0."
        )
        app.add_api_route("/v1/feeds", self.list, methods=["GET"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}", self.put, methods=["PUT"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}", self.get, methods=["GET"], tags=["feeds"])
        app.add_api_route("/v1/feeds/{name}", self.delete, methods=["DELETE"], tags=["feeds"])

    async def rss(self, request: Request) -> Response:
        """Answer a feed's document, or 304 (RFC 9110 section 13)."""
        name = request.path_params["name"]
        feed = await self._find(name)
        if feed is None or not await self._may_read(request, feed):
            raise not_found(f"feed {name}")
        base_url = self._base_url or str(request.base_url).rstrip("/")
        document = await self._documents.get(name, feed, base_url)
        private = feed.access == "token" or not self._public
        response = _respond(request, document, private=private)
        metrics.FEED_REQUESTS.labels(response.status_code).inc()
        return response

    async def _find(self, name: str) -> Feed | None:
        return (await self._feeds.all()).get(name) or (DEFAULT_ALL if name == ALL else None)

    async def _may_read(self, request: Request, feed: Feed) -> bool:
        if feed.access == "public" and self._public:
            return True
        secret = _feed_token(request)
        if secret is not None:
            return await self._tokens.caller(secret, now()) is not None
        return await authenticate(request, self._tokens) is not None

    async def list(self, request: Request) -> dict[str, Any]:
        """List the feeds (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        feeds = {ALL: DEFAULT_ALL} | dict(await self._feeds.all())
        return {"items": [_shown(name, feed) for name, feed in sorted(feeds.items())]}

    async def put(self, request: Request, name: Name, feed: Feed) -> Response:
        """Set up a feed (operator). It fills with what is published from now on."""
        await require(request, self._tokens, Role.OPERATOR)
        new = await self._feeds.put(name, feed)
        return JSONResponse(_shown(name, feed), status_code=201 if new else 200)

    async def get(self, request: Request, name: Name) -> dict[str, Any]:
        """Show a feed's settings (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        feed = await self._find(name)
        if feed is None:
            raise not_found(f"feed {name}")
        return _shown(name, feed)

    async def delete(self, request: Request, name: Name) -> Response:
        """Delete a feed (operator); `all` goes back to its first settings."""
        await require(request, self._tokens, Role.OPERATOR)
        if not await self._feeds.delete(name):
            raise not_found(f"feed {name}")
        if name != ALL:
            await self._sinks.forget(name)
        return Response(status_code=204)


def _shown(name: str, feed: Feed) -> dict[str, Any]:
    shown = feed.model_dump(mode="json", exclude_none=True)
    return {"name": name, **shown, "filter": feed.filter.model_dump(mode="json", exclude_defaults=True)}


def _feed_token(request: Request) -> str | None:
    """Return the token as feed readers can give it: the password of HTTP Basic (RFC 7617), or ``?token=``."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.query_params.get("token")
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""  # nobody's token


def _takes_gzip(accept_encoding: str) -> bool:
    """Return whether ``Accept-Encoding`` names gzip, or all, and not with a weight of zero (RFC 9110 12.5.3)."""
    weights = {
        coding.strip().lower(): not _ZERO.search(parameters)
        for coding, _, parameters in (part.partition(";") for part in accept_encoding.split(","))
    }
    return weights.get("gzip", weights.get("*", False))


def _respond(request: Request, document: FeedDocument, *, private: bool) -> Response:
    gzipped = _takes_gzip(request.headers.get("accept-encoding", ""))
    etag = variant(document.etag, "gzip") if gzipped else document.etag
    headers = {
        "ETag": etag,
        "Last-Modified": last_modified(document.modified),
        "Cache-Control": "private, no-cache" if private else "public, no-cache",
        "Vary": "Accept-Encoding, Authorization" if private else "Accept-Encoding",
    }
    unchanged = not_modified(
        etag=etag,
        modified=document.modified,
        if_none_match=request.headers.get("if-none-match"),
        if_modified_since=request.headers.get("if-modified-since"),
        method=request.method,
    )
    if unchanged:
        return Response(status_code=304, headers=headers)
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(document.compressed() if gzipped else document.body, media_type=MEDIA_TYPE, headers=headers)


async def _documented(name: str) -> Response:  # noqa: ARG001 - never reached: the bare route answers
    """RSS 2.0 with a strong ETag; `If-None-Match` and `If-Modified-Since` are honoured."""
    raise AssertionError("the bare route answers")
