"""What the publisher shows: the newest version of each article, and the ledger of who got which.

`claim` is the step that puts versions in order (``claim.lua``); reading never
shows what is held back. A row is one article as it may be shown now.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from newswire_runtime.client import Client, batch
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import Act, Article, Rank, from_ms, to_ms
from newswire_schemas.events import ArticleEnriched, ArticleFellDue
from newswire_schemas.streams import WireKeys, partition_of


@dataclass(frozen=True, slots=True)
class Claim:
    """What `ArticleStore.claim` answers: when it went out, as what, and every sink of the ledger."""

    act: Act
    published: datetime
    moment: datetime
    sinks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Row:
    """An article as it is shown: ``kind`` is ``show``, or ``retract`` after a kill, withhold or expiry."""

    article: Article
    act: Act
    kind: str
    published: datetime | None
    moment: datetime
    owner: str

    @property
    def is_public(self) -> bool:
        return self.kind == "show"


@dataclass(frozen=True, slots=True)
class Shown:
    """When a version came out, and as what; `ArticleStore.versions` has its text."""

    rank: Rank
    act: Act
    moment: datetime


@dataclass(frozen=True, slots=True)
class Mark:
    """When a version came out, and as what; ``kind`` is as in `Row`.

    ``accepted`` and ``trace_id`` are of its submission; rows of an earlier release have neither.
    """

    rank: Rank
    act: Act
    moment: datetime
    kind: str
    accepted: datetime | None = None
    trace_id: str | None = None

    @property
    def is_public(self) -> bool:
        return self.kind == "show"


@dataclass(frozen=True, slots=True)
class Version:
    """One version that is about to be claimed. ``kind`` is ``show``, ``hold`` or ``retract``."""

    event: ArticleEnriched
    kind: str
    now: datetime
    sinks: Sequence[str] = ()


class ArticleStore:
    """The articles of all partitions."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._keys = [WireKeys(partition) for partition in range(partitions)]
        self._claim = Script("newswire_publisher.articles", "claim.lua")

    def keys(self, key: str) -> WireKeys:
        return self._keys[partition_of(key, len(self._keys))]

    async def claim(self, versions: Sequence[Version]) -> list[Claim | None]:
        """Take up versions, in one round trip; None for each that a newer one has overtaken."""
        answers = await self._claim.many(self._client, [self._call(version) for version in versions])
        return [_claim_of(answer) for answer in answers]

    def _call(self, version: Version) -> tuple[list[str], list[Word]]:
        article, now = version.event.article, to_ms(version.now)
        key = article.key
        keys = self.keys(key)
        shown = article.model_copy(update={"embargoed_until": None}) if version.kind == "show" else article
        words: list[Word] = [
            key,
            str(article.rank),
            version.event.act.value,
            version.kind,
            shown.model_dump_json(exclude_defaults=True),
            now,
            to_ms(article.embargoed_until) if article.embargoed_until else 0,
            to_ms(article.expires) if article.expires else 0,
            version.event.encode() if version.kind == "hold" else "",
            _expiry(version.event) if article.expires else "",
            version.event.owner,
            f"{to_ms(version.event.received_at)} {version.event.trace_id}",
            len(version.sinks),
            *version.sinks,
        ]
        return [keys.article(key), keys.ledger(key), keys.schedule, keys.due, keys.index], words

    async def row(self, key: str) -> Row | None:
        """Return the article as it may be shown; None if there is none, or all there is is held back."""
        return (await self.rows([key]))[0]

    async def rows(self, keys: Sequence[str]) -> list[Row | None]:
        """Return articles by key, in one round trip."""
        if not keys:
            return []
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.hmget(self.keys(key).article(key), "json", "act", "kind", "published", "moment", "owner")
        return [_row(values) for values in await pipeline.execute()]

    async def version(self, key: str, rank: str) -> Article | None:
        """Return one version as it went out; it is kept as long as its article."""
        body = await self._client.hget(self.keys(key).article(key), f"v:{rank}")
        return None if body is None else Article.model_validate_json(body)

    async def history(self, key: str) -> list[Shown]:
        """Return the versions that may be shown, newest first; empty for an article that is not public.

        What came before a withdrawal stays withdrawn: it may be why the article was taken back.
        """
        (marks,) = await self.marks([key])
        return [
            Shown(mark.rank, mark.act, mark.moment) for mark in itertools.takewhile(lambda each: each.is_public, marks)
        ]

    async def marks(self, keys: Sequence[str]) -> list[list[Mark]]:
        """Return when and as what each version of these articles came out, withdrawals among them, newest first."""
        names = [self.keys(key).article(key) for key in keys]
        pipeline = self._client.pipeline(transaction=False)
        for name in names:
            pipeline.hkeys(name)
        fields = [[field for field in found if field.startswith(b"m:")] for found in await pipeline.execute()]
        pipeline = self._client.pipeline(transaction=False)
        for name, wanted in zip(names, fields, strict=True):
            if wanted:
                pipeline.hmget(name, wanted)
        answers = iter(await pipeline.execute())
        return [
            sorted(map(_mark, wanted, next(answers)), key=lambda mark: mark.rank, reverse=True) if wanted else []
            for wanted in fields
        ]

    async def past(self, key: str) -> list[Article]:
        """Return every version that was shown or was the notice of a withdrawal, in no order."""
        fields = await self._client.hgetall(self.keys(key).article(key))
        return [Article.model_validate_json(body) for name, body in fields.items() if name.startswith(b"v:")]

    async def held(self, key: str) -> Article | None:
        """Return the version that an embargo holds back, for those who may see it."""
        body = await self._client.hget(self.keys(key).article(key), "held")
        return None if body is None else Article.model_validate_json(body)

    async def ledger(self, key: str) -> dict[str, str]:
        """Return the rank that each sink got, or is getting."""
        raw = await self._client.hgetall(self.keys(key).ledger(key))
        return {sink.decode(): rank.decode() for sink, rank in raw.items()}

    async def versions(self, wanted: Sequence[tuple[str, str]]) -> list[Article | None]:
        """Return versions by key and rank as they went out, in one round trip."""
        if not wanted:
            return []
        pipeline = self._client.pipeline(transaction=False)
        for key, rank in wanted:
            pipeline.hget(self.keys(key).article(key), f"v:{rank}")
        bodies = await pipeline.execute()
        return [None if body is None else Article.model_validate_json(body) for body in bodies]

    async def remember(self, sink: str, rows: Sequence[Row]) -> None:
        """Write a sink that takes these articles late into their ledgers, so that a kill reaches it."""
        if not rows:
            return
        pipeline = batch(self._client)
        for row in rows:
            key = row.article.key
            pipeline.hsetnx(self.keys(key).ledger(key), sink, str(row.article.rank))
        await pipeline.execute()

    async def relate(self, rewrites: Sequence[tuple[str, str]]) -> None:
        """Note for each ``(key, key of what rewrites it)`` the way back; both may lie in different slots."""
        if not rewrites:
            return
        pipeline = batch(self._client)
        for key, newer in rewrites:
            pipeline.sadd(self.keys(key).rewrites(key), newer)
        await pipeline.execute()

    async def rewrites(self, key: str) -> list[str]:
        """Return the keys of the articles that rewrite this one, public or not."""
        return sorted(newer.decode() for newer in await self._client.smembers(self.keys(key).rewrites(key)))

    async def newest(self, limit: int, before: tuple[int, str] | None = None) -> list[tuple[int, str]]:
        """Return ``(published ms, key)`` of public articles, newest first, below ``before``."""
        found: list[tuple[int, str]] = []
        top = "+inf" if before is None else before[0]
        for keys in self._keys:
            taken = 0
            offset = 0
            while taken <= limit:
                page = await self._client.zrevrangebyscore(
                    keys.index, top, "-inf", start=offset, num=limit + 1, withscores=True
                )
                fresh = [(int(score), key.decode()) for key, score in page]
                fresh = [row for row in fresh if before is None or row < before]
                found += fresh
                taken += len(fresh)
                offset += len(page)
                if len(page) <= limit:
                    break
        return sorted(found, reverse=True)[:limit]


def _claim_of(answer: list[bytes | int]) -> Claim | None:
    if answer[0] == 0:
        return None
    published, moment, act, *sinks = [word.decode() if isinstance(word, bytes) else str(word) for word in answer[1:]]
    return Claim(Act(act), from_ms(float(published)), from_ms(float(moment)), frozenset(sinks))


def _row(values: list[bytes | None]) -> Row | None:
    body, act, kind, published, moment, owner = values
    if body is None or act is None or kind is None or moment is None:
        return None
    out = from_ms(float(published.decode())) if published else None
    article = Article.model_validate_json(body).model_copy(update={"published": out})
    return Row(article, Act(act.decode()), kind.decode(), out, from_ms(float(moment.decode())), (owner or b"").decode())


def _mark(field: bytes, value: bytes) -> Mark:
    moment, act, kind, *more = value.decode().split()
    accepted, trace_id = (from_ms(int(more[0])), more[1]) if more else (None, None)
    return Mark(Rank.parse(field[2:].decode()), Act(act), from_ms(int(moment)), kind, accepted, trace_id)


def _expiry(event: ArticleEnriched) -> str:
    article = event.article
    due = ArticleFellDue(trace_id=event.trace_id, uri=article.uri, version=article.version, cause="expiry")
    return due.encode()
