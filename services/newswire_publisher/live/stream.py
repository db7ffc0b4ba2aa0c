"""One open stream: a short queue before a socket that may not be read.

    offer ─▶ queue ─▶ flush (a task only while there is something to write) ─▶ send ─▶ socket

While the socket takes what it is given, a stream has no task of its own. Of a client that reads too slowly
the queue is dropped once it holds `MOST_QUEUED` bytes: the stream says ``overflow`` if it still can, and
is cut off after `GRACE`. Frames are shared between streams: a queue holds references.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from starlette.types import Send

from newswire_publisher.articles.message import Format
from newswire_publisher.live.frames import HEARTBEAT, overflow_frame, position_frame

MOST_QUEUED = 256 * 1024
MOST_WRITTEN = 32 * 1024
"""Bytes in one write: the socket's buffer grows past its mark by no more than that."""
GRACE = 5.0
"""Seconds in which a stream that ends may still write what is left."""

StillAllowed = Callable[[], Awaitable[bool]]


class LiveStream:
    """What the hub knows of an open stream. ``position`` is up to where all that is for it was queued."""

    __slots__ = (
        "_abort",
        "_ending",
        "_flushing",
        "_queue",
        "_queued",
        "_send",
        "_told",
        "allowed",
        "busy_since",
        "form",
        "name",
        "position",
        "sent",
        "written_at",
    )

    def __init__(
        self,
        *,
        name: str,
        form: Format,
        position: int,
        send: Send,
        abort: Callable[[], None],
        allowed: StillAllowed | None,
    ) -> None:
        self.name = name
        self.form = form
        self.position = position
        self.sent = position
        self.allowed = allowed
        self.written_at = asyncio.get_running_loop().time()
        self.busy_since: float | None = None
        self._told = position
        self._send = send
        self._abort = abort
        self._queue: deque[tuple[int, bytes]] = deque()
        self._queued = 0
        self._flushing: asyncio.Task[None] | None = None
        self._ending: bytes | None = None

    @property
    def is_ending(self) -> bool:
        return self._ending is not None

    def offer(self, sequence: int, frame: bytes) -> bool:
        """Queue an event; return False if the client is too slow for it: the stream then ends."""
        if self._queue and self._queued + len(frame) > MOST_QUEUED:
            self._queue.clear()
            self.end(overflow=True)
            return False
        self.position = self._told = sequence
        self._put(sequence, frame)
        return True

    def beat(self, position: int) -> None:
        """Write something, so that both ends see that the other is there: the new position, if it moved."""
        if self._queue or self.is_ending:
            return
        if position > self._told:
            self.position = self._told = position
            self._put(position, position_frame(position))
        else:
            self._put(self._told, HEARTBEAT)

    async def write(self, frames: Sequence[tuple[int, bytes]]) -> None:
        """Write a page of a replay, at the client's pace; what is queued comes after it."""
        self._queue.extend(frames)
        self._queued += sum(len(frame) for _, frame in frames)
        self._wake()
        if self._flushing is not None:
            await asyncio.shield(self._flushing)
        if frames:
            self._told = frames[-1][0]

    def end(self, *, overflow: bool = False) -> None:
        """End the answer after what is queued; after `GRACE` the connection is cut. The client resumes elsewhere."""
        if self.is_ending:
            return
        self._ending = b"overflow" if overflow else b""
        self._wake()
        asyncio.get_running_loop().call_later(GRACE, self._cut)

    def cut(self) -> None:
        """Cut the connection now, and let go of what waits for it."""
        self._ending = b""
        self._queue.clear()
        self._abort()

    def close(self) -> None:
        """Let go of everything: the client has gone."""
        self._queue.clear()
        if self._flushing is not None:
            self._flushing.cancel()

    def _cut(self) -> None:
        if self._flushing is not None:
            self.cut()

    def _put(self, sequence: int, frame: bytes) -> None:
        self._queue.append((sequence, frame))
        self._queued += len(frame)
        self._wake()

    def _wake(self) -> None:
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        try:
            while self._queue:
                frames: list[bytes] = []
                size, last = 0, self.sent
                while self._queue and (not frames or size + len(self._queue[0][1]) <= MOST_WRITTEN):
                    last, frame = self._queue.popleft()
                    frames.append(frame)
                    size += len(frame)
                await self._write(b"".join(frames) if len(frames) > 1 else frames[0])
                self._queued -= size
                self.sent = last
            self._queued = 0
            if self._ending is not None:
                last_words = overflow_frame(self.sent) if self._ending else b""
                await self._send({"type": "http.response.body", "body": last_words, "more_body": False})
        except OSError:
            pass  # the client has gone; whoever awaits it is told by the server
        finally:
            self.busy_since = None
            self._flushing = None

    async def _write(self, chunk: bytes) -> None:
        loop = asyncio.get_running_loop()
        for start in range(0, len(chunk), MOST_WRITTEN):
            self.busy_since = loop.time()
            await self._send(
                {"type": "http.response.body", "body": chunk[start : start + MOST_WRITTEN], "more_body": True}
            )
        self.written_at = loop.time()
        self.busy_since = None
