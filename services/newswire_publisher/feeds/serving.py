"""Feeds as readers poll them.

    GET /feeds/NAME.EXT ─▶ which feed, may they read it ─▶ current | archive page | delta ─▶ FeedAnswers
    GET /feeds/NAME     ─▶ the same, in the format that Accept asks for

A feed that was renamed answers 301, one that was deleted 410; one that a reader may not see
is 404, as if it were not there. A reader who sends ``A-IM: feed`` with the ETag of an earlier
document gets 226 and what has changed since (RFC 3229), what left included.
"""

import re
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newswire_publisher.feeds.answers import FeedAnswers, Served, joined
from newswire_publisher.feeds.documents import FeedDocument, FeedDocuments, Wanted
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.model import Feed, FormerFeed, feed_of
from newswire_publisher.feeds.negotiation import choose_format
from newswire_publisher.feeds.validators import generation_in
from newswire_publisher.routing.entitlement import View, Views
from newswire_runtime import metrics
from newswire_runtime.auth import Tokens
from newswire_runtime.conf import Table
from newswire_runtime.http import now, reader_token
from newswire_runtime.problems import Problem, not_found

_FEED_DELTA = re.compile(r"(?:^|,)\s*feed\s*(?:;\s*q\s*=\s*(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?=,|$)", re.IGNORECASE)


class FeedServing:
    """The routes that readers poll."""

    def __init__(
        self,
        *,
        feeds: Table[Feed],
        former: Table[FormerFeed],
        documents: FeedDocuments,
        answers: FeedAnswers,
        tokens: Tokens,
        views: Views,
        public: bool,
        base_url: str,
    ) -> None:
        self._feeds = feeds
        self._former = former
        self._documents = documents
        self._answers = answers
        self._tokens = tokens
        self._views = views
        self._public = public
        self._base_url = base_url

    def routes(self) -> list[Route]:
        """Return bare routes: polling is the hot path."""
        return [
            Route("/feeds/{name}.{extension}", self.serve, methods=["GET", "HEAD"]),
            Route("/feeds/{name}", self.serve, methods=["GET", "HEAD"]),
        ]

    async def serve(self, request: Request) -> Response:
        """Answer a feed's document, 226 with a delta, or 304 (RFC 9110 section 13)."""
        try:
            response = await self._serve(request)
        except Problem as problem:
            metrics.FEED_REQUESTS.labels(problem.status).inc()
            raise
        metrics.FEED_REQUESTS.labels(response.status_code).inc()
        return response

    async def _serve(self, request: Request) -> Response:
        name, extension = request.path_params["name"], request.path_params.get("extension")
        if extension is not None and extension not in FORMATS:
            raise not_found(f"feed {name} as {extension}; there are {', '.join(FORMATS)}")
        ticket = self._answers.begin(name)
        base_url = self._base_url or str(request.base_url).rstrip("/")
        feed = await self.find(name)
        if feed is None:
            return await self._former_feed(request, name, extension, base_url)
        view = await self._admit(request, name, feed.access)
        wanted = Wanted(name, feed, FORMATS[extension or _negotiated(request)], base_url, view=view)
        document, delta = await self._document(request, wanted)
        served = Served(
            name,
            document.made,
            document.modified,
            document.media_type,
            ttl=document.ttl,
            private=feed.access == "token" or not self._public,
            location=wanted.address(_page_query(request)) if extension is None else None,
            delta=delta,
            headers={"Link": document.links},
        )
        return await self._answers.give(request, ticket, served)

    def changed(self, name: str) -> None:
        """A feed's settings have changed: no answer that is kept ready for it holds."""
        self._answers.changed(name)

    async def find(self, name: str) -> Feed | None:
        return feed_of(await self._feeds.all(), name)

    async def _former_feed(self, request: Request, name: str, extension: str | None, base_url: str) -> Response:
        former = (await self._former.all()).get(name)
        if former is None:
            raise not_found(f"feed {name}")
        await self._admit(request, name, former.access)
        if former.moved_to is None:
            raise Problem(410, "feed-deleted", f"the feed {name} was deleted; stop polling it")
        address = f"{base_url}/feeds/{former.moved_to}" + (f".{extension}" if extension else "")
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

    async def _document(self, request: Request, wanted: Wanted) -> tuple[FeedDocument, bool]:
        """Return the document that is asked for, and whether it is a delta."""
        archive, before = request.query_params.get("archive"), request.query_params.get("before")
        if archive is not None or before is not None:
            document = await self._documents.archive(wanted, archive, before)
            if document is None:
                raise not_found("the page of the archive; begin at the feed and follow its prev-archive links")
            return document, False
        current = await self._documents.current(wanted)
        since = _delta_base(request)
        if since is None or since == current.generation:
            return current, False
        delta = await self._documents.delta(wanted, since)
        return (current, False) if delta is None else (delta, True)


def _page_query(request: Request) -> str | None:
    """Return the part of the query that names a document; a token in it is repeated nowhere."""
    given = {name: request.query_params[name] for name in ("archive", "before") if name in request.query_params}
    return urlencode(given) or None


def _negotiated(request: Request) -> str:
    """Return the extension of the format that the client prefers; raise a 406 problem if it takes none."""
    extension = choose_format(
        joined(request, "accept"), [(each.extension, each.media_type) for each in FORMATS.values()]
    )
    if extension is None:
        raise Problem(
            406,
            "no-acceptable-format",
            "Accept names no format that there is; allow one of `formats`, or add its extension to the address",
            headers={"Vary": "Accept"},
            formats={each.extension: each.media_type for each in FORMATS.values()},
        )
    return extension


def _delta_base(request: Request) -> int | None:
    """Return the generation that the reader has, if it asks for what came since (RFC 3229, manipulation ``feed``)."""
    if _FEED_DELTA.search(joined(request, "a-im") or "") is None:
        return None
    return generation_in(joined(request, "if-none-match") or "")


def _feed_token(request: Request) -> str | None:
    """Return the token as feed readers can give it: in the header, or as ``?token=``."""
    given = reader_token(request.headers.get("authorization", ""))
    return request.query_params.get("token") if given is None else given
