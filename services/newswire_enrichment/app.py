"""Builds the enrichment service.

    wire:{p}:received ──enrich──▶ wire:{p}:enriched   (one atomic step: XACK, mark, XADD)

Pure CPU between two streams: any number of workers share the group. An article
whose rank is not above its mark was handed on before and is dropped as stale.
"""

from collections.abc import Sequence

from fastapi import FastAPI

from newswire_enrichment.pipeline import Step, enrich
from newswire_enrichment.steps.language import LanguageStep
from newswire_enrichment.steps.registry import default_steps
from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.handoff import Commit, Effect
from newswire_runtime.hop import Delivery, Hop, Stage
from newswire_runtime.service import Service
from newswire_runtime.settings import Settings
from newswire_schemas.events import ArticleEnriched, ArticleReceived
from newswire_schemas.streams import ENRICHMENT, PUBLISHER, WireKeys


def build(settings: Settings) -> Service:
    """Return the enrichment service, not yet started."""
    url = settings.broker_url.get_secret_value()
    broker, client = make_broker(url, settings.stop_timeout), make_client(url)
    language = LanguageStep()
    language.warm_up()
    steps = default_steps(language)
    hops = []
    for partition in range(settings.partitions):
        keys = WireKeys(partition)
        hops.append(
            Hop(
                broker,
                client,
                keys,
                stream=keys.received,
                group=ENRICHMENT,
                event=ArticleReceived,
                stage=enriching(keys, steps),
                settings=settings,
                next_group=(keys.enriched, PUBLISHER),
            )
        )
        broker.publisher(stream=keys.enriched, schema=ArticleEnriched, title=f"enriched:{partition}")
    return Service("enrichment", settings, broker, client, hops, _no_routes)


def _no_routes(_: FastAPI) -> None:
    """Enrichment answers health and metrics only."""


def enriching(keys: WireKeys, steps: Sequence[Step]) -> Stage[ArticleReceived]:
    """Return the stage that enriches a partition's articles."""

    async def stage(batch: Sequence[Delivery[ArticleReceived]]) -> list[Commit]:
        """Versions of articles that ingest accepted."""
        return [commit_of(delivery, keys, steps) for delivery in batch]

    return stage


def commit_of(delivery: Delivery[ArticleReceived], keys: WireKeys, steps: Sequence[Step]) -> Commit:
    """Enrich one article and return the write that hands it on."""
    received = delivery.event
    article, records = enrich(received.article, steps)
    event = ArticleEnriched(
        trace_id=received.trace_id,
        act=received.act,
        article=article,
        received_at=received.received_at,
        owner=received.owner,
        steps=records,
    )
    effect = Effect("XADD", keys.enriched, ("*", "event", event.encode()))
    return Commit(delivery.entry_id, (effect,), mark=(article.key, article.rank))
