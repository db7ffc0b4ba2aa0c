"""Reading articles: the list, one by one, in our JSON or ninjs 3.1."""

import base64
import json
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import ValidationError
from starlette.responses import JSONResponse, Response

from newswire_publisher.articles import ninjs
from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.routing.facts import facts_of
from newswire_publisher.routing.shape import compile_filter
from newswire_publisher.routing.topics import TopicTree
from newswire_runtime.auth import Caller, Role, Tokens
from newswire_runtime.http import authenticate, invalid_fields
from newswire_runtime.problems import Problem, not_found, unauthorized
from newswire_schemas.article import Article
from newswire_schemas.filters import Filter

SCANNED = 2_000
"""Articles that one call with a filter looks at, at most; the cursor goes on from there."""


class ArticleApi:
    """The routes that read articles."""

    def __init__(self, *, store: ArticleStore, tokens: Tokens, topics: TopicTree, public: bool) -> None:
        self._store = store
        self._tokens = tokens
        self._topics = topics
        self._public = public

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/articles", self.list, methods=["GET"], tags=["articles"])
        app.add_api_route("/v1/articles/{key}", self.get, methods=["GET"], tags=["articles"])

    async def list(
        self,
        request: Request,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        filter: Annotated[str | None, Query(description="A filter as JSON.")] = None,
    ) -> dict[str, Any]:
        """List public articles, newest first; `filter` is the filter model as JSON."""
        await self._reader(request)
        holds = compile_filter(_filter_of(filter))
        before = _read_cursor(cursor)
        items: list[dict[str, Any]] = []
        scanned = 0
        while len(items) < limit and scanned < SCANNED:
            page = await self._store.newest(limit, before)
            if not page:
                return {"items": items}
            scanned += len(page)
            rows = await self._store.rows([key for _, key in page])
            for place, row in zip(page, rows, strict=True):
                before = place
                if row is not None and row.is_public and holds(facts_of(row.article, self._topics)):
                    items.append(_shown(row.article))
                    if len(items) == limit:
                        break
        return {"items": items, "cursor": _write_cursor(before)} if before else {"items": items}

    async def get(self, request: Request, key: str) -> Response:
        """Read an article by `Accept`: our JSON, or `application/ninjs+json`; 410 with the notice after a kill."""
        caller = await self._reader(request)
        row = await self._store.row(key)
        if row is None:
            return await self._held(key, caller)
        if row.published is None:
            raise not_found(f"article {key}")  # withdrawn before anyone saw it: its notice would tell of it
        if not row.is_public:
            raise Problem(
                410,
                "withdrawn",
                row.article.ed_note or f"the article was withdrawn: {row.act}",
                uri=row.article.uri,
                version=row.article.version,
                act=row.act.value,
                headline=row.article.headline,
            )
        return _by_accept(request, row)

    async def _held(self, key: str, caller: Caller | None) -> Response:
        held = await self._store.held(key)
        if held is None or caller is None or not caller.is_operator:
            raise not_found(f"article {key}")
        return JSONResponse(_shown(held), headers={"Cache-Control": "private, no-store"})

    async def _reader(self, request: Request) -> Caller | None:
        caller = await authenticate(request, self._tokens)
        if caller is None and not self._public:
            raise unauthorized("this wire is read with a token")
        if caller is not None and caller.role is Role.SOURCE and not self._public:
            raise Problem(403, "wrong-role", "a source's token submits; read with a subscriber's")
        return caller


def _by_accept(request: Request, row: Row) -> Response:
    accept = request.headers.get("accept", "*/*")
    headers = {"Vary": "Accept", "Cache-Control": "no-cache"}
    if ninjs.MEDIA_TYPE in accept:
        return Response(
            json.dumps(ninjs.to_ninjs(row.article), ensure_ascii=False), media_type=ninjs.MEDIA_TYPE, headers=headers
        )
    if not any(kind in accept for kind in ("*/*", "application/*", "application/json", "text/html")):
        raise Problem(406, "not-acceptable", f"there is application/json and {ninjs.MEDIA_TYPE}")
    return JSONResponse(_shown(row.article), headers=headers)


def _shown(article: Article) -> dict[str, Any]:
    return {"key": article.key, **article.model_dump(mode="json", exclude_none=True)}


def _filter_of(text: str | None) -> Filter:
    if text is None:
        return Filter()
    try:
        return Filter.model_validate_json(text)
    except ValidationError as exc:
        raise invalid_fields(exc.errors()) from exc


def _write_cursor(place: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(f"{place[0]}:{place[1]}".encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    try:
        ms, _, key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").partition(":")
        return int(ms), key
    except ValueError as exc:
        raise Problem(422, "unknown-cursor", "the cursor is not one of ours; start without it") from exc
