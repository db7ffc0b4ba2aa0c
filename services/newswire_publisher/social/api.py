"""Social over HTTP: accounts, what is queued and posted, and the face for outside posters. Operators only."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query, Request
from starlette.responses import JSONResponse, Response

from newswire_publisher.social.accounts import Account
from newswire_publisher.social.bodies import LeaseBody, PreviewBody, SettleBody, article_of
from newswire_publisher.social.offers import preview
from newswire_publisher.social.posts import Post, State, leased, shown
from newswire_publisher.social.queue import Did, account_of, place
from newswire_publisher.social.sink import SocialSinks
from newswire_runtime.auth import Name, Role, Tokens
from newswire_runtime.http import now, require
from newswire_runtime.problems import Problem, not_found
from newswire_schemas.article import Article

LoadArticle = Callable[[str], Awaitable[Article | None]]
"""Finds an article by its key, None if there is none to show."""

Id = Annotated[str, Path(max_length=200)]


class SocialApi:
    """The routes of the accounts, their posts and their queues."""

    def __init__(self, *, sinks: SocialSinks, tokens: Tokens, load_article: LoadArticle) -> None:
        self._sinks = sinks
        self._accounts = sinks.accounts
        self._queue = sinks.queue
        self._tokens = tokens
        self._load_article = load_article

    def install(self, app: FastAPI) -> None:
        def route(method: str, path: str, serve: Callable[..., Any]) -> None:
            app.add_api_route(f"/v1/social/{path}", serve, methods=[method], tags=["social"])

        route("GET", "accounts", self.list_accounts)
        route("PUT", "accounts/{name}", self.put_account)
        route("GET", "accounts/{name}", self.get_account)
        route("DELETE", "accounts/{name}", self.delete_account)
        route("GET", "posts", self.list_posts)
        route("GET", "posts/{post_id}", self.get_post)
        route("POST", "posts/{post_id}/cancel", self.cancel)
        route("POST", "posts/{post_id}/resend", self.resend)
        route("POST", "preview", self.preview)
        route("GET", "queues/{name}", self.get_queue)
        route("POST", "queues/{name}/lease", self.lease)
        route("POST", "queues/{name}/settle", self.settle)

    async def list_accounts(self, request: Request) -> dict[str, Any]:
        """List the accounts (operator)."""
        await self._operator(request)
        return {"items": [_account(name, account) for name, account in (await self._accounts.all()).items()]}

    async def put_account(self, request: Request, name: Name, account: Account) -> Response:
        """Set up an account (operator). It takes what is published from now on."""
        await self._operator(request)
        new = await self._accounts.put(name, account)
        return JSONResponse(_account(name, account), status_code=201 if new else 200)

    async def get_account(self, request: Request, name: Name) -> dict[str, Any]:
        """Show an account without its secrets (operator)."""
        await self._operator(request)
        return _account(name, await self._account(name))

    async def delete_account(self, request: Request, name: Name) -> Response:
        """Delete an account and its queue (operator). What it has posted stays out, and is not recalled later."""
        await self._operator(request)
        if not await self._accounts.delete(name):
            raise not_found(f"account {name}")
        await self._queue.forget(name)
        return Response(status_code=204)

    async def list_posts(
        self,
        request: Request,
        account: Name | None = None,
        state: State | None = None,
        cursor: Annotated[str | None, Query(max_length=400)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """List posts, newest first (operator)."""
        await self._operator(request)
        names = list(await self._accounts.all()) if account is None else [account]
        if account is not None:
            await self._account(account)
        before = None if cursor is None else _place_of(cursor)
        found: list[Post] = []
        for name in names:
            found += await self._queue.newest(name, limit + 1, state, before)
        found.sort(key=place, reverse=True)
        more = {"cursor": _cursor_of(found[limit - 1])} if len(found) > limit else {}
        return {"items": [shown(post) for post in found[:limit]], **more}

    async def get_post(self, request: Request, post_id: Id) -> dict[str, Any]:
        """Show a post (operator)."""
        await self._operator(request)
        return await self._shown_post(post_id)

    async def cancel(self, request: Request, post_id: Id) -> dict[str, Any]:
        """Cancel a post that is queued or held (operator)."""
        return await self._act(request, post_id, "cancel")

    async def resend(self, request: Request, post_id: Id) -> dict[str, Any]:
        """Queue a post again that failed or was cancelled (operator)."""
        return await self._act(request, post_id, "resend")

    async def preview(self, request: Request, body: PreviewBody) -> dict[str, str]:
        """Answer the very texts that would go out for an article (operator)."""
        await self._operator(request)
        account = await self._account(body.account)
        if body.article is not None:
            return preview(account, article_of(body.article, now()), self._sinks.base_url)
        article = await self._load_article(body.key or "")
        if article is None:
            raise not_found(f"article {body.key}")
        return preview(account, article, self._sinks.base_url)

    async def get_queue(
        self, request: Request, name: Name, limit: Annotated[int, Query(ge=1, le=100)] = 10
    ) -> dict[str, Any]:
        """Count an account's posts by state, and show the next ones (operator)."""
        await self._operator(request)
        await self._account(name)
        counts = await self._queue.counts(name)
        upcoming = await self._queue.upcoming(name, limit)
        return {"account": name, "counts": counts, "next": [shown(post) for post in upcoming]}

    async def lease(self, request: Request, name: Name, body: LeaseBody | None = None) -> dict[str, Any]:
        """Lease the next posts, recalls first (operator). Settle each before its lease ends."""
        await self._operator(request)
        await self._account(name)
        wanted = body or LeaseBody()
        return {"items": [leased(post) for post in await self._queue.lease(name, wanted.limit, wanted.seconds)]}

    async def settle(self, request: Request, name: Name, body: SettleBody) -> dict[str, Any]:
        """Say what came of a leased post (operator). To say it again answers the same."""
        await self._operator(request)
        await self._account(name)
        if account_of(body.id) != name:
            raise not_found(f"post {body.id} of account {name}")
        did, state = await self._queue.settle(body.id, body.lease, body.what)
        if did is Did.UNKNOWN:
            raise not_found(f"post {body.id}")
        if did is Did.REFUSED:
            detail = f"the lease is outdated; the post is now {state}: do nothing more for it under this lease"
            raise Problem(409, "lease-outdated", detail, state=state)
        return {"id": body.id, "state": state}

    async def _act(self, request: Request, post_id: str, verb: Literal["cancel", "resend"]) -> dict[str, Any]:
        await self._operator(request)
        await self._shown_post(post_id)
        did, state = await self._queue.act(post_id, verb)
        if did is Did.UNKNOWN:
            raise not_found(f"post {post_id}")
        if did is Did.OVERTAKEN:
            raise Problem(409, "overtaken", "a newer version of the article has come; this one stays where it is")
        if did is Did.REFUSED:
            needed = "queued or held" if verb == "cancel" else "failed or cancelled"
            raise Problem(409, "not-possible", f"to {verb} a post it must be {needed}; it is {state}", state=state)
        return await self._shown_post(post_id)

    async def _shown_post(self, post_id: str) -> dict[str, Any]:
        known = account_of(post_id) in await self._accounts.all()
        post = await self._queue.get(post_id) if known else None
        if post is None:
            raise not_found(f"post {post_id}")
        return shown(post)

    async def _account(self, name: str) -> Account:
        account = (await self._accounts.all()).get(name)
        if account is None:
            raise not_found(f"account {name}")
        return account

    async def _operator(self, request: Request) -> None:
        await require(request, self._tokens, Role.OPERATOR)


def _account(name: str, account: Account) -> dict[str, Any]:
    fields = account.model_dump(mode="json", exclude_none=True)
    return {"name": name, **fields, "filter": account.filter.model_dump(mode="json", exclude_defaults=True)}


def _cursor_of(post: Post) -> str:
    return base64.urlsafe_b64encode(f"{post.created} {post.id}".encode()).decode().rstrip("=")


def _place_of(cursor: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
        created, _, post_id = text.partition(" ")
        return int(created), post_id
    except (binascii.Error, ValueError) as error:
        raise Problem(422, "bad-cursor", "the cursor is not one of ours; start again without it") from error
