"""The social side of the fan-out: each account's queue takes the versions of its articles."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import structlog

from newswire_publisher.routing.sinks import Dispatch
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.offers import Offer, offer_of
from newswire_publisher.social.queue import PostQueue
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_schemas.filters import Filter

log = structlog.get_logger()


class SocialSinks:
    """All accounts, as one kind of sink. ``base_url`` is where readers reach us, without a slash at its end."""

    kind = "post"

    def __init__(self, client: Client, accounts: Table[Account], base_url: str, partitions: int) -> None:
        self.accounts = accounts
        self.base_url = base_url.rstrip("/")
        self.queue = PostQueue(client, partitions)
        self._known: Mapping[str, Account] | None = None
        self._filters: Mapping[str, Filter] = MappingProxyType({})

    async def filters(self) -> Mapping[str, Filter]:
        accounts = await self.accounts.all()
        if accounts is not self._known:
            self._known = accounts
            self._filters = MappingProxyType({name: account.wanted for name, account in accounts.items()})
        return self._filters

    async def deliver(self, dispatches: Sequence[Dispatch]) -> None:
        accounts = await self.accounts.having(each.sink for each in dispatches)
        offers: list[Offer] = []
        for dispatch in dispatches:
            account = accounts.get(dispatch.sink)
            if account is None:  # deleted since the article was routed, and its queue with it
                log.info(
                    "post.account_gone", account=dispatch.sink, uri=dispatch.article.uri, trace_id=dispatch.trace_id
                )
                continue
            offers.append(offer_of(account, dispatch, self.base_url))
        for offer, taken in zip(offers, await self.queue.deliver(offers), strict=True):
            log.info(
                "post.offered",
                post=offer["id"],
                uri=offer["uri"],
                taken=taken,
                takes=offer["takes"],
                trace_id=offer["trace_id"],
            )
