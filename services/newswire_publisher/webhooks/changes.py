"""The one way to change a webhook, for those who call and for what we decide ourselves.

    change ─▶ table (raised revision) ─▶ queue

A change is made from what is stored at that moment, whoever else writes; only what changes anything raises the
revision and reaches the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_runtime.conf import Table


@dataclass(frozen=True, slots=True)
class Change:
    """A webhook before and after a change."""

    before: Webhook
    after: Webhook

    @property
    def is_one(self) -> bool:
        """Whether anything changed."""
        return self.before.revision != self.after.revision

    @property
    def moved(self) -> bool:
        """Whether its pushes go to another address now."""
        return self.before.url != self.after.url


class HookChanges:
    """Changes webhooks."""

    def __init__(self, hooks: Table[Webhook], queues: HookQueues) -> None:
        self._hooks = hooks
        self._queues = queues

    async def change(self, hook_id: str, change: Callable[[Webhook], Webhook]) -> Change | None:
        """Replace a webhook by ``change`` of it, and tell the queue; return None if it is gone.

        Raises:
            ChangedMeanwhileError: others change it all the time.
        """
        before: list[Webhook] = []

        def raised(hook: Webhook) -> Webhook:
            before[:] = [hook]
            after = change(hook)
            return hook if after == hook else after.model_copy(update={"revision": hook.revision + 1})

        after = await self._hooks.update(hook_id, raised)
        if after is None:
            return None
        changed = Change(before[0], after)
        if changed.is_one:
            await self._queues.apply(after)
        return changed
