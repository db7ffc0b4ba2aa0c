"""The test's side of `support.faulty`: start the receiver, tell it its plans, read its book.

    plan() ─▶ receiver's process ─▶ BOOK (a line a request, a line at its end) ─▶ Seen

All times are of the receiver's clock: ``at`` and ``ended`` monotonic, which on one
machine is one clock for all processes, ``wall`` since the epoch.
"""

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from support import faulty
from support.wire import until

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
"""Of every endpoint that does not say another, so that the receiver can verify."""


@dataclass
class Seen:
    """One request as the receiver saw it. ``ended`` is infinite while it is being answered."""

    path: str
    id: str
    sequence: int
    type: str
    uri: str
    version: int
    digest: str
    verified: list[int]
    signatures: int
    timestamp: int
    at: float
    wall: float
    kept: bool
    answer: dict[str, Any]
    ended: float = float("inf")
    sent: bool = False

    @property
    def took(self) -> bool:
        """Whether the receiver has said 2xx."""
        good = self.answer.get("fault") in ("drip-body", "oversized")
        return good or 200 <= self.answer.get("status", 0) < 300

    @property
    def hung_up(self) -> bool:
        """Whether a connection that had served before was closed without an answer.

        The sender cannot tell whether that was before the request came: it asks again at once, on another.
        """
        return self.kept and self.answer.get("fault") in ("reset", "half-closed")


@dataclass
class Book:
    """What a receiver's process has written so far."""

    file: Path
    seen: list[Seen] = field(default_factory=list)
    _open: dict[int, Seen] = field(default_factory=dict)
    _offset: int = 0

    def read(self) -> list[Seen]:
        """Read what is new; return everything, in the order of arrival."""
        with self.file.open("rb") as lines:
            lines.seek(self._offset)
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._take(json.loads(line))
        return self.seen

    def at(self, *paths: str) -> list[Seen]:
        return [each for each in self.read() if each.path in paths]

    def by_id(self, path: str) -> dict[str, list[Seen]]:
        found: defaultdict[str, list[Seen]] = defaultdict(list)
        for each in self.at(path):
            found[each.id].append(each)
        return dict(found)

    def _take(self, row: dict[str, Any]) -> None:
        if "ended" in row:
            seen = self._open.pop(row["ended"])
            seen.ended, seen.sent = row["mono"], row["sent"]
            return
        number, at, timestamp = row.pop("request"), row.pop("mono"), row.pop("timestamp")
        self._open[number] = seen = Seen(at=at, timestamp=int(timestamp or 0), **row)
        self.seen.append(seen)


@dataclass
class Faulty:
    """A running receiver."""

    port: int
    book: Book
    http: httpx.AsyncClient

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{name}"

    async def plan(self, name: str, *answers: Any, secrets: Iterable[str] = (SECRET,), **more: Any) -> str:
        """Tell how a path answers; return its address. ``more`` are the fields of a plan."""
        plan = {"answers": answers, "secrets": [*secrets], **more}
        answer = await self.http.put(f"http://127.0.0.1:{self.port}/-/plans", json={name: plan})
        assert answer.status_code == 204
        return self.url(name)

    async def got(self, name: str, count: int, seconds: float = 10) -> list[Seen]:
        """Wait for the path's first ``count`` requests."""
        await self.until(lambda: len(self.book.at(name)) >= count, seconds, f"{count} requests at {name}")
        return self.book.at(name)

    async def until(self, condition: Callable[[], Any], seconds: float, what: str) -> None:
        await until(condition, seconds, what)


@asynccontextmanager
async def faulty_receiver(folder: Path) -> AsyncIterator[Faulty]:
    """Run a receiver until the block ends."""
    book = folder / "book.jsonl"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, faulty.__file__, str(book)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 20))
        async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
            yield Faulty(port, Book(book), http)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def most_at_once(seen: Iterable[Seen]) -> int:
    """Return how many of these requests were being answered at the same time, at most."""
    # At the same instant an end counts before a start: the sender has read the answer.
    moments = sorted([(each.at, 1) for each in seen] + [(each.ended, -1) for each in seen])
    busy = busiest = 0
    for _, step in moments:
        busy += step
        busiest = max(busy, busiest)
    return busiest


def most_within(seen: Iterable[Seen], seconds: float) -> int:
    """Return how many of these requests arrived within any window of this length, at most."""
    times = sorted(each.at for each in seen)
    most = first = 0
    for last, moment in enumerate(times):
        while moment - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
