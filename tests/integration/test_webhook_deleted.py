"""A webhook that is deleted while others still act on what they knew of it leaves nothing on the server."""

from typing import Any

import pytest

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Appending
from newswire_publisher.webhooks.queue import IN_TURN, HookQueues
from newswire_runtime.client import Client
from newswire_schemas.streams import hook_turns

ID = "wh_0"
HOOK = Webhook.model_validate(
    {"id": ID, "owner": "o", "created": "2026-01-31T12:00:00Z", "url": "http://receiver.example/"}
)


@pytest.fixture
def queues(client: Client) -> HookQueues:
    return HookQueues(client, 1)


def entry(how: Any = "push", *, key: str = "k", lane: int = IN_TURN) -> Appending:
    return Appending(ID, how, key, "1:0", False, lane, f"{key} article.new 1 1 1 1:0 t urn:k")


async def left(client: Client) -> list[bytes]:
    """Return what the server has of the webhook, but for what goes by itself."""
    found = [key async for key in client.scan_iter(match=f"hook:*{ID}*") if await client.ttl(key) < 0]
    return found + await client.zrange(hook_turns(0), 0, -1)


@pytest.mark.parametrize(
    "late",
    [entry("push"), entry("keep"), entry("skip"), entry("push", lane=1), entry("push", key="-")],
    ids=["pushed", "pull-only", "not wanted", "urgent", "notice"],
)
async def test_a_story_that_comes_after_the_deletion_leaves_nothing(
    client: Client, queues: HookQueues, late: Appending
) -> None:
    await queues.apply(HOOK)
    await queues.append([entry(key="before")])
    await queues.forget(ID)

    assert await queues.append([late]) == [0]

    assert await left(client) == []


async def test_settings_that_come_after_the_deletion_leave_nothing(client: Client, queues: HookQueues) -> None:
    await queues.apply(HOOK)
    await queues.forget(ID)

    await queues.apply(HOOK)

    assert await left(client) == []


async def test_a_webhook_whose_settings_are_still_on_their_way_gets_its_stories(queues: HookQueues) -> None:
    assert await queues.append([entry()]) == [1]
