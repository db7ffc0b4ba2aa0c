"""Random histories of one story against an honest poster that may die at any point.

The poster knows what it has sent by the posts' ids, as an outside poster should: it
never sends one id twice, and where told that an earlier post may be out, it looks.
Whatever happened, once all is settled the platform shows the newest version once, or
nothing after a kill.
"""

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from newswire_publisher.routing.sinks import Dispatch
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.posts import Post
from newswire_publisher.social.queue import Outcome
from newswire_publisher.social.sink import SocialSinks
from newswire_runtime.conf import Table
from newswire_schemas.article import Act, Article
from newswire_schemas.streams import PostKeys

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEYS = PostKeys("acc", 1)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@dataclass
class Platform:
    """What readers see, and what the poster remembers of its own ids."""

    shown: dict[str, str] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)

    def act(self, post: Post) -> Outcome:
        if post.id in self.sent:
            return Outcome("sent", remote_id=self.sent[post.id])
        target = post.target_id or self.sent.get(post.of or "")
        if post.action == "delete":
            self.shown.pop(target or "", None)
            return Outcome("sent")
        if post.action == "edit" or (post.uncertain and target in self.shown):
            assert target is not None
            self.shown[target] = post.text
            remote = target
        else:
            remote = f"r{len(self.sent)}"
            self.shown[remote] = post.text
        self.sent[post.id] = remote
        return Outcome("sent", remote_id=remote)


@pytest.mark.parametrize("seed", range(60))
async def test_in_the_end_the_newest_version_stands_once_or_nothing_after_a_kill(client: Any, seed: int) -> None:
    dice = random.Random(seed)
    sinks = SocialSinks(client, Table(client, "accounts", Account), "https://n.example", 1)
    await sinks.accounts.put("acc", Account(platform="generic", mode="manual"))
    platform = Platform()
    history = _history(dice)
    arrivals = history + dice.choices(history, k=3)
    dice.shuffle(arrivals)
    leases: list[tuple[Post, Outcome | None]] = []
    while arrivals or dice.random() < 0.8:
        match dice.choice(["arrive", "lease", "settle", "lose", "die"]):
            case "arrive" if arrivals:
                await sinks.deliver([arrivals.pop()])
            case "lease":
                leases += [(post, None) for post in await sinks.queue.lease("acc", 1, 60)]
            case "settle" if leases:
                post, done = leases.pop(dice.randrange(len(leases)))
                assert post.lease is not None
                done = done or (
                    platform.act(post)
                    if await _holds(sinks, post) and dice.random() < 0.7
                    else Outcome("failed", retry_in=0)
                )
                await sinks.queue.settle(post.id, post.lease, done)
            case "die" if leases:
                at = dice.randrange(len(leases))
                post, done = leases[at]
                if done is None and await _holds(sinks, post):
                    leases[at] = (post, platform.act(post))  # sent, but not settled yet; maybe never
            case "lose":
                for post, _ in leases:
                    if dice.random() < 0.5:
                        await client.zadd(KEYS.timed, {post.id: 1}, xx=True)
                await sinks.queue.counts("acc")
        await _is_sound(client)
    for post, _ in leases:
        await client.zadd(KEYS.timed, {post.id: 1}, xx=True)
    while posts := await sinks.queue.lease("acc", 10, 60):
        for post in posts:
            assert post.lease is not None
            await sinks.queue.settle(post.id, post.lease, platform.act(post))
            await _is_sound(client)
    newest = history[-1]
    if newest.act is Act.KILL:
        assert platform.shown == {}
    else:
        (text,) = platform.shown.values()
        assert text.splitlines()[0] == newest.article.headline
    assert set(await sinks.queue.counts("acc")) <= {"sent", "cancelled", "superseded", "recalled"}


async def _holds(sinks: SocialSinks, post: Post) -> bool:
    """An honest poster does not send under a lease that has ended; between its look and its act it may still end."""
    now = await sinks.queue.get(post.id)
    return now is not None and now.state == "sending" and now.lease == post.lease


def _history(dice: random.Random) -> list[Dispatch]:
    acts = [Act.NEW] + [dice.choice([Act.CORRECTION, Act.CORRECTION, Act.KILL]) for _ in range(dice.randrange(4))]
    found = []
    for number, act in enumerate(acts, 1):
        moment = MOMENT + timedelta(minutes=number)
        article = Article(
            uri="urn:a", version=number, version_created=moment, first_created=MOMENT, headline=f"Version {number}"
        )
        found.append(Dispatch("acc", act, article, MOMENT, moment, MOMENT, "trace-1"))
    return found


async def _is_sound(client: Any) -> None:
    """Each state's posts lie where they should, the counts are right, and one version at most is queued."""
    posts = [Post.model_validate_json(body) for body in await client.hvals(KEYS.posts)]
    of = {state: {post.id for post in posts if post.state == state} for state in {post.state for post in posts}}
    ready = {name.decode() for name in await client.zrange(KEYS.ready, 0, -1)}
    timed = {name.decode() for name in await client.zrange(KEYS.timed, 0, -1)}
    waiting = {post.id for post in posts if post.state == "queued" and post.not_before is not None}
    assert ready == of.get("queued", set()) - waiting
    assert timed == of.get("sending", set()) | waiting
    counts = {name.decode(): int(n) for name, n in (await client.hgetall(KEYS.counts)).items() if int(n)}
    counts.pop("number", None)
    assert counts == {state: len(ids) for state, ids in of.items()}
    assert len({post.rank for post in posts if post.state == "queued"}) <= 1
    assert len(of.get("held", set())) <= 1
    assert not (of.get("held") and not of.get("sending"))
