"""Drops attempts that are older than they are kept, also of endpoints for which nothing comes any more.

    table of webhooks ─▶ a few hundred at a time ─▶ XTRIM MINID, exactly

A settling trims as well, but only what it can cheaply: whole nodes of its own endpoint's stream. Any number of
processes may sweep: the second finds nothing.

The log, ``seen`` and ``failed`` of a subscription are not trimmed: articles are never dropped, so all of it is needed.
"""

import asyncio
import time
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError

from newswire_publisher.webhooks.attempts import oldest_kept
from newswire_publisher.webhooks.model import Webhook
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.tasks import wanted
from newswire_schemas.streams import HookKeys

LONGEST_WAIT = 3_600.0
"""Seconds between two sweeps, or a tenth of the time that attempts are kept."""
AT_ONCE = 200

log = structlog.get_logger()


class AttemptsSweep:
    """Sweeps the attempts of all webhooks again and again. ``keep_ms``: how long they are kept."""

    def __init__(
        self,
        client: Client,
        hooks: Table[Webhook],
        partitions: int,
        keep_ms: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._hooks = hooks
        self._partitions = partitions
        self._keep_ms = keep_ms
        self._clock = clock
        self.wait = min(LONGEST_WAIT, keep_ms / 10_000)

    async def run(self) -> None:
        while wanted():
            try:
                if entries := await self.sweep():
                    log.info("webhook.attempts_swept", entries=entries)
            except (RedisError, OSError) as exc:
                log.warning("webhook.sweep_failed", error=str(exc))
            except Exception:
                log.exception("webhook.sweep_failed")
            await asyncio.sleep(self.wait)

    async def sweep(self) -> int:
        """Drop what is too old; return how many entries there were."""
        names, dropped = list(await self._hooks.all()), 0
        for start in range(0, len(names), AT_ONCE):
            pipeline = self._client.pipeline(transaction=False)
            oldest = oldest_kept(self._clock(), self._keep_ms)
            for name in names[start : start + AT_ONCE]:
                pipeline.xtrim(HookKeys(name, self._partitions).attempts, minid=oldest, approximate=False)
            dropped += sum(await pipeline.execute())
        return dropped
