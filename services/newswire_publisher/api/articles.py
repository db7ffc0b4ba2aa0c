"""Reading articles: the list, one by one with their versions, in our JSON, ninjs 3.1 or as a page."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse, Response

from newswire_publisher.articles import newsml, ninjs
from newswire_publisher.articles.history import Version, versions_of
from newswire_publisher.articles.negotiation import prefers_html
from newswire_publisher.articles.search import ArticleSearch, read_cursor, write_cursor
from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.articles.withdrawal import shown_or_gone
from newswire_publisher.routing.entitlement import View, Views
from newswire_runtime.auth import Caller, Role, Tokens
from newswire_runtime.http import authenticate, invalid_fields, now
from newswire_runtime.openapi import PUBLIC
from newswire_runtime.problems import Problem, not_found, unauthorized
from newswire_schemas.article import Article, Rank, to_iso
from newswire_schemas.filters import Filter

ArticlePage = Callable[[Request, str], Awaitable[Response]]
"""Answers with an article's page for people."""


class DryRunRequest(BaseModel):
    """Which filter, over how many days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    filter: Filter = Filter()
    days: int = Field(1, ge=1, le=31)


class ArticleApi:
    """The routes that read articles."""

    def __init__(
        self,
        *,
        store: ArticleStore,
        search: ArticleSearch,
        tokens: Tokens,
        views: Views,
        public: bool,
        base_url: str = "",
        page: ArticlePage | None = None,
    ) -> None:
        self._store = store
        self._search = search
        self._tokens = tokens
        self._views = views
        self._public_wire = public
        self._base_url = base_url
        self._page = page

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/articles", self.list, methods=["GET"], tags=["articles"], openapi_extra=PUBLIC)
        app.add_api_route("/v1/articles/{key}", self.get, methods=["GET"], tags=["articles"], openapi_extra=PUBLIC)
        app.add_api_route(
            "/v1/articles/{key}/versions", self.versions, methods=["GET"], tags=["articles"], openapi_extra=PUBLIC
        )
        app.add_api_route("/v1/feeds/dry-run", self.dry_run, methods=["POST"], tags=["feeds"], openapi_extra=PUBLIC)

    async def list(
        self,
        request: Request,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        filter: Annotated[str | None, Query(description="A filter as JSON.")] = None,
    ) -> dict[str, Any]:
        """List public articles, newest first; `filter` is the filter model as JSON."""
        view = await self._view(request)
        found = await self._search.page(_seen_by(view, _filter_of(filter)), limit, read_cursor(cursor))
        listed: dict[str, Any] = {"items": [_shown(row.article, view) for row in found.rows]}
        return listed | {"cursor": write_cursor(found.after)} if found.after else listed

    async def versions(
        self, request: Request, key: str, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 50
    ) -> dict[str, Any]:
        """List the versions of an article, newest first, each with what it changed.

        Versions from before a withdrawal stay withdrawn; of a killed article there are none (410).
        """
        view = await self._view(request)
        if view is not None:
            raise not_found(
                f"versions of the article {key}"
            )  # an earlier version may be outside of what the token sees
        row = await self._public(key)
        found = await versions_of(self._store, row, limit, _read_rank(cursor))
        listed: dict[str, Any] = {"items": [_version(each) for each in found]}
        more = len(found) == limit and found[-1].changes is not None
        return listed | {"cursor": str(found[-1].shown.rank)} if more else listed

    async def dry_run(self, request: Request, body: DryRunRequest) -> dict[str, Any]:
        """Tell what a filter would have carried in the last days; `truncated` if there were too many to look at."""
        view = await self._view(request)
        found = await self._search.dry_run(_seen_by(view, body.filter), body.days, now())
        return {
            "days": body.days,
            "scanned": found.scanned,
            "matched": found.matched,
            "items": [_shown(row.article, view) for row in found.rows],
            "truncated": found.truncated,
        }

    async def get(self, request: Request, key: str) -> Response:
        """Read an article by `Accept`: our JSON, ninjs 3.1, NewsML-G2 or a page; 410 with the notice after a kill."""
        if self._page is not None and prefers_html(request.headers.get("accept", "")):
            return await self._page(request, key)
        caller = await self._reader(request)
        row = await self._store.row(key)
        if row is None:
            return await self._held(key, caller)
        view = self._views.of(caller.entitlement) if caller else None
        if view is not None and view.narrows:
            seen = [row.article] if row.is_public else await self._store.past(key)
            if not any(map(view.sees, seen)):
                raise not_found(f"article {key}")
        row = shown_or_gone(row)
        if view is not None:
            row = replace(row, article=view.shown(row.article))
        return _by_accept(request, row, self._base_url or str(request.base_url).rstrip("/"))

    async def _view(self, request: Request) -> View | None:
        caller = await self._reader(request)
        return self._views.of(caller.entitlement) if caller else None

    async def _public(self, key: str) -> Row:
        row = await self._store.row(key)
        if row is None:
            raise not_found(f"article {key}")
        return shown_or_gone(row)

    async def _held(self, key: str, caller: Caller | None) -> Response:
        held = await self._store.held(key)
        if held is None or caller is None or not caller.is_operator:
            raise not_found(f"article {key}")
        return JSONResponse(_shown(held), headers={"Cache-Control": "private, no-store"})

    async def _reader(self, request: Request) -> Caller | None:
        caller = await authenticate(request, self._tokens)
        if caller is None and not self._public_wire:
            raise unauthorized("this wire is read with a token")
        if caller is not None and caller.role is Role.SOURCE and not self._public_wire:
            raise Problem(403, "wrong-role", "a source's token submits; read with a subscriber's")
        return caller


def _by_accept(request: Request, row: Row, base_url: str) -> Response:
    accept = request.headers.get("accept", "*/*")
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    if ninjs.MEDIA_TYPE in accept:
        return Response(
            json.dumps(ninjs.to_ninjs(row.article), ensure_ascii=False), media_type=ninjs.MEDIA_TYPE, headers=headers
        )
    if newsml.MEDIA_TYPE in accept:
        return Response(
            newsml.to_newsml(row.article, base_url), media_type=f"{newsml.MEDIA_TYPE}; charset=utf-8", headers=headers
        )
    if not any(kind in accept for kind in ("*/*", "application/*", "application/json", "text/html")):
        raise Problem(406, "not-acceptable", f"there is application/json, {ninjs.MEDIA_TYPE} and {newsml.MEDIA_TYPE}")
    return JSONResponse(_shown(row.article), headers=headers)


def _seen_by(view: View | None, wanted: Filter) -> Filter:
    return Filter(all=(wanted, view.entitlement.filter)) if view is not None and view.narrows else wanted


def _shown(article: Article, view: View | None = None) -> dict[str, Any]:
    article = view.shown(article) if view is not None else article
    return {"key": article.key, **article.model_dump(mode="json", exclude_none=True)}


def _filter_of(text: str | None) -> Filter:
    if text is None:
        return Filter()
    try:
        return Filter.model_validate_json(text)
    except ValidationError as exc:
        raise invalid_fields(exc.errors()) from exc


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version.article.version,
        "act": version.shown.act.value,
        "time": to_iso(version.shown.moment),
        "ed_note": version.article.ed_note,
        "changes": version.changes.to_json() if version.changes is not None else None,
        "article": _shown(version.article),
    }


def _read_rank(cursor: str | None) -> Rank | None:
    try:
        return None if cursor is None else Rank.parse(cursor)
    except ValueError as exc:
        raise Problem(422, "unknown-cursor", "the cursor is not one of ours; start without it") from exc
