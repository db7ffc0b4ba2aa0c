"""The answer to a request for a document: its coding, its validators, 200, 304, 406 or 429; kept for the next such.

    begin(feed) ─▶ the route reads the feed ─▶ give(request, ticket, served)
                                                ├─ 406: takes no coding that there is
                                                ├─ 304: has it (If-None-Match decides, else If-Modified-Since)
                                                ├─ 429: has had it often, and sends no validator
                                                └─ 200
    226: a delta, whatever it has
    200 and 304 of a public feed ─▶ HotAnswers, for requests of the same bytes

What is kept ready is the same for everyone: no answer to credentials or to a request
that names itself, and none that depends on the peer's address.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from newswire_publisher.feeds.caching import cache_control, vary
from newswire_publisher.feeds.codings import Wanted
from newswire_publisher.feeds.conditional import not_modified
from newswire_publisher.feeds.limits import RepeatLimit
from newswire_publisher.feeds.representations import Representation, Representations
from newswire_publisher.feeds.shrinker import Shrinker, make
from newswire_publisher.feeds.validators import last_modified
from newswire_runtime.hot import HotAnswers, Lease, Ticket
from newswire_runtime.hot_protocol import HEAD
from newswire_runtime.http import now
from newswire_runtime.problems import Problem

_PERSONAL = ("authorization", "cookie", "x-request-id")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")


@dataclass(frozen=True, slots=True)
class Served:
    """A document and what is told of it.

    ``private``: for token holders only. ``location``: the address where this format always is, if it was chosen
    by ``Accept``. ``delta``: what has changed since the client's ETag (RFC 3229). ``headers`` are sent with it.
    """

    feed: str
    document: Representations
    modified: datetime
    media_type: str
    ttl: int = 1
    private: bool = False
    location: str | None = None
    delta: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


class FeedAnswers:
    """Answers requests for documents."""

    def __init__(
        self,
        *,
        hot: HotAnswers,
        lease_of: Callable[[str], Lease],
        shrinker: Shrinker,
        limit: RepeatLimit,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hot = hot
        self._lease_of = lease_of
        self._shrinker = shrinker
        self._limit = limit
        self._clock = clock

    def begin(self, feed: str) -> Ticket:
        """Call this before the first read of what the answer depends on."""
        return self._hot.ticket(feed)

    def changed(self, feed: str) -> None:
        """A feed's settings have changed here: nothing that is kept ready for it holds."""
        self._hot.drop(feed)

    async def give(self, request: Request, ticket: Ticket, served: Served) -> Response:
        """Answer GET or HEAD; raise a 406 or 429 problem."""
        wanted = Wanted(joined(request, "accept-encoding"))
        representation = await self._representation(wanted, served)
        tag = None if served.delta else _tag_it_has(request, wanted, served, representation)
        if tag is None:
            self._limit_repeats(request, served)
        response = _respond(served, representation, tag)
        self._keep(request, ticket, served, response)
        return response

    async def _representation(self, wanted: Wanted, served: Served) -> Representation:
        missing = served.document.missing(wanted)
        ready = served.document.ready(wanted)
        if missing is not None:
            if ready is None:
                return await make(served.document, missing)
            if not served.delta:
                self._shrinker.want(served.feed, served.document, missing)
        if ready is None:
            raise Problem(
                406,
                "no-acceptable-coding",
                "Accept-Encoding refuses every coding that there is: identity, gzip, br and zstd; allow one of them",
            )
        return ready

    def _limit_repeats(self, request: Request, served: Served) -> None:
        if _has_validator(request) or request.client is None or request.method == "HEAD":
            return
        wait = self._limit.wait(request.client.host, served.feed, served.document.etag, self._clock())
        if wait:
            raise Problem(
                429,
                "send-a-validator",
                "this document has not changed since you last got it, and you have got it often;"
                " send its ETag as If-None-Match, or its Last-Modified as If-Modified-Since",
                headers={"Retry-After": str(wait)},
            )

    def _keep(self, request: Request, ticket: Ticket, served: Served, response: Response) -> None:
        head = request.scope.get(HEAD)
        shared = not (served.private or served.delta or any(name in request.headers for name in _PERSONAL))
        if head is None or not shared or served.modified > now():
            return  # Last-Modified is told as now until then
        counted = response.status_code == 200 and request.method == "GET" and not _has_validator(request)
        if counted and any(name in request.headers for name in _FORWARDED):
            return  # the limit would be that of the proxy
        self._hot.keep(
            head,
            ticket,
            response,
            self._lease_of(served.feed),
            bodiless=request.method == "HEAD",
            admit=self._admits(served) if counted and self._limit.per_minute else None,
        )

    def _admits(self, served: Served) -> Callable[[str], bool]:
        feed, etag = served.feed, served.document.etag
        return lambda peer: not self._limit.wait(peer, feed, etag, self._clock())


def joined(request: Request, name: str) -> str | None:
    """Return a header's value, all its lines joined (RFC 9110 section 5.3); None if there is none."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


def _tag_it_has(request: Request, wanted: Wanted, served: Served, representation: Representation) -> str | None:
    """Return the ETag of the representation that the client has; None if it has none that is current."""
    if_none_match = joined(request, "if-none-match")
    if if_none_match is not None:
        return served.document.tag_that_matches(if_none_match, wanted)
    since = request.headers.get("if-modified-since")
    unchanged = not_modified(etag=representation.etag, modified=served.modified, if_modified_since=since)
    return representation.etag if unchanged else None


def _has_validator(request: Request) -> bool:
    return "if-none-match" in request.headers or "if-modified-since" in request.headers


def _respond(served: Served, representation: Representation, tag: str | None) -> Response:
    headers = {
        "ETag": tag or representation.etag,
        "Last-Modified": last_modified(served.modified, now()),
        "Cache-Control": cache_control(served.ttl, private=served.private),
        "Vary": vary(negotiated=served.location is not None, private=served.private),
        **served.headers,
    }
    if served.location is not None:
        headers["Content-Location"] = served.location
    if tag is not None:
        return Response(status_code=304, headers=headers)
    if representation.coding != "identity":
        headers["Content-Encoding"] = representation.coding
    if served.delta:
        headers |= {"IM": "feed", "Cache-Control": "no-store"}
    status = 226 if served.delta else 200
    return Response(representation.body, status_code=status, media_type=served.media_type, headers=headers)
