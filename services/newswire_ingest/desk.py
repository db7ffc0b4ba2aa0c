"""The desk on the broker: reads what is known of an article, and accepts versions atomically.

The decision is made here, in Python, on what was read; the script accepts it only
if nobody changed the article in between, else it is made again. A submission that
is answered with ``accepted`` is in the stream and synced.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from newswire_ingest.lifecycle import Accepted, Known
from newswire_runtime.client import Client
from newswire_runtime.group_commit import GroupCommit
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import Article, PubStatus, Rank
from newswire_schemas.events import ArticleReceived
from newswire_schemas.streams import WireKeys, partition_of

D = TypeVar("D")
ATTEMPTS = 50


class ContendedError(Exception):
    """So many submissions change one article at once that this one found no turn; try again."""


class Desk:
    """All articles' newest accepted versions."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._group = GroupCommit(client)
        self._keys = [WireKeys(partition) for partition in range(partitions)]
        self._accept = Script("newswire_ingest", "accept.lua")

    def keys(self, key: str) -> WireKeys:
        return self._keys[partition_of(key, len(self._keys))]

    async def known(self, key: str) -> Known | None:
        flat = await self._group.execute("HGETALL", self.keys(key).desk(key))
        fields = flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
        if not fields:
            return None
        return Known(
            revision=int(fields[b"revision"]),
            rank=Rank.parse(fields[b"rank"].decode()),
            status=PubStatus(fields[b"status"].decode()),
            digest=fields[b"digest"].decode(),
            owner=fields[b"owner"].decode(),
            article=Article.model_validate_json(fields[b"article"]),
        )

    async def settle(
        self, key: str, decide: Callable[[Known | None], D], *, owner: str, trace_id: str, now: datetime
    ) -> D:
        """Decide on what is known, and accept the decision if it is `Accepted`; return it."""
        for _ in range(ATTEMPTS):
            known = await self.known(key)
            decision = decide(known)
            if not isinstance(decision, Accepted):
                return decision
            if await self._commit(key, known, decision, owner=owner, trace_id=trace_id, now=now):
                return decision
        raise ContendedError(f"article {key} is being changed by many submissions at once")

    async def _commit(
        self, key: str, known: Known | None, accepted: Accepted, *, owner: str, trace_id: str, now: datetime
    ) -> bool:
        article, keys = accepted.article, self.keys(key)
        owner = known.owner if known else owner
        event = ArticleReceived(trace_id=trace_id, act=accepted.act, article=article, received_at=now, owner=owner)
        words: list[Word] = [
            known.revision if known else 0,
            str(article.rank),
            article.pub_status.value,
            accepted.digest,
            owner,
            article.model_dump_json(exclude_defaults=True),
            event.model_dump_json(exclude_defaults=True),
        ]
        return bool(await self._group.script(self._accept, [keys.desk(key), keys.received], words))
