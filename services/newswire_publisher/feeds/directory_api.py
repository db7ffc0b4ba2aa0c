"""The routes of the directory: ``/feeds.opml`` and ``/sitemap-news.xml``."""

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.feeds.conditional import not_modified
from newswire_publisher.feeds.directory import (
    OPML_TYPE,
    SITEMAP_HOURS,
    SITEMAP_PAGE,
    SITEMAP_TYPE,
    opml,
    sitemap,
    sitemap_index,
)
from newswire_publisher.feeds.model import ALL, DEFAULT_ALL, Feed, with_all
from newswire_publisher.feeds.validators import digest_of
from newswire_runtime.conf import Table
from newswire_runtime.http import now
from newswire_runtime.problems import not_found
from newswire_schemas.article import to_ms

MOST_IN_SITEMAP = 50_000


class DirectoryApi:
    """Serves the directory; there is none on a wire that is not public."""

    def __init__(self, *, feeds: Table[Feed], store: ArticleStore, public: bool, base_url: str) -> None:
        self._feeds = feeds
        self._store = store
        self._public = public
        self._base_url = base_url

    def routes(self) -> list[Route]:
        return [
            Route("/feeds.opml", self.opml, methods=["GET", "HEAD"]),
            Route("/sitemap-news.xml", self.sitemap, methods=["GET", "HEAD"]),
        ]

    async def opml(self, request: Request) -> Response:
        """List the public feeds as OPML 2.0."""
        if not self._public:
            raise not_found("feeds.opml")
        feeds = with_all(await self._feeds.all())
        return _answer(request, opml(feeds, self._base(request)), OPML_TYPE)

    async def sitemap(self, request: Request) -> Response:
        """Give the stories of the last 48 hours as a news sitemap, or the index of its pages."""
        if not self._public:
            raise not_found("sitemap-news.xml")
        base_url = self._base(request)
        places = await self._recent(now() - timedelta(hours=SITEMAP_HOURS))
        pages = [places[start : start + SITEMAP_PAGE] for start in range(0, len(places), SITEMAP_PAGE)]
        wanted = request.query_params.get("page")
        if wanted is None and len(pages) > 1:
            moments = [max((row.moment for row in await self._rows(page)), default=now()) for page in pages]
            return _answer(request, sitemap_index(moments, base_url), SITEMAP_TYPE)
        number = int(wanted) if wanted and wanted.isascii() and wanted.isdigit() else 1
        if wanted is not None and not 0 < number <= max(1, len(pages)):
            raise not_found(f"page {wanted} of the sitemap")
        rows = await self._rows(pages[number - 1]) if pages else []
        feed = (await self._feeds.all()).get(ALL, DEFAULT_ALL)
        return _answer(request, sitemap(rows, feed.title, feed.language or "en", base_url), SITEMAP_TYPE)

    async def _recent(self, since: datetime) -> list[str]:
        found: list[str] = []
        before: tuple[int, str] | None = None
        while len(found) < MOST_IN_SITEMAP:
            page = await self._store.newest(SITEMAP_PAGE, before)
            fresh = [key for ms, key in page if ms >= to_ms(since)]
            found += fresh
            if not page or len(fresh) < len(page):
                break
            before = page[-1]
        return found

    async def _rows(self, keys: list[str]) -> list[Row]:
        return [row for row in await self._store.rows(keys) if row is not None and row.is_public]

    def _base(self, request: Request) -> str:
        return self._base_url or str(request.base_url).rstrip("/")


def _answer(request: Request, body: bytes, media_type: str) -> Response:
    etag = f'"{digest_of(body).hex()}"'
    headers = {"ETag": etag, "Cache-Control": "public, no-cache"}
    if not_modified(etag=etag, if_none_match=request.headers.get("if-none-match")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)
