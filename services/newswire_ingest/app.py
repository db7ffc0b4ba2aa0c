"""Builds the ingest service.

HTTP ──submit──▶ Submissions ──settle──▶ desk + wire:{p}:received   (one atomic step)
wire:{p}:submitted ──replayed refusals──▶ Submissions
"""

import base64
from collections.abc import Sequence

from newswire_ingest.api import IngestApi
from newswire_ingest.desk import Desk
from newswire_ingest.formats.errors import FormatError
from newswire_ingest.sources import Source
from newswire_ingest.submissions import Submission, Submissions
from newswire_runtime.auth import Tokens
from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.conf import Table
from newswire_runtime.handoff import Commit
from newswire_runtime.hop import Delivery, Hop, Refused, Stage
from newswire_runtime.http import now
from newswire_runtime.idempotency import Answers
from newswire_runtime.service import Service
from newswire_runtime.settings import Settings
from newswire_schemas.events import ArticleReceived, SubmissionReplayed
from newswire_schemas.streams import ENRICHMENT, INGEST, WireKeys


def build(settings: Settings) -> Service:
    """Return the ingest service, not yet started."""
    url = settings.broker_url.get_secret_value()
    broker, client = make_broker(url, settings.stop_timeout), make_client(url)
    desk = Desk(client, settings.partitions)
    sources = Table(client, "sources", Source)
    submissions = Submissions(client, desk, settings.partitions)
    api = IngestApi(
        submissions=submissions,
        desk=desk,
        answers=Answers(client, settings.partitions),
        tokens=Tokens(client, settings.first_operator_token()),
        sources=sources,
        max_body=settings.max_body,
    )
    hops = []
    for partition in range(settings.partitions):
        keys = WireKeys(partition)
        stage = replayed(submissions, sources)
        hops.append(
            Hop(
                broker,
                client,
                keys,
                stream=keys.submitted,
                group=INGEST,
                event=SubmissionReplayed,
                stage=stage,
                settings=settings,
                next_group=(keys.received, ENRICHMENT),
            )
        )
        broker.publisher(stream=keys.received, schema=ArticleReceived, title=f"received:{partition}")
    return Service("ingest", settings, broker, client, hops, api.install)


def replayed(submissions: Submissions, sources: Table[Source]) -> Stage[SubmissionReplayed]:
    """Return the stage that reads refused submissions again."""

    async def stage(batch: Sequence[Delivery[SubmissionReplayed]]) -> list[Commit]:
        """Submissions that were refused and that an operator replays."""
        known = await sources.all()
        for delivery in batch:
            event = delivery.event
            source = known.get(event.owner)
            submission = Submission(
                body=base64.b64decode(event.body_base64),
                content_type=event.content_type or None,
                format=event.format,
                uri=event.uri,
                owner=event.owner,
                may_change_all=event.may_change_all,
                defaults=source.plain_defaults() if source else {},
                trace_id=event.trace_id,
                now=now(),
            )
            try:
                submissions.read(submission)
            except FormatError as exc:
                raise Refused(f"{type(exc).__name__}: {exc}") from exc
            await submissions.take(submission)
        return [Commit(delivery.entry_id) for delivery in batch]

    return stage
