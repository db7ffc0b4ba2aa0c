"""The webhook workers: take what is due, endpoint by endpoint in turn, and send it.

    turns ─▶ endpoints that are due ─▶ lease up to each one's own room ─▶ attempts side by side
    bell  ─▶ wakes a worker at once

An endpoint's waiting pushes, leases and pause are its own; the turns hold endpoints,
not pushes, so that ten thousand pushes to one are one place in the line. Any number
of workers may run: a lease is given once.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence

import structlog
from redis.exceptions import RedisError

from newswire_publisher.webhooks.delivery import LEASE_MS, Courier, Push
from newswire_publisher.webhooks.model import Webhook
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.scripts import Script, Word
from newswire_runtime.tasks import wanted
from newswire_schemas.streams import HookKeys, hook_bell, hook_turns

log = structlog.get_logger()

MOST_IN_FLIGHT = 2_048
"""Pushes on their way at once: what hangs holds a place for its deadline, and 250 endpoints may hang."""
MOST_AT_ONCE = 16
"""Pushes of one endpoint that one turn takes: the others' turns come in between."""
LONGEST_WAIT_MS = 500


class HookWorker:
    """Serves the endpoints of one partition."""

    def __init__(
        self,
        *,
        client: Client,
        hooks: Table[Webhook],
        courier: Courier,
        partition: int,
        partitions: int,
    ) -> None:
        self._client = client
        self._hooks = hooks
        self._courier = courier
        self._partitions = partitions
        self._turns = hook_turns(partition)
        self._bell = hook_bell(partition)
        self._take = Script("newswire_publisher.webhooks", "take.lua")
        self._in_flight: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()

    async def run(self) -> None:
        rung = "$"
        try:
            while wanted():
                try:
                    rung = await self._turn(rung)
                except (RedisError, OSError) as exc:
                    log.warning("webhook.worker_failed", error=str(exc))
                    await asyncio.sleep(0.2)
        finally:
            await asyncio.gather(*self._in_flight, return_exceptions=True)

    async def _turn(self, rung: str) -> str:
        """Take what is due; if nothing is, wait for the bell or the next turn. Returns the bell's last entry."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.zrange(self._turns, 0, 63, withscores=True)
        pipeline.xrevrange(self._bell, count=1)
        turns, last = await pipeline.execute()
        # Our clock only says when to ask; the server's decides what is due (take.lua).
        now = int(time.time() * 1000)
        due = [hook_id.decode() for hook_id, at in turns if at <= now]
        pushes, left_out = await self._lease(due)
        for push in pushes:
            task = asyncio.create_task(self._attempt(push))
            self._in_flight.add(task)
            task.add_done_callback(self._done)
        if pushes:
            return rung
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            self._freed.clear()
            await self._freed.wait()
            return rung
        if left_out:
            return rung  # those that were asked have a later turn now
        rung = last[0][0].decode() if last else "0-0"
        wait = min([LONGEST_WAIT_MS, *[int(at) - now for _, at in turns if at > now]])
        await self._client.xread({self._bell: rung}, block=max(1, wait), count=1)
        return rung

    async def _lease(self, due: Sequence[str]) -> tuple[list[Push], bool]:
        """Lease what these endpoints have due, in one step; return it, and whether some want to be asked again."""
        hooks = await self._hooks.all() if due else {}
        room = MOST_IN_FLIGHT - len(self._in_flight)
        lease = secrets.token_hex(8)
        left_out = False
        asked: list[Webhook] = []
        calls: list[tuple[list[str], list[Word]]] = []
        for hook_id in due:
            hook = hooks.get(hook_id)
            if hook is None or not hook.enabled or not hook.pushes:
                await self._client.zrem(self._turns, hook_id)  # enabling it, or giving it a url, sets its turn again
                if (await self._hooks.all()).get(hook_id) != hook:
                    await self._client.zadd(self._turns, {hook_id: 0})  # it did so just before: look again
                    left_out = True
                continue
            if room <= 0:
                left_out = True
                break
            most = min(MOST_AT_ONCE, hook.concurrency, room)
            room -= most
            keys = HookKeys(hook_id, self._partitions)
            asked.append(hook)
            names = [keys.waiting, keys.leased, keys.items, keys.state, keys.turns, keys.attempts]
            calls.append((names, [hook_id, hook.concurrency, LEASE_MS, lease, most]))
        return await self._leased(asked, calls, lease), left_out

    async def _leased(
        self, hooks: Sequence[Webhook], calls: Sequence[tuple[list[str], list[Word]]], lease: str
    ) -> list[Push]:
        answers = await self._take.many(self._client, calls)
        return [
            Push(hook, int(number), int(attempts), lease)
            for hook, answer in zip(hooks, answers, strict=True)
            for number, attempts in zip(answer[::2], answer[1::2], strict=True)
        ]

    async def _attempt(self, push: Push) -> None:
        try:
            await self._courier.attempt(push)
        except (RedisError, OSError) as exc:
            # The lease ends and the push goes out again, under the same id.
            log.warning("webhook.unsettled", webhook=push.hook.id, sequence=push.sequence, error=str(exc))
        except Exception:
            log.exception("webhook.attempt_failed", webhook=push.hook.id, sequence=push.sequence)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._freed.set()
