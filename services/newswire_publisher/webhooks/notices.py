"""What is told of the health of subscriptions: kept for the console, and sent to whoever asked for it.

A subscription that wants ``webhook.…`` events gets the notices of its owner's others, as entries of its
own log; an operator's gets those of all. Nothing is told of a subscription that takes notices itself,
so that two of them cannot tell each other of their failures for ever.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from newswire_publisher.webhooks.log import NO_KEY, notice_of
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Appending
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_schemas.article import to_iso
from newswire_schemas.streams import hook_notices, partition_of

log = structlog.get_logger()

KEPT_NOTICES = 10_000


class Notices:
    """Tells, and shows what was told."""

    def __init__(self, client: Client, hooks: Table[Webhook], queues: HookQueues, partitions: int) -> None:
        self._client = client
        self._hooks = hooks
        self._queues = queues
        self._partitions = partitions

    async def tell(self, hook: Webhook, event_type: str, **details: Any) -> None:
        """Tell of a subscription: ``details`` join its id, address and description."""
        moment = datetime.now(UTC)
        data = {"webhook": hook.id, "url": hook.url, "description": hook.description, "owner": hook.owner, **details}
        text = json.dumps({name: value for name, value in data.items() if value is not None}, ensure_ascii=False)
        log.warning(event_type, **{name: value for name, value in data.items() if name != "url"})
        row = {
            "type": event_type,
            "owner": hook.owner,
            "webhook": hook.id,
            "at": to_iso(moment),
            "data": text,
        }
        place = hook_notices(partition_of(hook.id, self._partitions))
        await self._client.xadd(place, row, maxlen=KEPT_NOTICES)
        if hook.takes_notices:
            return
        entry = notice_of(event_type, moment, text.encode())
        await self._queues.append(
            [
                Appending(other.id, "push" if other.pushes else "keep", NO_KEY, "0:0", False, IN_TURN, entry)
                for other in (await self._hooks.all()).values()
                if other.wants(event_type) and (other.is_operators or other.owner == hook.owner)
            ]
        )

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
