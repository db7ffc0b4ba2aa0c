"""The schedule: lifts embargoes and lets articles expire, within a second and without traffic.

What must wait lies in a sorted set with the event that its moment brings; a mover
puts what is due into the publisher's own stream, atomically. The server's clock counts.
"""

import asyncio

import structlog
from redis.exceptions import RedisError

from newswire_runtime.client import Client
from newswire_runtime.scripts import Script
from newswire_runtime.tasks import wanted
from newswire_schemas.streams import WireKeys

log = structlog.get_logger()
LONGEST_WAIT = 0.25
"""Seconds between two looks; another process may have scheduled something sooner than what we wait for."""
MOST = 200


class ScheduleMover:
    """Moves what is due in all partitions. Any number of them may run."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._keys = [WireKeys(partition) for partition in range(partitions)]
        self._move = Script("newswire_publisher.articles", "due.lua")

    async def run(self) -> None:
        while wanted():
            pause = LONGEST_WAIT
            try:
                for keys in self._keys:
                    pause = min(pause, await self.move(keys))
            except (RedisError, OSError) as exc:
                log.warning("schedule.failed", error=str(exc))
            await asyncio.sleep(pause)

    async def move(self, keys: WireKeys) -> float:
        """Move what is due in one partition; return the seconds until something may be due."""
        moved, wait_ms = await self._move(self._client, [keys.schedule, keys.due, keys.enriched], [MOST])
        if moved:
            log.info("schedule.moved", partition=keys.partition, articles=moved)
        if moved == MOST:
            return 0.0
        return LONGEST_WAIT if wait_ms < 0 else wait_ms / 1000
