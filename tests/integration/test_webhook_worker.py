"""A webhook worker at its edges: how it ends, and what it has on its way at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from support.hook_bench import HOOK, Bench
from support.wire import until

from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Leased
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.settling import Settler
from newswire_publisher.webhooks.worker import MUCH, HookWorker
from newswire_runtime.client import Client
from newswire_runtime.conf import Table


class SlowQueues(HookQueues):
    """Its server's answers to a take are on their way until they are let go."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, 1)
        self.let_go = asyncio.Semaphore(0)
        """A permit for each answer."""
        self.answered = self.asked = self.most_asked = 0

    def let_all_go(self) -> None:
        for _ in range(1_000):
            self.let_go.release()

    async def take(self, *args: Any, **kwargs: Any) -> tuple[list[Leased], int | None, str]:
        self.asked += 1
        self.most_asked = max(self.most_asked, self.asked)
        answer = await super().take(*args, **kwargs)
        self.asked -= 1
        self.answered += 1
        await self.let_go.acquire()
        return answer


@dataclass
class Posts:
    """A courier whose pushes are delivered at once."""

    bench: Bench
    started: list[int] = field(default_factory=list)

    async def start(self, leased: Sequence[Leased], _: object, __: float, done: Callable[[], None]) -> None:
        self.started += [each.sequence for each in leased]
        await self.bench.settle(list(leased))
        for _each in leased:
            done()


@dataclass
class Worker:
    queues: SlowQueues
    posts: Posts
    bench: Bench
    running: asyncio.Task[None]

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})


@pytest.fixture
async def worker(client: Client) -> AsyncIterator[Worker]:
    table, queues = Table(client, "webhooks", Webhook), SlowQueues(client)
    hook = Webhook(id=HOOK, owner="o", created=datetime.now(UTC), url="http://receiver.example/", concurrency=100)
    await table.put(HOOK, hook)
    bench = Bench(client, queues)
    await bench.set(concurrency=100)
    posts = Posts(bench)
    settler = Settler(queues, 0, 1_000, 1_000)
    courier = cast(Courier, posts)
    it = HookWorker(hooks=table, queues=queues, courier=courier, settler=settler, partition=0)
    running = Worker(queues, posts, bench, asyncio.create_task(it.run()))
    yield running
    queues.let_all_go()
    await running.stop()


async def test_what_is_leased_while_a_worker_is_stopped_is_still_sent(worker: Worker) -> None:
    """Else it would wait until its lease ends, for most of a minute."""
    await until(lambda: worker.queues.answered == 1)  # by nothing
    for number in range(5):
        await worker.bench.append(f"a{number}")
    worker.queues.let_go.release()
    await until(lambda: worker.queues.answered == 2)
    assert worker.posts.started == []

    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    worker.queues.let_all_go()
    await stopping

    assert worker.posts.started == [1, 2, 3, 4, 5]
    assert (await worker.queues.counts([HOOK]))[0].in_flight == 0


async def test_while_much_waits_a_second_look_goes_beside_the_first(worker: Worker) -> None:
    await until(lambda: worker.queues.answered == 1)  # by nothing
    many = 3 * MUCH
    for number in range(many):
        await worker.bench.set(f"wh_many{number}")
        await worker.bench.append("a", hook_id=f"wh_many{number}")
    assert worker.queues.most_asked == 1
    worker.queues.let_all_go()
    await until(lambda: len(worker.posts.started) == many)
    assert worker.queues.most_asked == 2
