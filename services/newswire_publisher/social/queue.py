"""The post queue of each account, on the broker: one script a step, the server's clock.

    offer ─▶ queued ─lease─▶ sending ─settle─▶ sent ─ a recall settled ─▶ recalled
      │         │               ├─ failed, with a time to retry ─▶ queued
      │         │               ├─ failed ─▶ failed ─ resend ─▶ queued
      │         │               └─ the lease ran out ─▶ queued, with the same id
      │         └─ a newer version ─▶ superseded;  a kill, the desk ─▶ cancelled
      └─▶ held, while an older version is being sent: planned when that ends

What can go wrong, and what happens then:

- A dispatch comes twice, late or after a kill: the rank in the article's entry refuses it.
- The poster dies between lease and settle: whether its post is out is unknown. It comes back
  with the same id, by which the poster can tell (design, invariant 3); until it is settled
  it counts as *maybe out*, so that a kill recalls it.
- A newer version or a kill comes while a post is leased: it is held, and planned when the
  lease is settled or lost; whether to post, edit or take back is decided with that knowledge.
- A poster settles with a lease that was lost: 409, unless nobody has had the post since. If
  a newer version or a kill overtook the post, and it was sent all the same, that is
  remembered: a correction then edits it, a kill takes it back.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from newswire_publisher.social.offers import Offer
from newswire_publisher.social.posts import Post
from newswire_runtime.client import Client
from newswire_runtime.scripts import Script, Word
from newswire_schemas.streams import PostKeys

KEPT = 10_000
"""Posts that an account's queue remembers; older ones that are done go."""

PACKAGE = "newswire_publisher.social"


class Did(Enum):
    """How a step on one post ended."""

    UNKNOWN = 0
    DONE = 1
    REFUSED = 2
    OVERTAKEN = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a poster says came of its lease; ``retry_in`` is in seconds."""

    outcome: Literal["sent", "failed"]
    remote_id: str | None = None
    remote_url: str | None = None
    error: str | None = None
    retry_in: float | None = None


class PostQueue:
    """The queues of all accounts."""

    def __init__(self, client: Client, partitions: int, kept: int = KEPT) -> None:
        self._client = client
        self._partitions = partitions
        self._kept = kept
        self._deliver = Script(PACKAGE, "deliver.lua")
        self._lease = Script(PACKAGE, "lease.lua")
        self._settle = Script(PACKAGE, "settle.lua")
        self._act = Script(PACKAGE, "act.lua")

    async def deliver(self, offers: Sequence[Offer]) -> list[bool]:
        """Take offers; return for each whether the version was new to its account."""
        calls: list[tuple[list[str], list[Word]]] = [
            (self._keys(str(offer["account"])).all, [_json(offer), self._kept]) for offer in offers
        ]
        return [bool(result) for result in await self._deliver.many(self._client, calls)]

    async def lease(self, account: str, limit: int, seconds: float) -> list[Post]:
        """Hand out the next posts for some seconds, recalls first; each to one caller only."""
        tokens = [secrets.token_urlsafe(18) for _ in range(limit)]
        bodies = await self._lease(self._client, self._keys(account).all, [round(seconds * 1000), *tokens])
        return [Post.model_validate_json(body) for body in bodies]

    async def settle(self, post_id: str, lease: str, what: Outcome) -> tuple[Did, str]:
        """Take what came of a lease; return the post's state by it. The same lease again changes nothing."""
        retry = "" if what.retry_in is None else round(what.retry_in * 1000)
        words: list[Word] = [post_id, lease, what.outcome, what.remote_id or "", what.remote_url or ""]
        answer = await self._settle(self._client, self._keys_of(post_id).all, [*words, what.error or "", retry])
        return _did(answer)

    async def act(self, post_id: str, verb: Literal["cancel", "resend"]) -> tuple[Did, str]:
        """Cancel what waits, or queue what failed or was cancelled again; return the state that results."""
        return _did(await self._act(self._client, self._keys_of(post_id).all, [verb, post_id]))

    async def counts(self, account: str) -> dict[str, int]:
        """Return how many posts there are by state, as of now."""
        keys = self._keys(account)
        await self._lease(self._client, keys.all, [0])
        raw: Mapping[bytes, bytes] = await self._client.hgetall(keys.counts)
        return {name.decode(): int(count) for name, count in sorted(raw.items()) if name != b"number" and int(count)}

    async def upcoming(self, account: str, limit: int) -> list[Post]:
        """Return the posts that a poster would be handed next."""
        keys = self._keys(account)
        return await self._load(keys, await self._client.zrange(keys.ready, 0, limit - 1))

    async def get(self, post_id: str) -> Post | None:
        found = await self._load(self._keys_of(post_id), [post_id.encode()])
        return found[0] if found else None

    async def of_article(self, account: str, key: str) -> list[Post]:
        """Return an account's posts of an article, oldest first."""
        found = [
            Post.model_validate_json(body)
            async for _, body in self._client.hscan_iter(
                self._keys(account).posts, match=f"{account}~{key}~*", count=1_000
            )
        ]
        return sorted(found, key=place)

    async def newest(
        self, account: str, limit: int, state: str | None = None, before: tuple[int, str] | None = None
    ) -> list[Post]:
        """Return posts of an account in the order of `place`, newest first, below ``before``."""
        keys = self._keys(account)
        await self._lease(self._client, keys.all, [0])
        top: int | str = "+inf" if before is None else before[0]
        found: list[Post] = []
        offset, size = 0, max(limit, 100)
        while len(found) < limit:
            ids = await self._client.zrevrangebyscore(keys.index, top, "-inf", start=offset, num=size)
            for post in await self._load(keys, ids):
                if (before is None or place(post) < before) and (state is None or post.state == state):
                    found.append(post)
            offset += size
            if len(ids) < size:
                break
        return found[:limit]

    async def forget(self, account: str) -> None:
        """Drop the queue of an account that was deleted."""
        await self._client.delete(*self._keys(account).all)

    async def _load(self, keys: PostKeys, ids: Sequence[bytes]) -> list[Post]:
        bodies = await self._client.hmget(keys.posts, ids) if ids else []
        return [Post.model_validate_json(body) for body in bodies if body is not None]

    def _keys(self, account: str) -> PostKeys:
        return PostKeys(account, self._partitions)

    def _keys_of(self, post_id: str) -> PostKeys:
        return self._keys(account_of(post_id))


def account_of(post_id: str) -> str:
    """Return the account that a post's id names; account names have no ``~``."""
    return post_id.partition("~")[0]


def place(post: Post) -> tuple[int, str]:
    """Return where a post stands in lists: by creation, then by id."""
    return post.created, post.id


def _did(answer: Sequence[int | bytes]) -> tuple[Did, str]:
    state = answer[1] if len(answer) > 1 else b""
    return Did(answer[0]), state.decode() if isinstance(state, bytes) else str(state)


def _json(offer: Offer) -> str:
    return json.dumps(offer, ensure_ascii=False)
