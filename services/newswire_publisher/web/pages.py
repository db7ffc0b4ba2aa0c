"""The pages' routes: HTML for people, with errors in the same look; and the files that pages need.

/articles/KEY ─ Accept ─┬─ JSON, ninjs, NewsML-G2 ─▶ what /v1/articles/KEY answers
                        └─ anything else          ─▶ the page
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from newswire_publisher.articles.negotiation import prefers_document, prefers_html
from newswire_publisher.web.article import ArticlePage
from newswire_publisher.web.console import Console
from newswire_publisher.web.directory import FeedDirectory
from newswire_publisher.web.front import FrontPage
from newswire_publisher.web.site import Site, answer
from newswire_runtime.problems import Problem, not_found
from newswire_schemas.article import key_of

Page = Callable[[Request], Awaitable[Response]]
Documents = Callable[[Request, str], Awaitable[Response]]
"""Answers with an article by its key as the API does."""

_TITLES = {
    401: "This wire is private",
    403: "This token does not read",
    404: "There is no such page",
    422: "That cannot be read",
}
_FOR_EVER = "public, max-age=31536000, immutable"


class WebPages:
    """Installs all pages."""

    def __init__(
        self, site: Site, front: FrontPage, article: ArticlePage, directory: FeedDirectory, console: Console
    ) -> None:
        self._site = site
        self._front = front
        self._article = article
        self._directory = directory
        self._console = console

    def install(self, app: FastAPI, documents: Documents) -> None:
        pages: list[tuple[str, Page]] = [
            ("/", self._front),
            ("/articles", self._by_uri),
            ("/feeds", self._directory),
            *self._console.pages(),
        ]
        for path, page in pages:
            app.add_route(path, self._guarded(page), methods=["GET"], include_in_schema=False)
        article = _by_accept(self._guarded(self._article), documents)
        app.add_route("/articles/{key}", article, methods=["GET"], include_in_schema=False)
        app.add_route("/static/{name}", self.asset, methods=["GET"], include_in_schema=False)
        app.add_route("/favicon.ico", self.icon, methods=["GET"], include_in_schema=False)
        app.add_route("/robots.txt", self.robots, methods=["GET"], include_in_schema=False)
        others = app.exception_handlers[HTTPException]

        async def unknown_page(request: Request, exc: HTTPException) -> Response:
            if prefers_html(request.headers.get("accept", "")) and not request.url.path.startswith("/v1/"):
                return self._error(request, Problem(exc.status_code, "error", str(exc.detail)))
            answered: Response = await others(request, exc)  # type: ignore[misc] # the runtime's is async
            return answered

        app.add_exception_handler(HTTPException, unknown_page)  # type: ignore[arg-type] # for this exception alone

    def _guarded(self, page: Page) -> Page:
        async def guarded(request: Request) -> Response:
            try:
                return await page(request)
            except Problem as exc:
                return self._error(request, exc)

        return guarded

    async def _by_uri(self, request: Request) -> Response:
        """Answer with the page of the article that ``?uri=`` names: its key is a hash that a script cannot make."""
        uri = request.query_params.get("uri")
        if not uri:
            raise not_found("article without a uri")
        return await self._article.show(request, key_of(uri))

    async def article(self, request: Request, key: str) -> Response:
        """Answer with an article's page, at whatever address it was asked for."""
        try:
            return await self._article.show(request, key)
        except Problem as exc:
            return self._error(request, exc)

    async def asset(self, request: Request) -> Response:
        """Answer with one of our files."""
        asset = self._site.assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        return answer(request, asset.body, asset.media_type, {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"})

    async def icon(self, request: Request) -> Response:
        """Answer browsers that look for the icon where it always was."""
        icon = next(asset for asset in self._site.assets.values() if asset.name == "favicon.svg")
        return answer(request, icon.body, icon.media_type, {"Cache-Control": "public, max-age=86400"})

    async def robots(self, request: Request) -> Response:
        """Answer crawlers: pages and feeds on a public wire, nothing on a private one."""
        if self._site.public:
            lines = ["User-agent: *", "Disallow: /v1/", f"Sitemap: {self._site.base_url(request)}/sitemap-news.xml"]
        else:
            lines = ["User-agent: *", "Disallow: /"]
        body = "\n".join([*lines, ""]).encode()
        return answer(request, body, "text/plain; charset=utf-8", {"Cache-Control": "public, max-age=3600"})

    def _error(self, request: Request, problem: Problem) -> Response:
        title = _TITLES.get(problem.status, "That did not work")
        return self._site.page(
            request,
            "error.html",
            status=problem.status,
            headers={**problem.headers, "Cache-Control": "no-store"},
            title=title,
            problem=problem,
        )


def _by_accept(page: Page, documents: Documents) -> Page:
    async def answered(request: Request) -> Response:
        if not prefers_document(request.headers.get("accept", "")):
            return await page(request)
        try:
            return await documents(request, request.path_params["key"])
        except Problem as exc:
            response = exc.response()
            response.headers["Vary"] = "Accept"
            return response

    return answered
