"""The webhooks' side of the fan-out: one gap-free log per subscription, and its push queue."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from newswire_publisher.articles.message import EVENT_TYPES
from newswire_publisher.routing.sinks import RETRACTIONS, Dispatch
from newswire_publisher.webhooks.log import fields_of
from newswire_publisher.webhooks.model import Webhook
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.scripts import Script, Word
from newswire_schemas.article import Act
from newswire_schemas.filters import Filter
from newswire_schemas.streams import HookKeys


class HookSinks:
    """All subscriptions, as one kind of sink."""

    kind = "hook"

    def __init__(self, client: Client, hooks: Table[Webhook], partitions: int) -> None:
        self._client = client
        self._hooks = hooks
        self._partitions = partitions
        self._append = Script("newswire_publisher.webhooks", "append.lua")
        self._known: Mapping[str, Webhook] | None = None
        self._filters: Mapping[str, Filter] = MappingProxyType({})

    async def filters(self) -> Mapping[str, Filter]:
        hooks = await self._hooks.all()
        if hooks is not self._known:
            self._known = hooks
            self._filters = MappingProxyType({name: hook.filter for name, hook in hooks.items() if hook.enabled})
        return self._filters

    async def deliver(self, dispatches: Sequence[Dispatch]) -> None:
        hooks = await self._hooks.all()
        calls: list[tuple[list[str], list[Word]]] = []
        written: dict[tuple[str, str, Act], str] = {}
        for dispatch in dispatches:
            hook = hooks.get(dispatch.sink)
            if hook is None:
                continue  # deleted meanwhile
            keys = HookKeys(hook.id, self._partitions)
            event_type = EVENT_TYPES[dispatch.act]
            version = dispatch.article.key, str(dispatch.article.rank), dispatch.act
            fields = written.get(version) or written.setdefault(version, fields_of(dispatch, event_type))
            words: list[Word] = [
                hook.id,
                *version[:2],
                "retract" if dispatch.act in RETRACTIONS else "show",
                int(hook.wants(event_type)),
                int(hook.pushes),
                fields,
            ]
            names = [keys.log, keys.state, keys.seen, keys.waiting, keys.items, keys.turns, keys.bell, keys.attempts]
            calls.append((names, words))
        await self._append.many(self._client, calls)

    async def forget(self, hook_id: str) -> None:
        """Drop all that a deleted subscription had."""
        keys = HookKeys(hook_id, self._partitions)
        await self._client.zrem(keys.turns, hook_id)
        await self._client.delete(keys.log, keys.state, keys.seen, keys.waiting, keys.leased, keys.items, keys.attempts)

    async def wake(self, hook_id: str) -> None:
        """Let the workers look at a subscription now: it was enabled, or its address changed."""
        keys = HookKeys(hook_id, self._partitions)
        await self._client.hdel(keys.state, "pause")
        await self._client.zadd(keys.turns, {hook_id: 0})
        await self._client.xadd(keys.bell, {"r": 1}, maxlen=1, approximate=False)
