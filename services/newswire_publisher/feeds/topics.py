"""The feeds as topics that a hub distributes: who may read one, and its document as it is now."""

from newswire_publisher.feeds.documents import FeedDocuments, Wanted
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.model import Feed, feed_of
from newswire_publisher.routing.entitlement import View, Views
from newswire_runtime.auth import Tokens, digest_of
from newswire_runtime.conf import Table
from newswire_runtime.http import now

ANYBODY = ""


class FeedTopics:
    """Answers for all feeds; a reader is ``""`` for anybody, or the digest of a token."""

    def __init__(
        self, *, feeds: Table[Feed], documents: FeedDocuments, tokens: Tokens, views: Views, public: bool
    ) -> None:
        self._feeds = feeds
        self._documents = documents
        self._tokens = tokens
        self._views = views
        self._public = public

    async def reader(self, name: str, extension: str, secret: str | None) -> str | None:
        """Return who reads the feed with this token, None if it is no feed or not theirs to read."""
        if extension not in FORMATS:
            return None
        for reader in (ANYBODY, *([digest_of(secret)] if secret else [])):
            if await self.may_read(name, reader):
                return reader
        return None

    async def may_read(self, name: str, reader: str) -> bool:
        return await self._opened(name, reader) is not None

    async def topic(self, name: str, extension: str, base_url: str, reader: str) -> tuple[bytes, str, int] | None:
        """Return the document as that reader may see it, its media type, and the generation that it shows."""
        opened = await self._opened(name, reader)
        if opened is None or extension not in FORMATS:
            return None
        feed, view = opened
        document = await self._documents.current(Wanted(name, feed, FORMATS[extension], base_url, view=view))
        return document.body, document.media_type, document.generation

    async def changes(self, name: str, extension: str, base_url: str, reader: str, since: int) -> bytes | None:
        """Return what came, changed and left after a generation, as that reader may see it; None if unknown."""
        opened = await self._opened(name, reader)
        if opened is None or extension not in FORMATS:
            return None
        feed, view = opened
        document = await self._documents.delta(Wanted(name, feed, FORMATS[extension], base_url, view=view), since)
        return None if document is None else document.body

    async def _opened(self, name: str, reader: str) -> tuple[Feed, View | None] | None:
        """Return the feed and what the reader sees of it, None if that is nothing."""
        feed = await self._find(name)
        if feed is None:
            return None
        if feed.access == "public" and self._public:
            return feed, None
        caller = None if reader == ANYBODY else await self._tokens.holder(reader, now())
        if caller is None:
            return None
        view = self._views.of(caller.entitlement)
        return None if view is not None and not view.opens(name) else (feed, view)

    async def _find(self, name: str) -> Feed | None:
        return feed_of(await self._feeds.all(), name)
