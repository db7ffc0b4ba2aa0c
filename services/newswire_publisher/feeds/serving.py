"""Feeds as readers poll them.

    GET /feeds/NAME.EXT ─▶ which feed, may they read it ─▶ current | archive page | delta ─▶ 304, or the document

A feed that was renamed answers 301, one that was deleted 410; one that a reader may not see
is 404, as if it were not there. A reader who sends ``A-IM: feed`` with the ETag of an earlier
document gets 226 and what has changed since (RFC 3229), what left included.
"""

import base64
import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newswire_publisher.feeds.conditional import not_modified
from newswire_publisher.feeds.documents import FeedDocument, FeedDocuments, Wanted
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.model import ALL, DEFAULT_ALL, Feed, FormerFeed
from newswire_publisher.feeds.validators import generation_in, last_modified, variant
from newswire_publisher.routing.entitlement import View, Views
from newswire_runtime import metrics
from newswire_runtime.auth import Tokens
from newswire_runtime.conf import Table
from newswire_runtime.http import now
from newswire_runtime.problems import Problem, not_found

_ZERO = re.compile(r"q\s*=\s*0(\.0*)?\s*\Z")
_FEED_DELTA = re.compile(r"(?:^|,)\s*feed\s*(?:;\s*q\s*=\s*(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?=,|$)", re.IGNORECASE)


class FeedServing:
    """The routes that readers poll."""

    def __init__(
        self,
        *,
        feeds: Table[Feed],
        former: Table[FormerFeed],
        documents: FeedDocuments,
        tokens: Tokens,
        views: Views,
        public: bool,
        base_url: str,
    ) -> None:
        self._feeds = feeds
        self._former = former
        self._documents = documents
        self._tokens = tokens
        self._views = views
        self._public = public
        self._base_url = base_url

    def routes(self) -> list[Route]:
        """Return bare routes: polling is the hot path."""
        return [Route("/feeds/{name}.{extension}", self.serve, methods=["GET", "HEAD"])]

    async def serve(self, request: Request) -> Response:
        """Answer a feed's document, 226 with a delta, or 304 (RFC 9110 section 13)."""
        name, extension = request.path_params["name"], request.path_params["extension"]
        form = FORMATS.get(extension)
        if form is None:
            raise not_found(f"feed {name} as {extension}; there are {', '.join(FORMATS)}")
        base_url = self._base_url or str(request.base_url).rstrip("/")
        feed = await self.find(name)
        if feed is None:
            response = await self._former_feed(request, name, extension, base_url)
        else:
            view = await self._admit(request, name, feed.access)
            response = await self._document(request, Wanted(name, feed, form, base_url, view=view))
        metrics.FEED_REQUESTS.labels(response.status_code).inc()
        return response

    async def find(self, name: str) -> Feed | None:
        return (await self._feeds.all()).get(name) or (DEFAULT_ALL if name == ALL else None)

    async def _former_feed(self, request: Request, name: str, extension: str, base_url: str) -> Response:
        former = (await self._former.all()).get(name)
        if former is None:
            raise not_found(f"feed {name}")
        await self._admit(request, name, former.access)
        if former.moved_to is None:
            raise Problem(410, "feed-deleted", f"the feed {name} was deleted; stop polling it")
        address = f"{base_url}/feeds/{former.moved_to}.{extension}"
        return Response(status_code=301, headers={"Location": address, "Cache-Control": "no-cache"})

    async def _admit(self, request: Request, name: str, access: str) -> View | None:
        """Return what the reader sees of the feed, None for all of it; raise the 404 for who may not read it.

        A token that was revoked, or has expired, gets 410: a feed reader then stops to ask.
        """
        if access == "public" and self._public:
            return None
        secret = _feed_token(request)
        caller = None if secret is None else await self._tokens.caller(secret, now())
        if caller is None:
            if secret and await self._tokens.has_ended(secret, now()):
                detail = (
                    "your token was revoked or has expired; ask the operator for another, and stop polling with this"
                )
                raise Problem(410, "token-ended", detail, headers={"Cache-Control": "private, no-store"})
            raise not_found(f"feed {name}")
        view = self._views.of(caller.entitlement)
        if view is not None and not view.opens(name):
            raise not_found(f"feed {name}")
        return view

    async def _document(self, request: Request, wanted: Wanted) -> Response:
        private = wanted.feed.access == "token" or not self._public
        archive, before = request.query_params.get("archive"), request.query_params.get("before")
        if archive is not None or before is not None:
            document = await self._documents.archive(wanted, archive, before)
            if document is None:
                raise not_found("the page of the archive; begin at the feed and follow its prev-archive links")
            return _respond(request, document, private=private)
        current = await self._documents.current(wanted)
        response = _respond(request, current, private=private)
        since = _delta_base(request)
        if since is None or response.status_code == 304:
            return response
        delta = await self._documents.delta(wanted, since)
        return response if delta is None else _respond(request, delta, private=private, delta=True)


def _delta_base(request: Request) -> int | None:
    """Return the generation that the reader has, if it asks for what came since (RFC 3229, manipulation ``feed``)."""
    if _FEED_DELTA.search(request.headers.get("a-im", "")) is None:
        return None
    return generation_in(request.headers.get("if-none-match", ""))


def _feed_token(request: Request) -> str | None:
    """Return the token as feed readers can give it: Bearer, the password of HTTP Basic (RFC 7617), or ``?token=``."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
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


def _respond(request: Request, document: FeedDocument, *, private: bool, delta: bool = False) -> Response:
    gzipped = _takes_gzip(request.headers.get("accept-encoding", ""))
    etag = variant(document.etag, "gzip") if gzipped else document.etag
    headers = {
        "ETag": etag,
        "Last-Modified": last_modified(document.modified, now()),
        "Cache-Control": "private, no-cache" if private else "public, no-cache",
        "Vary": "Accept-Encoding, A-IM, Authorization" if private else "Accept-Encoding, A-IM",
    }
    if delta:
        headers |= {"IM": "feed", "Cache-Control": "no-store"}
    elif not_modified(
        etag=etag,
        modified=document.modified,
        if_none_match=request.headers.get("if-none-match"),
        if_modified_since=request.headers.get("if-modified-since"),
        method=request.method,
    ):
        return Response(status_code=304, headers=headers)
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(
        document.compressed() if gzipped else document.body,
        status_code=226 if delta else 200,
        media_type=document.media_type,
        headers=headers,
    )
