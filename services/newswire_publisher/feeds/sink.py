"""The feeds' side of the fan-out: which articles each feed holds, newest first.

A feed is a sorted set of article keys in its own slot, with a generation that every
change raises. Bodies are not copied: the document is made from the store's rows.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from newswire_publisher.feeds.model import ALL, DEFAULT_ALL, Feed
from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import to_ms
from newswire_schemas.filters import Filter
from newswire_schemas.streams import FeedKeys

KEPT = 1_000
"""Articles that a feed keeps track of; its document shows the first ``limit`` of them."""


class FeedSinks:
    """All feeds, as one kind of sink."""

    kind = "feed"

    def __init__(self, client: Client, feeds: Table[Feed], partitions: int) -> None:
        self._client = client
        self._feeds = feeds
        self._partitions = partitions
        self._put = Script("newswire_publisher.feeds", "feed.lua")
        self._known: Mapping[str, Feed] | None = None
        self._filters: Mapping[str, Filter] = MappingProxyType({})

    async def filters(self) -> Mapping[str, Filter]:
        feeds = await self._feeds.all()
        if feeds is not self._known:
            self._known = feeds
            wanted = {ALL: DEFAULT_ALL.filter} | {name: feed.filter for name, feed in feeds.items()}
            self._filters = MappingProxyType(wanted)
        return self._filters

    async def deliver(self, dispatches: Sequence[Dispatch]) -> None:
        feeds, known = await self._feeds.all(), await self.filters()
        calls: list[tuple[list[str], list[Word]]] = []
        for dispatch in dispatches:
            feed = feeds.get(dispatch.sink, DEFAULT_ALL)
            keys = FeedKeys(dispatch.sink, self._partitions)
            taken = dispatch.act in RETRACTIONS or dispatch.sink not in known
            score = to_ms(dispatch.moment if feed.order == "updated" else dispatch.published)
            moment = to_ms(dispatch.moment)
            words: list[Word] = [
                dispatch.article.key,
                str(dispatch.article.rank),
                "take" if taken else "put",
                score,
                moment,
                KEPT,
            ]
            calls.append(([keys.items, keys.state, keys.ranks], words))
        await self._put.many(self._client, calls)

    async def forget(self, name: str) -> None:
        """Drop what a deleted feed held."""
        keys = FeedKeys(name, self._partitions)
        await self._client.delete(keys.items, keys.state, keys.ranks)
