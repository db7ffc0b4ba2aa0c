"""The hub's state on Redis: one method a step, each one script."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from newswire_publisher.hub.model import Call, Subscription, feed_of
from newswire_runtime.client import Client
from newswire_runtime.group_commit import GroupCommit
from newswire_runtime.scripts import Script, Word
from newswire_schemas.streams import FeedKeys, HubKeys, partition_of

MOST_PENDING = 1_000
"""Requests of one partition whose callbacks have not answered yet: strangers can make them."""
MOST_SUBSCRIBERS = 10_000
"""Of one feed."""
MOST_A_MINUTE = 600
"""Requests for callbacks of one host, of one partition: the hub is not to be a tool against others."""
PAGE = 500


class TooManyError(Exception):
    """The hub takes no more of this now; the message says what there is too much of.

    ``often`` if the caller asked too often, and not for too much.
    """

    def __init__(self, message: str, *, often: bool = False) -> None:
        super().__init__(message)
        self.often = often


@dataclass(frozen=True, slots=True)
class Leased:
    """A place of a queue that this worker has.

    ``attempts`` counts this one, ``since`` is in ms since the epoch; ``generation`` and ``digest`` are those of
    what was delivered last.
    """

    id: str
    attempts: int
    since: int
    generation: int
    digest: str
    lease: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A subscription as operators see it: when its lease ends (ms), the generation that it has, the last outcome."""

    subscription: Subscription
    ends: int
    generation: int
    last: Mapping[str, Any] | None


class HubStore:
    """What all processes of the hub share."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions
        self._group = GroupCommit(client)
        names = ("request", "delivered", "checked", "end")
        self._scripts = {name: Script("newswire_publisher.hub", f"{name}.lua") for name in names}

    async def request(self, call: Call) -> None:
        """Keep what a subscriber asks for until its callback has answered; raise TooManyError."""
        subscription = call.subscription
        keys, feed = self._keys(subscription.id)
        names = [keys.checks, keys.checking, keys.check_state, keys.pending, keys.bell, feed.subscribers, feed.state]
        names.append(keys.requests(urlsplit(subscription.callback).hostname or ""))
        most = MOST_SUBSCRIBERS if call.mode == "subscribe" else 0
        words: list[Word] = [subscription.id, _json(call), MOST_PENDING, most, MOST_A_MINUTE]
        taken = await self._group.script(self._scripts["request"], names, words)
        if taken == 0:
            raise TooManyError("too many callbacks have not answered yet")
        if taken == -2:
            raise TooManyError(f"callbacks of one host are asked {MOST_A_MINUTE} times a minute at most", often=True)
        if taken < 0:
            raise TooManyError(f"the feed {subscription.feed} has as many subscribers as it can")

    async def subscribed(self, subscription_id: str) -> bool:
        keys, _ = self._keys(subscription_id)
        return await self._client.zscore(keys.ends, subscription_id) is not None

    async def subscriptions(self, ids: Sequence[str]) -> dict[str, Subscription]:
        """Return those of these subscriptions that there are; all ids are of one partition."""
        by_feed: dict[str, list[str]] = {}
        for each in ids:
            by_feed.setdefault(feed_of(each), []).append(each)
        pipeline = self._client.pipeline(transaction=False)
        for feed, some in by_feed.items():
            pipeline.hmget(FeedKeys(feed, self._partitions).subscribers, some)
        found = {}
        for bodies in await pipeline.execute() if by_feed else []:
            for body in bodies:
                if body is not None:
                    subscription = Subscription.model_validate_json(body)
                    found[subscription.id] = subscription
        return found

    async def calls(self, partition: int, ids: Sequence[str]) -> dict[str, Call]:
        """Return what these callbacks are to be asked or told."""
        bodies = await self._client.hmget(HubKeys(partition).pending, ids) if ids else []
        return {
            each: Call.model_validate_json(body) for each, body in zip(ids, bodies, strict=True) if body is not None
        }

    async def delivered(
        self,
        place: Leased,
        verb: str,
        *,
        generation: int,
        digest: str,
        delay: int,
        record: Mapping[str, Any],
        notice: Call | None,
    ) -> None:
        """Settle a delivery: ``verb`` is ``delivered``, ``retry`` after ``delay`` ms, or ``over``."""
        keys, feed = self._keys(place.id)
        names = [keys.due, keys.again, keys.leased, keys.state, feed.state]
        names += [feed.subscribers, keys.ends, keys.bell, keys.checks, keys.pending]
        words: list[Word] = [place.id, place.lease, verb, generation, delay, json.dumps(record), _json(notice), digest]
        await self._group.script(self._scripts["delivered"], names, words)

    async def checked(self, place: Leased, verb: str, ms: int = 0, body: Subscription | Call | None = None) -> None:
        """Settle a call: ``subscribe`` for ``ms``, ``unsubscribe``, ``retry`` in ``ms``, ``deny`` or ``done``."""
        keys, feed = self._keys(place.id)
        names = [keys.checks, keys.checking, keys.check_state, keys.pending, keys.bell, feed.subscribers]
        names += [feed.state, keys.ends, keys.due, keys.again, keys.leased, keys.state]
        await self._group.script(self._scripts["checked"], names, [place.id, place.lease, verb, ms, _json(body)])

    async def end(self, subscription_id: str, how: str, notice: Call | None = None) -> bool:
        """End a subscription; ``how`` is ``ended``, or ``expired``, which looks at its lease again."""
        keys, feed = self._keys(subscription_id)
        names = [feed.subscribers, keys.ends, keys.due, keys.again, keys.leased]
        names += [keys.state, keys.checks, keys.pending, keys.bell]
        words: list[Word] = [subscription_id, how, _json(notice)]
        return bool(await self._group.script(self._scripts["end"], names, words))

    async def list(self, feed: str | None = None, after: str = "", limit: int = PAGE) -> list[Listed]:
        """Return subscriptions by id, those after ``after``."""
        partitions = range(self._partitions) if feed is None else [partition_of(feed, self._partitions)]
        known: list[tuple[str, int]] = []
        for partition in partitions:
            known += [
                (each.decode(), int(ends))
                for each, ends in await self._client.zrange(HubKeys(partition).ends, 0, -1, withscores=True)
            ]
        wanted = sorted(each for each in known if each[0] > after and feed in {None, feed_of(each[0])})[:limit]
        found = await asyncio.gather(*[self._listed(subscription_id, ends) for subscription_id, ends in wanted])
        return [each for each in found if each is not None]

    async def _listed(self, subscription_id: str, ends: int) -> Listed | None:
        keys, feed = self._keys(subscription_id)
        body = await self._group.execute("HGET", feed.subscribers, subscription_id)
        names = [f"g:{subscription_id}", f"o:{subscription_id}"]
        generation, last = await self._group.execute("HMGET", keys.state, *names)
        if body is None:
            return None
        subscription = Subscription.model_validate_json(body)
        return Listed(subscription, ends, int(generation or 0), json.loads(last) if last else None)

    def _keys(self, subscription_id: str) -> tuple[HubKeys, FeedKeys]:
        feed = feed_of(subscription_id)
        return HubKeys(partition_of(feed, self._partitions)), FeedKeys(feed, self._partitions)


def _json(body: Subscription | Call | None) -> str:
    return "" if body is None else body.model_dump_json(exclude_none=True)
