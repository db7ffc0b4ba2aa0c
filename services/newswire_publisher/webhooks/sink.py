"""The webhooks' side of the fan-out: who gets which version, and in which lane."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from newswire_publisher.articles.message import EVENT_TYPES
from newswire_publisher.routing.sinks import RETRACTIONS, WITHDRAWALS, Dispatch
from newswire_publisher.webhooks.log import entry_of
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Appending
from newswire_publisher.webhooks.queue import IN_TURN, KILL_LANE, HookQueues
from newswire_runtime.conf import Table
from newswire_schemas.article import Act, Article
from newswire_schemas.filters import Filter

MOST_URGENT = 3
"""Stories of this urgency and above pass the backlog: flash, bulletin and urgent."""


class HookSinks:
    """All subscriptions, as one kind of sink. One that is disabled goes on with its log: nothing is lost by a pause."""

    kind = "hook"

    def __init__(self, hooks: Table[Webhook], queues: HookQueues) -> None:
        self._hooks = hooks
        self._queues = queues
        self._known: Mapping[str, Webhook] | None = None
        self._filters: Mapping[str, Filter] = MappingProxyType({})

    async def filters(self) -> Mapping[str, Filter]:
        hooks = await self._hooks.all()
        if hooks is not self._known:
            self._known = hooks
            self._filters = MappingProxyType({name: hook.filter for name, hook in hooks.items() if hook.takes_articles})
        return self._filters

    async def deliver(self, dispatches: Sequence[Dispatch]) -> None:
        hooks = await self._hooks.having(each.sink for each in dispatches)
        written: dict[int, tuple[str, str, str]] = {}  # what is the same for all subscriptions to one version
        appendings = []
        for dispatch in dispatches:
            hook = hooks.get(dispatch.sink)
            if hook is None:
                continue  # deleted meanwhile
            event_type = EVENT_TYPES[dispatch.act]
            article = dispatch.article
            if id(article) not in written:
                written[id(article)] = article.key, str(article.rank), entry_of(dispatch, event_type)
            key, rank, entry = written[id(article)]
            # A kill goes to whoever has the story, whatever types it asked for.
            is_wanted = hook.wants(event_type) or dispatch.act in WITHDRAWALS
            appendings.append(
                Appending(
                    hook.id,
                    ("push" if hook.pushes else "keep") if is_wanted else "skip",
                    key,
                    rank,
                    dispatch.act in RETRACTIONS,
                    lane_of(dispatch.act, article),
                    entry,
                )
            )
        await self._queues.append(appendings)


def lane_of(act: Act, article: Article) -> int:
    """Return the lane of a version: a kill first, urgent stories past the backlog, the rest in turn."""
    if act in WITHDRAWALS:
        return KILL_LANE
    return article.urgency if article.urgency is not None and article.urgency <= MOST_URGENT else IN_TURN
