"""Interim."""

from collections.abc import Sequence
from dataclasses import dataclass

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sink import HookSinks
from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys


@dataclass(frozen=True, slots=True)
class Counts:
    """Interim."""

    waiting: int
    in_flight: int
    last_sequence: int
    paused_until_ms: int = 0
    failing_since_ms: int = 0
    circuit: str = "closed"


class HookQueues:
    """Interim."""

    def __init__(self, client: Client, sinks: HookSinks, partitions: int) -> None:
        self._client = client
        self._sinks = sinks
        self._partitions = partitions
        self.replays: list[tuple[str, int, int, bool]] = []

    async def apply(self, hook: Webhook) -> None:
        keys = HookKeys(hook.id, self._partitions)
        await self._client.zadd(keys.turns, {hook.id: 0})
        await self._client.xadd(keys.bell, {"r": 1}, maxlen=1, approximate=False)

    async def counts(self, hook_ids: Sequence[str]) -> list[Counts]:
        found = []
        for hook_id in hook_ids:
            keys = HookKeys(hook_id, self._partitions)
            waiting = await self._client.zcard(keys.waiting)
            leased = await self._client.zcard(keys.leased)
            last = await self._client.hget(keys.state, "sequence")
            pause = await self._client.hget(keys.state, "pause")
            found.append(Counts(waiting, leased, int(last or 0), int(pause or 0)))
        return found

    async def replay(self, hook_id: str, first: int, last: int, *, only_failed: bool) -> None:
        self.replays.append((hook_id, first, last, only_failed))

    async def resend(self, hook_id: str, sequence: int) -> bool:
        self.replays.append((hook_id, sequence, sequence, False))
        return True

    async def resume(self, hook_id: str) -> None:
        await self._sinks.wake(hook_id)

    async def forget(self, hook_id: str) -> None:
        await self._sinks.forget(hook_id)
