"""Who got which version of an article when, by subscription: the proof that a kill arrived.

    ledger (who) ─▶ seen (newest entry, and which were taken when) ─▶ log (which version each was)

What was taken is written in the same step that settles the push, and kept as long as the subscription
knows the article, longer than its attempts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.log import Entry, HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_schemas.article import from_ms
from newswire_schemas.streams import HookKeys

SEARCHED_ATTEMPTS = 1_000
"""Newest attempts of a subscription that a trace looks through."""

State = Literal["taken", "waiting", "failed", "kept"]
"""Of an article's newest entry: ``waiting`` is in the queue or on its way; ``failed`` was given up, cancelled or too
old; ``kept`` is in the log for whoever pulls."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One entry that the endpoint answered with 2xx, and when that was settled."""

    entry: Entry
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one subscription got of an article. ``hook`` is None if it was deleted since, and ``whose`` tells of it."""

    hook_id: str
    hook: Webhook | None
    newest: Entry | None = None
    state: State = "kept"
    taken: Sequence[Taken] = ()
    whose: Mapping[str, str | None] = field(default_factory=dict)


class Receipts:
    """Reads the receipts of all subscriptions."""

    def __init__(
        self, client: Client, hooks: Table[Webhook], log: HookLog, attempts: Attempts, partitions: int
    ) -> None:
        self._client = client
        self._hooks = hooks
        self._log = log
        self._attempts = attempts
        self._partitions = partitions

    async def of(self, key: str, hook_ids: Sequence[str]) -> list[Receipt]:
        """Return the receipts of an article."""
        if not hook_ids:
            return []
        hooks = await self._hooks.all()
        pipeline = self._client.pipeline(transaction=False)
        for hook_id in hook_ids:
            pipeline.hget(HookKeys(hook_id, self._partitions).seen, key)
        seen = await pipeline.execute()
        return [
            await self._receipt(hook_id, hooks.get(hook_id), None if raw is None else raw.decode())
            for hook_id, raw in zip(hook_ids, seen, strict=True)
        ]

    async def attempts(self, receipt: Receipt) -> list[dict[str, Any]]:
        """Return the attempts to send an article to a subscription, oldest first, among its newest ones."""
        if receipt.newest is None:
            return []
        found = await self._attempts.newest(receipt.hook_id, SEARCHED_ATTEMPTS)
        return [each for each in found[::-1] if each.get("uri") == receipt.newest.uri]

    async def _receipt(self, hook_id: str, hook: Webhook | None, seen: str | None) -> Receipt:
        keys = HookKeys(hook_id, self._partitions)
        whose = {} if hook else json.loads(await self._client.get(keys.gone) or "{}")
        if seen is None or not (hook or whose):
            return Receipt(hook_id, hook)
        _, newest, *takes = seen.split()
        taken = [(int(number), int(ms)) for number, _, ms in (take.partition(":") for take in takes)]
        entries = await self._log.entries(hook_id, [int(newest), *[number for number, _ in taken]])
        is_taken = any(number == int(newest) for number, _ in taken)
        state: State = "taken" if is_taken else await self._untaken(keys, newest)
        return Receipt(
            hook_id,
            hook,
            entries.get(int(newest)),
            state,
            [Taken(entries[number], from_ms(ms)) for number, ms in taken if number in entries],
            whose,
        )

    async def _untaken(self, keys: HookKeys, number: str) -> State:
        """Return what has become of an entry that was not taken."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.hmget(keys.state, "cursor", "flight")
        for lane in (keys.failed, keys.kills, keys.express, keys.retry, keys.replaying):
            pipeline.zscore(lane, number)
        (cursor, flight), failed, *waits = await pipeline.execute()
        # A line of what is on its way is 'SLOT N …', and ends with 'N:KIND' of what follows it.
        is_flying = any(
            line.split(b" ")[1] == number.encode() or line.rpartition(b" ")[2].partition(b":")[0] == number.encode()
            for line in (flight or b"").split(b"\n")[1:]
        )
        if is_flying or int(number) > int(cursor or 0) or any(score is not None for score in waits):
            return "waiting"
        return "kept" if failed is None else "failed"
