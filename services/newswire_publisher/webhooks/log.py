"""A subscription's log: small entries, and the bytes that each stands for.

An entry names a version; its payload is made from the store's copy of that version,
the same bytes for a push, a retry and ``GET …/events`` (design section 7). An entry may
also be a notice, which carries its data itself. Of what was killed or withheld later only a push
that is on its way has the text: whoever reads it later gets none.

What an article's version looks like in one format is made once and kept for the endpoints
that follow: an article goes to many at once, and only the sequence differs.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from newswire_publisher.articles import message
from newswire_publisher.articles.message import WITHDRAWAL_TYPES, Format, Parts
from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.articles.withdrawal import is_taken_back
from newswire_publisher.routing.sinks import Dispatch
from newswire_runtime.client import Client
from newswire_schemas.article import Article, Rank, from_ms, to_ms
from newswire_schemas.streams import HookKeys

log = structlog.get_logger()

KEPT_BYTES = 64_000_000
"""Bytes of rendered versions that a process keeps at hand."""
_OVERHEAD = 300


class NoBody(StrEnum):
    """Why an entry has no payload any more: the article was killed or withheld later, or the version is not kept."""

    WITHDRAWN = "withdrawn"
    NOT_KEPT = "not-kept"


class Entry(NamedTuple):
    """One entry of a log: which version of which article, as what, and when (ms); or a notice, with its ``data``."""

    sequence: int
    key: str
    uri: str
    rank: str
    type: str
    moment_ms: int
    published_ms: int
    received_ms: int
    trace_id: str
    data: bytes | None = None

    @property
    def version(self) -> int:
        return int(self.rank.partition(":")[0])

    @property
    def moment(self) -> datetime:
        return from_ms(self.moment_ms)

    @property
    def published(self) -> datetime:
        return from_ms(self.published_ms)


NO_KEY = "-"
"""Stands for the article's key in a notice."""


def entry_of(dispatch: Dispatch, event_type: str) -> str:
    """Return the entry of a dispatch, as the log keeps it: words, of which the scripts read the first three."""
    article = dispatch.article
    times = to_ms(dispatch.moment), to_ms(dispatch.published), to_ms(dispatch.received_at)
    return " ".join(map(str, (article.key, event_type, *times, article.rank, dispatch.trace_id, article.uri)))


def notice_of(event_type: str, told_at: datetime, moment: datetime, data: str) -> str:
    """Return the entry of a notice, which is told some time after the moment of what it tells of; ``data`` is JSON."""
    told_ms = to_ms(told_at)
    return f"{NO_KEY} {event_type} {told_ms} {to_ms(moment)} {told_ms} 0:0 - {data}"


class HookLog:
    """Reads the logs of all subscriptions."""

    def __init__(self, client: Client, store: ArticleStore, base_url: str, partitions: int) -> None:
        self._client = client
        self._store = store
        self._base_url = base_url
        self._partitions = partitions
        self._kept: OrderedDict[tuple[str, str, Format], Parts] = OrderedDict()
        self._size = 0

    async def after(self, hook_id: str, sequence: int, limit: int) -> list[Entry]:
        """Return the entries after a sequence number, oldest first."""
        keys = HookKeys(hook_id, self._partitions)
        rows = await self._client.xrange(keys.log, min=f"{sequence + 1}-0", max="+", count=limit)
        return [read_entry(_number(entry_id), fields[b"e"].decode()) for entry_id, fields in rows]

    async def entry(self, hook_id: str, sequence: int) -> Entry | None:
        """Return one entry, or None if there is none."""
        found = await self.after(hook_id, sequence - 1, 1)
        return found[0] if found and found[0].sequence == sequence else None

    async def entries(self, hook_id: str, sequences: Collection[int]) -> dict[int, Entry]:
        """Return entries by number, in one round trip; those that there are."""
        log = HookKeys(hook_id, self._partitions).log
        pipeline = self._client.pipeline(transaction=False)
        wanted = sorted(set(sequences))
        for sequence in wanted:
            pipeline.xrange(log, min=f"{sequence}-0", max=f"{sequence}-0")
        answers = await pipeline.execute() if wanted else []
        return {
            sequence: read_entry(sequence, rows[0][1][b"e"].decode())
            for sequence, rows in zip(wanted, answers, strict=True)
            if rows
        }

    async def at(self, hook_id: str, moment: datetime) -> int:
        """Return the number of the first entry of this moment or later; one above the last if there is none.

        Moments rise with the numbers but for articles that came within the same instant.
        """
        last = await self._client.xrevrange(HookKeys(hook_id, self._partitions).log, count=1)
        low, high = 1, _number(last[0][0]) + 1 if last else 1
        while low < high:
            middle = (low + high) // 2
            found = await self.after(hook_id, middle - 1, 1)
            if found[0].moment < moment:
                low = found[0].sequence + 1
            else:
                high = middle
        return low

    async def bodies(self, form: Format, entries: Sequence[Entry]) -> list[bytes | NoBody]:
        """Return the payloads of entries for who reads them later, byte for byte as they were pushed."""
        found = await self.parts([(form, entry) for entry in entries])
        taken_back = await self._taken_back(entries)
        return [
            _body(entry, parts, is_withdrawn=entry in taken_back) for entry, parts in zip(entries, found, strict=True)
        ]

    async def _taken_back(self, entries: Sequence[Entry]) -> set[Entry]:
        """Return the entries whose articles were killed or withheld later; the notice of that is told for ever."""
        told = [entry for entry in entries if entry.data is None and entry.type not in WITHDRAWAL_TYPES]
        keys = list({entry.key: None for entry in told})
        marks = dict(zip(keys, await self._store.marks(keys), strict=True)) if keys else {}
        return {entry for entry in told if is_taken_back(Rank.parse(entry.rank), marks[entry.key])}

    async def parts(self, wanted: Sequence[tuple[Format, Entry]]) -> list[Parts | None]:
        """Return the payloads of entries in formats, without their numbers, in one round trip."""
        missing = {
            (entry.key, entry.rank): entry
            for form, entry in wanted
            if entry.data is None and (entry.key, entry.rank, form) not in self._kept
        }
        articles = await self._versions(list(missing))
        return [self._parts(form, entry, articles) for form, entry in wanted]

    async def _versions(self, wanted: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], Article | None]:
        try:
            return dict(zip(wanted, await self._store.versions(wanted), strict=True))
        except ValidationError:
            # One that cannot be read must not stop the others; it is given up.
            found: dict[tuple[str, str], Article | None] = {}
            for version in wanted:
                try:
                    (found[version],) = await self._store.versions([version])
                except ValidationError:
                    log.exception("webhook.version_unreadable", key=version[0], rank=version[1])
                    found[version] = None
            return found

    def _parts(self, form: Format, entry: Entry, articles: Mapping[tuple[str, str], Article | None]) -> Parts | None:
        if entry.data is not None:
            return message.build_parts(entry.type, entry.published, entry.data)
        name = entry.key, entry.rank, form
        parts = self._kept.get(name)
        if parts is None:
            article = articles.get(name[:2])
            if article is None:
                return None
            shown = article.model_copy(update={"published": entry.published, "embargoed_until": None})
            data = message.render(shown, form, f"{self._base_url}/articles/{entry.key}")
            parts = self._kept[name] = message.build_parts(entry.type, entry.moment, data)
            self._size += len(data) + _OVERHEAD
            while self._size > KEPT_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._size -= len(oldest.tail) + _OVERHEAD
        return parts


def read_entry(sequence: int, entry: str) -> Entry:
    """Return an entry from its words in the log."""
    key, event_type, moment, published, received, rank, trace_id, rest = entry.split(" ", 7)
    if key == NO_KEY:
        return Entry(sequence, key, "", rank, event_type, int(moment), int(published), int(received), "", rest.encode())
    return Entry(sequence, key, rest, rank, event_type, int(moment), int(published), int(received), trace_id)


def _body(entry: Entry, parts: Parts | None, *, is_withdrawn: bool) -> bytes | NoBody:
    if is_withdrawn:
        return NoBody.WITHDRAWN
    return NoBody.NOT_KEPT if parts is None else parts.join(entry.sequence)


def _number(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0])
