"""A webhook that comes back from a backup goes on with the numbers of its log, and never begins at 1 again.

Its receivers know entries by their numbers and pushes by an id that is made of them: a number that was used
before would be taken for a repeat, and a receiver that drops repeats would lose news. What went out after the
backup used numbers that it does not know, so that the log goes on well after its number; what is left out is noted.
"""

from collections.abc import Mapping, Sequence

from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.left_out import LeftOut, LeftOuts
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.unsigned import why_unsigned
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.http import now
from newswire_runtime.scripts import Script
from newswire_schemas.streams import HookKeys


class HookRestorer:
    """Reads and raises the numbers, and tells the queues of webhooks that were restored."""

    def __init__(
        self, client: Client, *, hooks: Table[Webhook], queues: HookQueues, keyring: Keyring, partitions: int
    ) -> None:
        self._client = client
        self._hooks = hooks
        self._queues = queues
        self._keyring = keyring
        self._partitions = partitions
        self._left_outs = LeftOuts(client, partitions)
        self._raise = Script("newswire_publisher.webhooks", "raise.lua")

    async def sequences(self, hook_ids: Sequence[str]) -> dict[str, int]:
        """Return the number of each log's newest entry."""
        counts = await self._queues.counts(hook_ids)
        return {hook_id: count.last_sequence for hook_id, count in zip(hook_ids, counts, strict=True)}

    async def raise_sequences(self, wanted: Mapping[str, int], ahead: int) -> int:
        """Let logs that are not as far go on after these numbers, and ``ahead`` more; return how many were raised."""
        logs = [(hook_id, number) for hook_id, number in wanted.items() if number + ahead]
        calls = [
            # A log at 0 has lost what it had, if it had anything: it counts as not as far.
            ([HookKeys(hook_id, self._partitions).state], [max(1, number), number + ahead])
            for hook_id, number in logs
        ]
        answers = await self._raise.many(self._client, calls)
        raised = [log for log, answer in zip(logs, answers, strict=True) if int(answer)]
        if raised and ahead:
            moment = now()
            await self._left_outs.note(
                (hook_id, LeftOut(number + 1, number + ahead, moment)) for hook_id, number in raised
            )
        return len(raised)

    async def unreadable(self, hook_ids: Sequence[str]) -> list[str]:
        """Return which of these webhooks cannot sign: no master key of this server opens their newest secret."""
        hooks = await self._hooks.all()
        return [hook_id for hook_id in hook_ids if hook_id in hooks and why_unsigned(self._keyring, hooks[hook_id])]

    async def restored(self, hook_id: str) -> None:
        """Bring a restored webhook's settings to its queue."""
        hook = await self._hooks.get(hook_id)
        if hook is not None:
            await self._queues.apply(hook, anew=True)
