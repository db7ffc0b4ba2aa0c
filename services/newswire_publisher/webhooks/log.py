"""A subscription's log: small entries, and the bytes that each stands for.

An entry names a version; its payload is made from the store's copy of that version,
the same bytes for a push, a retry and ``GET …/events`` (design section 7).
"""

import json
from dataclasses import dataclass
from datetime import datetime

from newswire_publisher.articles import message
from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.routing.sinks import Dispatch
from newswire_publisher.webhooks.model import Webhook
from newswire_runtime.client import Client
from newswire_runtime.group_commit import GroupCommit
from newswire_schemas.article import Article, from_ms, to_ms
from newswire_schemas.streams import HookKeys

KEPT_VERSIONS = 64
"""Versions that a process keeps at hand while they go out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a log: which version of which article, as what, and when."""

    sequence: int
    key: str
    uri: str
    version: int
    rank: str
    type: str
    moment: datetime
    published: datetime
    received_at: datetime
    trace_id: str


def fields_of(dispatch: Dispatch, event_type: str) -> str:
    """Return the fields that ``append.lua`` writes for a dispatch, as one JSON array of strings.

    One word, not eighteen: packing words for the server is most of the fan-out's CPU.
    """
    article = dispatch.article
    fields: list[str | int] = [
        *("k", article.key, "u", article.uri, "v", article.version, "r", str(article.rank), "t", event_type),
        *("m", to_ms(dispatch.moment), "p", to_ms(dispatch.published)),
        *("a", to_ms(dispatch.received_at), "i", dispatch.trace_id),
    ]
    return json.dumps([str(field) for field in fields], ensure_ascii=False)


class HookLog:
    """Reads the logs of all subscriptions."""

    def __init__(self, client: Client, store: ArticleStore, base_url: str, partitions: int) -> None:
        self._client = client
        self._group = GroupCommit(client)
        self._store = store
        self._base_url = base_url
        self._partitions = partitions
        self._versions: dict[tuple[str, str], Article] = {}

    async def after(self, hook_id: str, sequence: int, limit: int) -> list[Entry]:
        """Return the entries after a sequence number, oldest first."""
        keys = HookKeys(hook_id, self._partitions)
        rows = await self._client.xrange(keys.log, min=f"{sequence + 1}-0", max="+", count=limit)
        return [_entry(entry_id, fields) for entry_id, fields in rows]

    async def entry(self, hook_id: str, sequence: int) -> Entry | None:
        keys = HookKeys(hook_id, self._partitions)
        rows = await self._group.execute("XRANGE", keys.log, f"{sequence}-0", f"{sequence}-0")
        return _entry(*rows[0]) if rows else None

    async def at(self, hook_id: str, moment: datetime) -> int:
        """Return the number of the first entry at or after a time; one more than the last if there is none."""
        last = 0
        while entries := await self.after(hook_id, last, 500):
            for entry in entries:
                if entry.moment >= moment:
                    return entry.sequence
            last = entries[-1].sequence
        return last + 1

    async def body(self, hook: Webhook, entry: Entry) -> bytes | None:
        """Return the payload of an entry, byte for byte as it is pushed; None if its version is kept no more."""
        article = await self._version(entry.key, entry.rank)
        if article is None:
            return None
        article = article.model_copy(update={"published": entry.published, "embargoed_until": None})
        data = message.render(article, hook.format, f"{self._base_url}/articles/{entry.key}")
        return message.build(entry.type, entry.moment, entry.sequence, data)

    async def _version(self, key: str, rank: str) -> Article | None:
        """Return a version, which never changes, by a small memory: an article goes to many endpoints at once."""
        article = self._versions.get((key, rank))
        if article is None:
            article = await self._store.version(key, rank)
            if article is not None:
                self._versions[key, rank] = article
                if len(self._versions) > KEPT_VERSIONS:
                    del self._versions[next(iter(self._versions))]
        return article


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    return Entry(
        sequence=int(entry_id.partition(b"-")[0]),
        key=text["k"],
        uri=text["u"],
        version=int(text["v"]),
        rank=text["r"],
        type=text["t"],
        moment=from_ms(int(text["m"])),
        published=from_ms(int(text["p"])),
        received_at=from_ms(int(text["a"])),
        trace_id=text["i"],
    )
