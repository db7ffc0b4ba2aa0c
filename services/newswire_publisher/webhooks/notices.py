"""What is told of the health of subscriptions: kept for the console, and sent to whoever asked for it.

A subscription that wants ``webhook.…`` events gets the notices of its owner's others, as entries of its
own log; an operator's gets those of all. Nothing is told of a subscription that takes notices itself,
so that two of them cannot tell each other of their failures for ever.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog

from newswire_publisher.webhooks.log import NO_KEY, notice_of
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Appending
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.handoff import Effect
from newswire_runtime.http import now
from newswire_schemas.article import to_iso
from newswire_schemas.streams import hook_notices, partition_of

log = structlog.get_logger()

KEPT_NOTICES = 10_000


class Notice(NamedTuple):
    """What is told of a subscription: ``details`` join its id, address and description.

    ``moment``: when it happened.
    """

    hook: Webhook
    type: str
    moment: datetime
    details: Mapping[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        hook = self.hook
        about = {"webhook": hook.id, "url": hook.url, "description": hook.description, "owner": hook.owner}
        return {name: value for name, value in {**about, **self.details}.items() if value is not None}

    @property
    def text(self) -> str:
        return json.dumps(self.data, ensure_ascii=False)


class Notices:
    """Tells, and shows what was told."""

    def __init__(self, client: Client, hooks: Table[Webhook], queues: HookQueues, partitions: int) -> None:
        self._client = client
        self._hooks = hooks
        self._queues = queues
        self._partitions = partitions

    async def push(self, notices: Sequence[Notice]) -> None:
        """Append notices to the logs of those that want them."""
        types = {notice.type for notice in notices}
        hooks = (await self._hooks.all()).values() if notices else ()
        # Once for a type: there may be thousands of webhooks, and hundreds of notices at once.
        ears = {event_type: [hook for hook in hooks if hook.wants(event_type)] for event_type in types}
        told_at = now()
        appendings = []
        for notice in notices:
            log.warning(notice.type, **{name: value for name, value in notice.data.items() if name != "url"})
            if notice.hook.takes_notices:
                continue
            entry = notice_of(notice.type, told_at, notice.moment, notice.text)
            appendings += [
                Appending(ear.id, "push" if ear.pushes else "keep", NO_KEY, "0:0", False, IN_TURN, entry)
                for ear in ears[notice.type]
                if ear.is_operators or ear.owner == notice.hook.owner
            ]
        await self._queues.append(appendings)

    def row(self, notice: Notice) -> Effect:
        """Return the write that puts a notice into the list of what was told."""
        hook = notice.hook
        row = "type", notice.type, "owner", hook.owner, "webhook", hook.id, "at", to_iso(notice.moment)
        key = hook_notices(partition_of(hook.id, self._partitions))
        return Effect("XADD", key, ("MAXLEN", "~", KEPT_NOTICES, "*", *row, "data", notice.text))

    async def newest(self, limit: int, owner: str | None = None, hook_id: str | None = None) -> list[dict[str, Any]]:
        """Return notices, newest first; those of ``owner``, and of one subscription, alone if given."""

        def is_wanted(fields: dict[bytes, bytes]) -> bool:
            of = fields.get(b"webhook", b"").decode()
            return (owner is None or fields[b"owner"].decode() == owner) and (hook_id is None or of == hook_id)

        found: list[tuple[bytes, dict[bytes, bytes]]] = []
        for partition in range(self._partitions) if hook_id is None else [partition_of(hook_id, self._partitions)]:
            top: str | bytes = "+"
            taken = 0
            while taken < limit:
                rows: Sequence[tuple[bytes, dict[bytes, bytes]]] = await self._client.xrevrange(
                    hook_notices(partition), max=top, count=500
                )
                own = [row for row in rows if is_wanted(row[1])]
                found += own
                taken += len(own)
                if len(rows) < 500:
                    break
                top = b"(" + rows[-1][0]
        found.sort(key=lambda row: [int(part) for part in row[0].split(b"-")], reverse=True)
        return [
            {
                "id": row_id.decode(),
                "type": fields[b"type"].decode(),
                "at": fields[b"at"].decode(),
                **json.loads(fields[b"data"]),
            }
            for row_id, fields in found[:limit]
        ]
