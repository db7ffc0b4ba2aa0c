"""Makes the small representations of documents that rest, in a thread, one at a time.

    a request that one would serve better ──▶ want ──▶ QUIET s later, if the document is still kept ──▶ shrink

A feed in motion is not worth milliseconds for each of its states; and 500 feeds that
change at once must not fill the machine. Who asks meanwhile has the joined gzip.
"""

import asyncio
import weakref
from collections.abc import Callable
from typing import NamedTuple

from newswire_publisher.feeds.codings import Coding, shrink
from newswire_publisher.feeds.representations import Representation, Representations
from newswire_runtime.tasks import wanted

QUIET = 2.0
"""Seconds that a document rests before it is compressed well."""


class _Wish(NamedTuple):
    due: float
    topic: str
    document: weakref.ref[Representations]
    coding: Coding


class Shrinker:
    """A loop of the publisher. ``done`` is called with the topic that has a better answer now."""

    def __init__(self, done: Callable[[str], None], quiet: float = QUIET) -> None:
        self._done = done
        self._quiet = quiet
        self._wishes: asyncio.Queue[_Wish] = asyncio.Queue()

    def want(self, topic: str, document: Representations, coding: Coding) -> None:
        """Have a representation made when the document has rested; once, however often it is wanted."""
        if coding not in document.asked:
            document.asked.add(coding)
            due = asyncio.get_running_loop().time() + self._quiet
            self._wishes.put_nowait(_Wish(due, topic, weakref.ref(document), coding))

    async def run(self) -> None:
        while wanted():
            wish = await self._wishes.get()
            await asyncio.sleep(max(0.0, wish.due - asyncio.get_running_loop().time()))
            document = wish.document()
            if document is not None:  # nobody else keeps a document that has been replaced
                await make(document, wish.coding)
                self._done(wish.topic)
            del document


async def make(document: Representations, coding: Coding) -> Representation:
    """Make a small representation now."""
    return document.add(coding, await asyncio.to_thread(shrink, document.join(), coding))
