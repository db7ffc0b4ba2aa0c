"""The feeds' side of the fan-out: which articles each feed holds, and what has left it.

    dispatch ─▶ feed.lua, in the feed's slot ─▶ items, generation, tombstone · bell · hub

Bodies are not copied: a document is made from the store's versions. Every change raises
the feed's generation, rings its partition's bell, and marks the feed for the hub, in one
step. A version that the feed knows, or an older one, changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from newswire_publisher.feeds.model import ALL, DEFAULT_ALL, Feed
from newswire_publisher.feeds.tombstone import MOST, tombstone_of
from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import to_ms
from newswire_schemas.filters import Filter
from newswire_schemas.streams import FeedKeys

ARCHIVE_PAGE = 100
"""Articles that come to a feed before its archive begins another page."""


class FeedSinks:
    """All feeds, as one kind of sink.

    ``changed`` is told which feeds this process has just changed, before the articles count as handled: what it
    keeps ready of them is gone by then, without waiting for the bell.
    """

    kind = "feed"

    def __init__(
        self, client: Client, feeds: Table[Feed], partitions: int, changed: Callable[[str], None] | None = None
    ) -> None:
        self._client = client
        self._feeds = feeds
        self._partitions = partitions
        self._changed = changed
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
        known = await self._feeds.having(each.sink for each in dispatches if each.sink != ALL)
        await self._apply([each for each in dispatches if each.sink in known or each.sink == ALL], again=False)

    async def refill(self, dispatches: Sequence[Dispatch]) -> None:
        """Put in, or take out, versions that their feeds may know already, unless the feed is deleted."""
        known = await self.filters()
        await self._apply([each for each in dispatches if each.sink in known], again=True)

    async def _apply(self, wanted: Sequence[Dispatch], *, again: bool) -> None:
        """Put each article in where it matches, take it out where not; ``again`` for a version that the feed knows."""
        try:
            await self._put.many(self._client, [self._call(each, again=again) for each in wanted])
        finally:
            if self._changed is not None:
                for name in dict.fromkeys(each.sink for each in wanted):
                    self._changed(name)

    def _call(self, dispatch: Dispatch, *, again: bool) -> tuple[list[str], list[Word]]:
        keys = FeedKeys(dispatch.sink, self._partitions)
        taken = dispatch.act in RETRACTIONS or not dispatch.matches
        words: list[Word] = [
            dispatch.sink,
            dispatch.article.key,
            str(dispatch.article.rank),
            "take" if taken else "put",
            to_ms(dispatch.published),
            to_ms(dispatch.moment),
            tombstone_of(dispatch).model_dump_json(exclude_none=True) if taken else "",
            "again" if again else "live",
            ARCHIVE_PAGE,
            MOST,
        ]
        return [*keys.own, keys.bell, keys.subscribers, keys.dirty], words

    async def forget(self, name: str) -> None:
        """Drop what a deleted feed held; who is subscribed to it is told so."""
        keys = FeedKeys(name, self._partitions)
        await self._client.delete(*keys.own)
        if await self._client.exists(keys.subscribers):
            await self._client.zadd(keys.dirty, {name: 0})
            await self._client.xadd(keys.bell, {"feed": name, "generation": 0}, maxlen=1000)
