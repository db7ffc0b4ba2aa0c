"""The fan-out: who gets a version, in an order that a crash, a replay or a rival cannot break.

    enriched ─▶ hold?  embargo in the future: kept whole, comes again when it is due
             ─▶ match  filters ∪ ledger         a kill: the ledger alone
             ─▶ claim  in the article's slot: versions in order, the ledger written (claim.lua)
             ─▶ deliver to each sink, in the sink's slot: guarded by its own rank
             ─▶ commit XACK

The claim comes before the deliveries, so that a kill that follows finds every sink
that is getting the story, even if the worker died in between; and each sink's own
guard refuses the older version that then comes late. If anything fails, nothing is
acknowledged and all of it runs again to the same end. All times are those of the
stream's entries, so that a replay of the stream publishes the same bytes.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from newswire_publisher.articles.store import ArticleStore, Claim, Version
from newswire_publisher.routing.index import FilterIndex
from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch, Sinks
from newswire_publisher.routing.topics import TopicTree
from newswire_runtime.handoff import Commit
from newswire_runtime.hop import Delivery
from newswire_schemas.article import Act, Article, PubStatus, from_ms, key_of, to_ms
from newswire_schemas.events import ArticleEnriched, ArticleFellDue
from newswire_schemas.filters import Filter

log = structlog.get_logger()


class Fanout:
    """The publisher's stage. ``sinks`` are the kinds of output that it feeds."""

    def __init__(self, store: ArticleStore, sinks: Sequence[Sinks], topics: TopicTree) -> None:
        self._store = store
        self._sinks = {kind.kind: kind for kind in sinks}
        self._index = FilterIndex({}, topics)
        self._indexed: dict[str, Mapping[str, Filter]] = {}

    async def stage(self, batch: Sequence[Delivery[ArticleEnriched | ArticleFellDue]]) -> list[Commit]:
        """Articles that are ready to go out, and moments that have come."""
        await self._follow_filters()
        versions = [await self._version(delivery.event, _moment_of(delivery.entry_id)) for delivery in batch]
        wanted = [version for version in versions if version is not None]
        now = from_ms(time.time() * 1_000)
        claims = await self._store.claim(wanted)
        await self._store.relate(
            [
                (key_of(article.evolved_from), article.key)
                for version, claim in zip(wanted, claims, strict=True)
                if claim is not None and version.kind == "show" and (article := version.event.article).evolved_from
            ]
        )
        by_kind: dict[str, list[Dispatch]] = {kind: [] for kind in self._sinks}
        for version, claim in zip(wanted, claims, strict=True):
            log.info("article.claimed", **_wide(version, claim, now))
            if claim is not None and version.kind != "hold":
                for kind, dispatch in _dispatches(version, claim):
                    if kind in by_kind:
                        by_kind[kind].append(dispatch)
        await asyncio.gather(*[self._sinks[kind].deliver(each) for kind, each in by_kind.items() if each])
        return [Commit(delivery.entry_id) for delivery in batch]

    async def _version(self, event: ArticleEnriched | ArticleFellDue, now: datetime) -> Version | None:
        if isinstance(event, ArticleFellDue):
            return await self._expired(event, now)
        article = event.article
        if event.act in RETRACTIONS or article.pub_status is not PubStatus.USABLE:
            return Version(event, "retract", now)
        # Both the mover and the entry's id go by the server's clock, so that what the mover moved is never held again.
        if article.embargoed_until is not None and to_ms(article.embargoed_until) > to_ms(now):
            return Version(event, "hold", now)
        return Version(event, "show", now, sorted(self._index.match(article)))

    async def _expired(self, event: ArticleFellDue, now: datetime) -> Version | None:
        row = await self._store.row(key_of(event.uri))
        if row is None or not row.is_public or row.article.version != event.version:
            return None
        # It ranks just above the version that expires, and below the next one.
        article = row.article.model_copy(
            update={"version_created": row.article.version_created + timedelta(milliseconds=1), "expires": None}
        )
        expiry = ArticleEnriched(
            trace_id=event.trace_id, act=Act.EXPIRE, article=article, received_at=now, owner=row.owner
        )
        return Version(expiry, "retract", now)

    async def _follow_filters(self) -> None:
        read = await asyncio.gather(*[sinks.filters() for sinks in self._sinks.values()])
        for kind, current in zip(self._sinks, read, strict=True):
            before = self._indexed.get(kind)
            if current is before:
                continue
            for name in (before or {}).keys() - current.keys():
                self._index.remove(f"{kind}:{name}")
            for name, wanted in current.items():
                if before is None or before.get(name) != wanted:
                    self._index.put(f"{kind}:{name}", wanted)
            self._indexed[kind] = current


def _dispatches(version: Version, claim: Claim) -> list[tuple[str, Dispatch]]:
    """Return a dispatch for each sink of the ledger, with the sink's kind."""
    event = version.event
    article: Article = event.article.model_copy(update={"published": claim.published, "embargoed_until": None})
    found = []
    matching = frozenset(version.sinks)
    for sink in sorted(claim.sinks):
        kind, _, name = sink.partition(":")
        dispatch = Dispatch(
            sink=name,
            act=claim.act,
            article=article,
            published=claim.published,
            moment=claim.moment,
            received_at=event.received_at,
            trace_id=event.trace_id,
            matches=sink in matching,
        )
        found.append((kind, dispatch))
    return found


def _moment_of(entry_id: bytes) -> datetime:
    """Return when the server took an entry into the stream: a replay of the stream gives the same times again."""
    return from_ms(int(entry_id.partition(b"-")[0]))


def _wide(version: Version, claim: Claim | None, now: datetime) -> dict[str, object]:
    event = version.event
    return {
        "trace_id": event.trace_id,
        "uri": event.article.uri,
        "version": event.article.version,
        "act": event.act.value,
        "kind": version.kind if claim else "stale",
        "sinks": len(claim.sinks) if claim else 0,
        "ms": round((now - event.received_at).total_seconds() * 1000, 1),
    }
