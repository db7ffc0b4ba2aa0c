"""The loops of the live stream: one reads the log for all streams, one keeps the connections.

The reader follows the log from its end; streams that want earlier entries replay them for themselves.
If the broker is away, streams stay open and go on where they were. If it comes back with a shorter log
(an old backup), the numbers begin anew: all streams are ended, and their clients told when they resume.
"""

import asyncio

import structlog
from redis.exceptions import RedisError

from newswire_publisher.live.events import LiveEvents
from newswire_publisher.live.hub import PAGE, LiveHub
from newswire_publisher.live.log import LiveLog
from newswire_publisher.live.stream import LiveStream
from newswire_runtime.tasks import wanted

log = structlog.get_logger()
BLOCK_MS = 1_000
PAUSE = 0.5
HEARTBEAT = 15.0
"""Seconds without a byte after which a stream gets one, and between two looks at whether it may still be read."""
STALL = 30.0
"""Seconds that a write may wait for the client."""
LOOK = 1.0


class LiveReader:
    """Publishes each new entry to the hub, once."""

    def __init__(self, log_of: LiveLog, events: LiveEvents, hub: LiveHub) -> None:
        self._log = log_of
        self._events = events
        self._hub = hub

    async def run(self) -> None:
        sure = False
        while wanted():
            try:
                if not sure:
                    await self._find_place()
                    sure = True
                await self.step()
            except (RedisError, OSError) as exc:
                sure = False
                log.warning("live.read_failed", error=str(exc))
                await asyncio.sleep(PAUSE)
            except Exception:
                # A fault of ours with one entry must not end the stream for all: clients come again for what is left.
                log.exception("live.entry_failed", position=self._hub.position)
                self._hub.end_all()
                self._hub.start_at(await self._log.newest())

    async def _find_place(self) -> None:
        newest = await self._log.newest()
        if self._hub.position is None or newest < self._hub.position:
            self._hub.end_all()
            self._hub.start_at(newest)

    async def step(self) -> None:
        """Publish what has come, or wait for it for `BLOCK_MS`."""
        position = self._hub.position or 0
        entries = await self._log.wait(position, PAGE, BLOCK_MS)
        if not entries:
            return
        if not len(self._hub):
            self._hub.start_at(entries[-1].sequence)
            return
        if entries[0].sequence > position + 1:
            self._hub.tell_gap(entries[0].sequence)
        for entry, event in zip(entries, await self._events.make(entries), strict=True):
            if event is None:
                self._hub.position = entry.sequence
            else:
                self._hub.publish(event)


class LiveKeeper:
    """Writes heartbeats, cuts off who takes nothing, and ends the streams of those who may read no more."""

    def __init__(self, hub: LiveHub) -> None:
        self._hub = hub
        self._asked: dict[str, float] = {}

    async def run(self) -> None:
        while wanted():
            await asyncio.sleep(LOOK)
            try:
                await self.look(asyncio.get_running_loop().time())
            except (RedisError, OSError) as exc:
                log.warning("live.keep_failed", error=str(exc))

    async def look(self, now: float) -> None:
        """Look at every stream once."""
        asking: list[LiveStream] = []
        for stream in self._hub:
            if stream.busy_since is not None and now - stream.busy_since > STALL:
                log.info("live.stalled", stream=stream.name, sent=stream.sent)
                stream.cut()
            elif self._hub.has_joined(stream) and now - stream.written_at >= HEARTBEAT:
                stream.beat(self._hub.position or 0)
            if stream.allowed is not None and now - self._asked.setdefault(stream.name, now) >= HEARTBEAT:
                self._asked[stream.name] = now
                asking.append(stream)
        self._asked = {name: at for name, at in self._asked.items() if self._hub.has(name)}
        await asyncio.gather(*map(self._ask, asking))

    async def _ask(self, stream: LiveStream) -> None:
        if stream.allowed is not None and not await stream.allowed():
            stream.end()
