"""What follows for an endpoint from what is of note (`Note`): who is told, and when it is disabled.

    opened      webhook.failing
    recovered   webhook.recovered
    exhausted   webhook.exhausted
    untaken     webhook.kill_untaken
    gone        disabled, webhook.disabled
    hopeless    disabled if it still does nothing but fail, webhook.disabled

    notes ─▶ notices ─▶ logs of who wants them ─▶ one step: acknowledged, deleted, in the list of notices

Cases of failure:
- the worker dies, or the broker is away: the note is followed up again by any worker. The list has a notice once;
  who asked for notices may get it twice, with the same `timestamp`;
- a note that cannot be followed up becomes a dead letter after some deliveries, and holds up no other;
- the subscription was deleted meanwhile: the note is dropped.
"""

from collections.abc import Mapping, Sequence

from newswire_publisher.webhooks.changes import HookChanges
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.notes import Note
from newswire_publisher.webhooks.notices import Notice, Notices
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.conf import Table
from newswire_runtime.handoff import Commit, Effect
from newswire_runtime.hop import Delivery
from newswire_schemas.article import from_ms, to_iso
from newswire_schemas.streams import hook_notes, partition_of

TELLING_SECONDS = 10.0
"""Following up takes milliseconds: what somebody has had in hand for longer is taken over, and may be told twice."""


class Health:
    """Follows up what is of note."""

    def __init__(self, hooks: Table[Webhook], queues: HookQueues, notices: Notices, partitions: int) -> None:
        self._hooks = hooks
        self._queues = queues
        self._changes = HookChanges(hooks, queues)
        self._notices = notices
        self._partitions = partitions

    async def stage(self, batch: Sequence[Delivery[Note]]) -> Sequence[Commit]:
        """Tell of what is of note in the health of webhooks, and disable those that are gone."""
        hooks = await self._hooks.all()
        told = [await self._notice(delivery.event, hooks) for delivery in batch]
        await self._notices.push([notice for notice in told if notice is not None])
        return [self._commit(delivery, notice) for delivery, notice in zip(batch, told, strict=True)]

    def _commit(self, delivery: Delivery[Note], notice: Notice | None) -> Commit:
        notes = hook_notes(partition_of(delivery.event.webhook, self._partitions))
        done = Effect("XDEL", notes, (delivery.entry_id,))
        return Commit(delivery.entry_id, (done,) if notice is None else (self._notices.row(notice), done))

    async def _notice(self, note: Note, hooks: Mapping[str, Webhook]) -> Notice | None:
        hook = hooks.get(note.webhook)
        if hook is None:
            return None
        moment, since = from_ms(note.at_ms), to_iso(from_ms(note.since_ms))
        match note.type:
            case "opened":
                return Notice(hook, "webhook.failing", moment, {"since": since, **note.cause})
            case "recovered":
                return Notice(hook, "webhook.recovered", moment, {"since": since})
            case "exhausted":
                return Notice(hook, "webhook.exhausted", moment, _about(note))
            case "untaken":
                return Notice(hook, "webhook.kill_untaken", moment, _about(note))
            case "gone":
                return await self._disable(note, "the receiver answered 410 Gone")
            case "hopeless":
                (counts,) = await self._queues.counts([hook.id])
                if counts.failing_since_ms != note.since_ms:
                    return None  # it is well again
                return await self._disable(note, f"nothing but failures since {since}")

    async def _disable(self, note: Note, reason: str) -> Notice | None:
        def disabled(hook: Webhook) -> Webhook:
            if not hook.enabled or hook.revision != note.revision:
                return hook  # it is disabled already, or its owner has changed it meanwhile
            return hook.model_copy(update={"enabled": False, "disabled_reason": reason})

        change = await self._changes.change(note.webhook, disabled)
        if change is None or change.after.enabled or change.after.disabled_reason != reason:
            return None
        # Also if it was by this note before: who disabled it may have died before it was told.
        return Notice(change.after, "webhook.disabled", from_ms(note.at_ms), {"reason": reason})


def _about(note: Note) -> dict[str, object]:
    entry = note.about
    uri = entry.uri if entry is not None else ""
    return {"sequence": note.sequence, "uri": uri or None, "attempts": note.attempts, **note.cause}
