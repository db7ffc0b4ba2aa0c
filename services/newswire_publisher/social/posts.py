"""A post as the queue keeps it, and as callers see it."""

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from newswire_schemas.article import Rank, from_ms, to_iso

State = Literal["held", "queued", "sending", "sent", "failed", "cancelled", "recalled", "superseded"]
STATES: tuple[State, ...] = get_args(State)
Action = Literal["post", "edit", "reply", "delete", "notice"]


class Post(BaseModel):
    """One record of a queue. ``of`` is the post that it edits, answers or takes back; times are ms since the epoch.

    ``uncertain``: whether ``of`` is out is not known, because its lease was lost.
    ``takes``: it takes a story back.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    account: str
    key: str
    uri: str
    rank: str
    state: State
    action: Action
    created: int
    changed: int
    attempts: int
    trace_id: str
    text: str = ""
    link: str | None = None
    headline: str | None = None
    language: str | None = None
    takes: bool = False
    of: str | None = None
    uncertain: bool = False
    target_id: str | None = None
    target_url: str | None = None
    remote_id: str | None = None
    remote_url: str | None = None
    error: str | None = None
    lease: str | None = None
    lease_until: int | None = None
    not_before: int | None = None


def leased(post: Post) -> dict[str, Any]:
    """Return what a poster is handed: what to do, to which remote post, and the token to settle with."""
    shown = _core(post) | {"lease": post.lease, "lease_until": _time(post.lease_until)}
    return shown | _given({"of": post.of, "remote_id": post.target_id, "remote_url": post.target_url}) | _doubt(post)


def shown(post: Post) -> dict[str, Any]:
    """Return what the desk sees of a post."""
    target = _given({"post": post.of, "remote_id": post.target_id, "remote_url": post.target_url}) | _doubt(post)
    rest = {
        "account": post.account,
        "state": post.state,
        "created": _time(post.created),
        "changed": _time(post.changed),
        "lease_until": _time(post.lease_until) if post.state == "sending" else None,
        "not_before": _time(post.not_before),
        "target": target or None,
        "remote_id": post.remote_id,
        "remote_url": post.remote_url,
        "error": post.error,
        "trace_id": post.trace_id,
    }
    return _core(post) | _given(rest)


def _core(post: Post) -> dict[str, Any]:
    article = {
        "uri": post.uri,
        "key": post.key,
        "version": Rank.parse(post.rank).version,
        "headline": post.headline,
        "language": post.language,
    }
    return {
        "id": post.id,
        "action": post.action,
        "text": post.text,
        **_given({"link": post.link}),
        "article": _given(article),
        "attempts": post.attempts,
    }


def _doubt(post: Post) -> dict[str, Any]:
    return {"uncertain": True} if post.uncertain else {}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _time(ms: int | None) -> str | None:
    if ms is None:
        return None
    return to_iso(from_ms(ms))
