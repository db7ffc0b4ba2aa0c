"""The edges of the webhooks' queue: what is rare, and must not be lost, stuck or without bound all the same."""

import asyncio
import json
import random
import re
from typing import Any

import pytest
from support.hook_model import HOOK, KEYS, Model, record_of
from support.waiting import until

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.attempts_api import _ID
from newswire_publisher.webhooks.log import HookLog, read_entry
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Leased, Settlement
from newswire_publisher.webhooks.retry import Delivered
from newswire_publisher.webhooks.settling import Attempt, Push, Settler
from newswire_runtime.client import Client


@pytest.fixture
async def model(client: Client) -> Model:
    made = Model(client, random.Random(1))
    await made.configure(concurrency=3)
    return made


async def settle_as(model: Model, pushes: list[Leased], what: Any) -> None:
    rows = [
        Settlement(
            HOOK,
            push.sequence,
            model.key_of[push.sequence],
            push.lease,
            what,
            record_of(push, what),
            revision=model.revision,
        )
        for push in pushes
    ]
    model.out = [push for push in model.out if push not in pushes]
    await model.queues.settle(0, rows, 0, 2**44)


async def test_a_rate_that_is_raised_is_used_at_once(model: Model) -> None:
    # By the old rate the next push lies 1,000 s ahead.
    await model.configure(rate=0.001)
    await model.append("a")
    await settle_as(model, await model.take(), "delivered")
    await model.configure(rate=100.0)
    await model.append("b")
    again = await until(model.take, what="the second push", seconds=3)
    assert [push.sequence for push in again] == [2]


async def test_a_lease_ends_though_the_endpoint_is_disabled(model: Model) -> None:
    await model.append("a")
    await model.take()
    await model.configure(enabled=False)
    await model.end_leases()
    await model.take()
    (counts,) = await model.queues.counts([HOOK])
    assert (counts.in_flight, counts.waiting) == (0, 1)


async def test_what_is_logged_as_cancelled_is_not_sent_later(model: Model) -> None:
    await model.configure(concurrency=1)
    await model.append("a")
    first = await model.take()
    await model.append("flash", lane=1)
    await model.append("c", how="keep")
    assert 2 in await model.accounted()
    await settle_as(model, first, "delivered")
    assert [push.sequence for push in await model.take()] == []


async def test_what_is_sent_again_and_again_takes_no_more_memory(model: Model) -> None:
    await model.append("a")
    await settle_as(model, await model.take(), "delivered")
    before = len(await model.client.hget(KEYS.seen, "a") or b"")
    for _ in range(50):
        await model.queues.resend(HOOK, 1)
        await settle_as(model, await model.take(), "delivered")
    assert len(await model.client.hget(KEYS.seen, "a") or b"") < 2 * before


async def test_a_settling_that_is_lost_reads_little_of_the_log_of_attempts(model: Model) -> None:
    # Whole, the newest 512 entries with 100 records of 2 KB each are 100 MB.
    await model.append("a")
    late = await model.take()
    await model.end_leases()
    (again,) = await model.take()
    record = json.dumps({"sequence": 1, "outcome": "retry", "response": "x" * 2_000})
    rows = "\n".join([record] * 100)
    for _ in range(16):
        pipeline = model.client.pipeline(transaction=False)
        for _ in range(32):
            pipeline.xadd(KEYS.attempts, {"a": rows})
        await pipeline.execute()
    await model.client.config_resetstat()
    await settle_as(model, late, "delivered")
    reads = (await model.client.info("commandstats"))["cmdstat_xrevrange"]["calls"]
    assert again.sequence == 1
    assert reads <= 2  # of four entries each


async def test_every_attempt_of_a_long_list_of_cancelled_ones_has_an_id_that_the_api_takes(model: Model) -> None:
    # An id's place in its entry has four digits at most.
    await model.append("a")
    (push,) = await model.take()
    count = 10_010
    await model.client.zadd(KEYS.retry, {str(number): 2**44 for number in range(2, count)})
    await model.client.hset(KEYS.items, mapping={f"k{number}": f"{number} 1 live" for number in range(2, count)})
    await model.client.hset(KEYS.state, "lanes", 1)
    await settle_as(model, [push], "gone")
    log = HookLog(model.client, ArticleStore(model.client, 1), "http://wire.example", 1)
    newest = await Attempts(model.client, log, 1).newest(HOOK, 3)
    assert all(re.match(_ID, each["id"]) for each in newest), [each["id"] for each in newest]


async def test_an_attempts_id_that_no_server_has_is_not_found(model: Model) -> None:
    log = HookLog(model.client, ArticleStore(model.client, 1), "http://wire.example", 1)
    assert not re.match(_ID, "99999999999999999999-1")  # more than 64 bits: the server would refuse it
    assert await Attempts(model.client, log, 1).get(HOOK, "9999999999999999999-1") is None


async def test_what_a_full_server_refuses_is_settled_once_it_takes_writes_again(model: Model) -> None:
    await model.append("a")
    (push,) = await model.take()
    hook = Webhook.model_validate(
        {"id": HOOK, "owner": "o", "created": "2025-02-07T12:00:00Z", "url": "http://receiver.example/"}
    )
    settler = Settler(model.queues, 0, 1_000_000, 1_000_000)
    await model.client.config_set("maxmemory", 1)
    try:
        settler.add(
            Attempt(Push(hook, read_entry(1, push.entry), 1, "live", push.lease), Delivered(), 0, "1 1 1 1.0 200")
        )
        await asyncio.wait({asyncio.create_task(settler.drain())}, timeout=1)
    finally:
        await model.client.config_set("maxmemory", 0)
    await settler.drain()
    (counts,) = await model.queues.counts([HOOK])
    assert counts.in_flight == 0


async def test_a_resend_waits_for_an_older_version_that_is_on_its_way(model: Model) -> None:
    await model.append("a")
    older = await model.take()
    await model.append("a", how="keep")  # its address was taken away, and is there again
    assert await model.queues.resend(HOOK, 2)
    assert await model.take() == []
    await settle_as(model, older, "delivered")
    assert [push.sequence for push in await model.take()] == [2]
