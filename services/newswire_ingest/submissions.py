"""One submission: parse, settle each item, and keep what is refused.

bytes ──parse──▶ drafts ──settle each──▶ outcomes        accepted, unchanged, stale, rejected
  └── unreadable ──▶ quarantine (a dead letter that can be replayed) and the error
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from newswire_ingest.desk import Desk
from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import FormatError
from newswire_ingest.formats.registry import parse
from newswire_ingest.lifecycle import Accepted, Decision, Known, Rejected, Stale, Unchanged, decide, mint_uri
from newswire_runtime import metrics
from newswire_runtime.client import Client
from newswire_runtime.dead import burial
from newswire_schemas.article import Act, Draft, PubStatus, key_of
from newswire_schemas.events import SubmissionReplayed
from newswire_schemas.streams import INGEST, WireKeys, partition_of

KEPT_BYTES = 1_000_000
"""How much of a refused submission is kept; a longer one is cut and cannot be replayed."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller sent: the bytes, what it said of them, and who it is."""

    body: bytes
    content_type: str | None
    format: str | None
    uri: str | None
    owner: str
    may_change_all: bool
    defaults: Mapping[str, str]
    trace_id: str
    now: datetime


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item, as api.md answers it."""

    uri: str
    key: str
    version: int | None
    act: Act
    outcome: str
    reason: str | None = None

    def as_json(self) -> dict[str, str | int]:
        found = {"uri": self.uri, "key": self.key, "version": self.version, "act": self.act.value}
        found |= {"outcome": self.outcome, "reason": self.reason}
        return {name: value for name, value in found.items() if value is not None}


class Submissions:
    """Takes submissions in."""

    def __init__(self, client: Client, desk: Desk, partitions: int) -> None:
        self._client = client
        self._desk = desk
        self._partitions = partitions

    async def take(self, submission: Submission) -> list[ItemResult]:
        """Accept what is new in a submission; raise a `FormatError` if it cannot be read, having kept it."""
        try:
            form, drafts = self.read(submission)
        except FormatError as exc:
            metrics.SUBMISSIONS.labels(submission.format or "unknown", "refused").inc()
            await self.keep_refused(submission, f"{type(exc).__name__}: {exc}")
            raise
        results = [await self._settle(draft, submission) for draft in drafts]
        for result in results:
            metrics.SUBMISSIONS.labels(form, result.outcome).inc()
        return results

    def read(self, submission: Submission) -> tuple[str, list[Draft]]:
        """Return the format's name and the drafts of a submission; raise `FormatError`."""
        context = ParseContext(
            source=submission.owner, now=submission.now, defaults=submission.defaults, uri=submission.uri
        )
        form, drafts = parse(
            submission.body, context=context, content_type=submission.content_type, format=submission.format
        )
        return form.name, drafts

    async def _settle(self, draft: Draft, submission: Submission) -> ItemResult:
        uri = draft.uri or mint_uri(draft, submission.owner)
        draft = draft.model_copy(update={"uri": uri})
        key = key_of(uri)
        known_before: list[Known | None] = []
        choose = partial(
            decide, draft, now=submission.now, owner=submission.owner, may_change_all=submission.may_change_all
        )

        def look_and_decide(known: Known | None) -> Decision:
            known_before[:] = [known]
            return choose(known)

        decision = await self._desk.settle(
            key, look_and_decide, owner=submission.owner, trace_id=submission.trace_id, now=submission.now
        )
        return result_of(decision, uri, known_before[0], _intended(draft, known_before[0]))

    async def keep_refused(self, submission: Submission, reason: str, *, whole: bool = True) -> None:
        """Keep a submission that could not be read with the dead letters, so that it can be replayed if it is whole."""
        body = submission.body[:KEPT_BYTES]
        if len(body) < len(submission.body):
            whole, reason = False, f"{reason} (cut to {KEPT_BYTES} bytes)"
        event = SubmissionReplayed(
            trace_id=submission.trace_id,
            content_type=submission.content_type or "",
            format=submission.format,
            uri=submission.uri,
            owner=submission.owner,
            may_change_all=submission.may_change_all,
            body_base64=base64.b64encode(body).decode(),
        )
        digest = hashlib.sha256(body).hexdigest()
        keys = WireKeys(partition_of(digest, self._partitions))
        effect = burial(
            keys,
            stage=INGEST,
            origin=keys.submitted if whole else "",
            event=event.model_dump_json().encode(),
            reason="refused",
            detail=reason,
            attempts=1,
        )
        await self._client.xadd(effect.key, dict(zip(effect.words[1::2], effect.words[2::2], strict=True)))


def result_of(decision: Decision, uri: str, known: Known | None, intended: Act) -> ItemResult:
    """Return the answer for one decided item."""
    key = key_of(uri)
    before = known.rank.version if known else None
    match decision:
        case Accepted(act, article, _):
            return ItemResult(uri, key, article.version, act, "accepted")
        case Unchanged():
            return ItemResult(uri, key, before, intended, "unchanged")
        case Stale(reason):
            return ItemResult(uri, key, before, intended, "stale", reason)
        case Rejected(reason):
            return ItemResult(uri, key, before, intended, "rejected", reason)


def _intended(draft: Draft, known: Known | None) -> Act:
    """Return what a submission was that changed nothing, for its answer."""
    if draft.pub_status is PubStatus.CANCELED:
        return Act.KILL
    if draft.pub_status is PubStatus.WITHHELD:
        return Act.WITHHOLD
    first = (draft.version or (known.rank.version if known else 1)) == 1
    return Act.NEW if first else Act.CORRECTION
