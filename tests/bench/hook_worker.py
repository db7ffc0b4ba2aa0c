"""A process of webhook workers for `bench_webhooks`: ``python -m tests.bench.hook_worker REDIS_URL``.

    stdin: 'go' starts it, 'stop' ends what it does ─▶ stdout: 'settled N' a batch, 'stopped CPU' (seconds since 'go')

The worker of the publisher, as it is, with the master key of this bench. A push that fails ends it.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Sequence

import uvloop

from newswire_cli.heap import keep_heap
from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.pushes import Settlement
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.settling import Settler
from newswire_publisher.webhooks.vault import Vault
from newswire_publisher.webhooks.worker import HookWorker
from newswire_runtime import logs
from newswire_runtime.broker import make_client
from newswire_runtime.conf import Table
from newswire_runtime.outbound import GuardedClient
from tests.bench.bench_delivery import LOCAL

MASTER_KEY = "a key of this bench, thirty-two characters"
KEEP_MS = 86_400_000


def say(*words: object) -> None:
    print(*words, flush=True)


class ToldQueues(HookQueues):
    """Says how many pushes it has settled, whichever endpoints they were for."""

    async def settle(self, partition: int, settlements: Sequence[Settlement], oldest_ms: int, patience_ms: int) -> None:
        await super().settle(partition, settlements, oldest_ms, patience_ms)
        if any(each.what != "delivered" for each in settlements):
            raise SystemExit("a push failed")
        say("settled", len(settlements))


@contextlib.asynccontextmanager
async def worker(url: str) -> AsyncIterator[HookWorker]:
    client = make_client(url)
    try:
        async with GuardedClient(LOCAL, per_host=0) as http:
            queues = ToldQueues(client, 1)
            log = HookLog(client, ArticleStore(client, 1), "http://wire.example", 1)
            settler = Settler(queues, 0, KEEP_MS, KEEP_MS)
            courier = Courier(log_of=log, http=http, keyring=Keyring(Vault([MASTER_KEY])), settler=settler)
            hooks = Table(client, "webhooks", Webhook)
            yield HookWorker(hooks=hooks, queues=queues, courier=courier, settler=settler, partition=0)
    finally:
        await client.aclose()


async def main() -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async with worker(sys.argv[1]) as it:
        while await orders.readline() == b"go\n":
            await keep_heap()
            before = time.process_time()
            running = asyncio.create_task(it.run())
            await orders.readline()
            running.cancel()
            await asyncio.wait({running})
            say("stopped", time.process_time() - before)


if __name__ == "__main__":
    logs.configure()
    uvloop.run(main())
