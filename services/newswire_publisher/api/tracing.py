"""Where an article went: its receipts, and the trace of every stage, delivery and post of it. For operators."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Request

from newswire_publisher.articles.message import WITHDRAWAL_TYPES
from newswire_publisher.articles.store import ArticleStore, Mark
from newswire_publisher.webhooks.receipts import Receipt, Receipts, Taken
from newswire_runtime.auth import Role, Tokens
from newswire_runtime.http import require
from newswire_runtime.problems import not_found
from newswire_schemas.article import to_iso

PostsOf = Callable[[str, str], Awaitable[list[dict[str, Any]]]]
"""``(account, article's key)`` to the posts that there are, as the social API shows them."""


class TraceApi:
    """The routes that tell where an article went."""

    def __init__(self, *, store: ArticleStore, tokens: Tokens, receipts: Receipts, posts_of: PostsOf) -> None:
        self._store = store
        self._tokens = tokens
        self._receipts = receipts
        self._posts_of = posts_of

    def install(self, app: FastAPI) -> None:
        for path, call in (("receipts", self.receipts), ("trace", self.trace)):
            app.add_api_route(f"/v1/articles/{{key}}/{path}", call, methods=["GET"], tags=["articles"])

    async def receipts(self, request: Request, key: str) -> dict[str, Any]:
        """Tell who got which version when, and of a killed article who took the kill.

        One that was deleted since has `deleted`, and what it took for as long as attempts are kept.
        `kill` is `taken` with its time, `waiting` while it is in the queue or on its way, `failed`, or `kept` in the
        log of who pulls.
        """
        await require(request, self._tokens, Role.OPERATOR)
        _, ledger = await self._known(key)
        hooks, others = _sorted(ledger)
        items = [_receipt(each, ledger[f"hook:{each.hook_id}"]) for each in await self._receipts.of(key, hooks)]
        items += [
            {"sink": kind, "name": name, "version": _version(ledger[f"{kind}:{name}"])}
            | ({"posts": await self._posts_of(name, key)} if kind == "post" else {})
            for kind, name in others
        ]
        return {"key": key, "items": items}

    async def trace(self, request: Request, key: str) -> dict[str, Any]:
        """Tell every stage, delivery and post of an article, in the order of time."""
        await require(request, self._tokens, Role.OPERATOR)
        marks, ledger = await self._known(key)
        hooks, others = _sorted(ledger)
        items = []
        for mark in marks:
            version = {"version": mark.rank.version, "act": mark.act.value, "trace_id": mark.trace_id}
            if mark.accepted is not None:
                items.append({"at": to_iso(mark.accepted), "stage": "accepted", **version})
            items.append(
                {"at": to_iso(mark.moment), "stage": "published" if mark.is_public else "withdrawn", **version}
            )
        for receipt in await self._receipts.of(key, hooks):
            for attempt in await self._receipts.attempts(receipt):
                items.append({"stage": "webhook", "webhook": receipt.hook_id, **attempt})
        for name in [name for kind, name in others if kind == "post"]:
            items += [
                {"at": post["created"], "stage": "post", "account": name, **post}
                for post in await self._posts_of(name, key)
            ]
        return {"key": key, "sinks": sorted(ledger), "items": sorted(items, key=lambda each: str(each.get("at", "")))}

    async def _known(self, key: str) -> tuple[list[Mark], dict[str, str]]:
        (marks,) = await self._store.marks([key])
        if not marks:
            raise not_found(f"article {key}")
        return marks, await self._store.ledger(key)


def _sorted(ledger: dict[str, str]) -> tuple[list[str], list[tuple[str, str]]]:
    split = [(kind, name) for kind, _, name in (sink.partition(":") for sink in sorted(ledger))]
    return [name for kind, name in split if kind == "hook"], [each for each in split if each[0] != "hook"]


def _receipt(receipt: Receipt, rank: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"sink": "webhook", "name": receipt.hook_id, "version": _version(rank)}
    hook, newest = receipt.hook, receipt.newest
    if hook is None:
        shown |= {"deleted": True, **receipt.whose}
    else:
        shown |= {"owner": hook.owner, "url": hook.url, "description": hook.description}
    if hook is None and newest is None:
        return shown
    shown["taken"] = [_taken(each) for each in receipt.taken]
    if newest is not None:
        shown["newest"] = {"sequence": newest.sequence, "version": newest.version, "type": newest.type}
        shown["state"] = receipt.state
    if newest is not None and newest.type in WITHDRAWAL_TYPES:
        at = next((to_iso(each.at) for each in receipt.taken if each.entry.sequence == newest.sequence), None)
        shown["kill"] = {"state": receipt.state, "sequence": newest.sequence} | ({"at": at} if at else {})
    return shown


def _taken(taken: Taken) -> dict[str, Any]:
    entry = taken.entry
    return {"sequence": entry.sequence, "version": entry.version, "type": entry.type, "at": to_iso(taken.at)}


def _version(rank: str) -> int:
    return int(rank.partition(":")[0])
