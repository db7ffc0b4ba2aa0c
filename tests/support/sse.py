"""A strict client of Server-Sent Events on a bare socket: what it reads is what a browser would dispatch."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Event:
    """One dispatched event (HTML Living Standard, section 9.2.6)."""

    id: str
    type: str
    data: str

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data)
        return found

    @property
    def uri(self) -> str:
        return str(self.message["data"]["uri"])


@dataclass
class Stream:
    """An open answer. ``raw`` is the body as it came, without the chunks' frames."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    events: list[Event] = field(default_factory=list)
    comments: int = 0
    last_id: str = ""
    retry: int | None = None
    ended: bool = False
    _shown: int = 0
    _id: str = ""
    _type: str = ""
    _data: list[str] = field(default_factory=list)
    _rest: bytes = b""

    async def next(self, seconds: float = 8) -> Event:
        """Return the next event that was not returned yet; raise EOFError when the answer ends."""
        async with asyncio.timeout(seconds):
            while len(self.events) == self._shown:
                await self._more()
        self._shown += 1
        return self.events[self._shown - 1]

    async def take(self, count: int, seconds: float = 8) -> list[Event]:
        """Return all events once there are this many."""
        async with asyncio.timeout(seconds):
            while len(self.events) < count:
                await self._more()
        return self.events

    async def until_end(self, seconds: float = 8) -> None:
        with contextlib.suppress(EOFError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._more()

    async def until_position(self, position: int, seconds: float = 8) -> None:
        async with asyncio.timeout(seconds):
            while self.last_id != str(position):
                await self._more()

    async def _more(self) -> None:
        try:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            chunk = await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            raise EOFError("cut off") from exc
        if size == 0:
            self.ended = True
            raise EOFError("ended")
        self.raw += chunk
        lines = (self._rest + chunk).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._line(line.decode())

    def _line(self, line: str) -> None:
        assert "\r" not in line
        if not line:
            self.last_id = self._id
            if self._data:
                self.events.append(Event(self.last_id, self._type or "message", "\n".join(self._data)))
            self._type, self._data = "", []
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments += 1
            case "id":
                self._id = value
            case "event":
                self._type = value
            case "data":
                self._data.append(value)
            case "retry":
                self.retry = int(value)
            case _:
                raise AssertionError(f"no field of an event stream: {line!r}")


@contextlib.asynccontextmanager
async def streaming(
    url: str, wanted: dict[str, Any] | None = None, *, after: int | str | None = None, query: str = "", **headers: str
) -> AsyncIterator[Stream]:
    """Open the live stream; it must be answered with 200."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**20)
    path = f"/v1/live?filter={quote(json.dumps(wanted or {}))}{query}"
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Accept: text/event-stream"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if after is not None:
        lines.append(f"Last-Event-ID: {after}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    stream = Stream(reader, writer)
    try:
        async with asyncio.timeout(8):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        stream.status = int(head[0].split()[1])
        stream.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        assert stream.status == 200, (head, await reader.read(2_000))
        async with asyncio.timeout(8):
            while stream.retry is None:
                await stream._more()
        yield stream
    finally:
        writer.transport.abort()
