"""A wire whose webhook workers are processes of their own, and a receiver that misbehaves.

    this process   ingest ─▶ enrichment ─▶ publisher (feeds, api)
    processes      publisher --only webhooks, as many as asked for   ─▶   support.faulty

So a test may kill what delivers while it goes on submitting and asking.
"""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from newswire_enrichment.app import build as build_enrichment
from newswire_ingest.app import build as build_ingest
from newswire_publisher.app import build as build_publisher
from support.book import SECRET, Faulty, faulty_receiver
from support.processes import Process
from support.wire import Hook, Wire, running, until

BASE_URL = "http://wire.example"
"""Links in payloads begin with it, whichever process writes them."""
STORIES = 50
"""Articles in one submission."""


@dataclass(frozen=True)
class Pushing:
    """What a test has of it."""

    wire: Wire
    receiver: Faulty
    workers: Sequence[Process]

    async def hook(self, name: str, *answers: Any, plan: dict[str, Any] | None = None, **registration: Any) -> Hook:
        """Register an endpoint that answers by this plan."""
        return await faulty_hook(self.wire, self.receiver, name, *answers, plan=plan, **registration)


async def faulty_hook(
    wire: Wire, receiver: Faulty, name: str, *answers: Any, plan: dict[str, Any] | None = None, **registration: Any
) -> Hook:
    url = await receiver.plan(name, *answers, **(plan or {}))
    return await wire.hook(**{"url": url, "secret": SECRET, "format": "thin", **registration})


@asynccontextmanager
async def pushing(
    broker_url: str, folder: Path, *, workers: int = 1, before: str = "", **environment: str
) -> AsyncIterator[Pushing]:
    async with AsyncExitStack() as stack:
        crew = [
            Process(
                *("publisher", broker_url, folder / f"webhooks{number}.log"),
                *("--only", "webhooks"),
                before=before,
                **{"NEWSWIRE_BASE_URL": BASE_URL, **environment},
            )
            for number in range(workers)
        ]
        for worker in crew:
            await worker.start()
            stack.push_async_callback(worker.kill)
        receiver = await stack.enter_async_context(faulty_receiver(folder))
        builders = (build_ingest, build_enrichment, functools.partial(build_publisher, only={"feeds", "api"}))
        wire = await stack.enter_async_context(running(broker_url, builders, base_url=BASE_URL))
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=5))
        await asyncio.gather(*[worker.ready(http) for worker in crew])
        yield Pushing(wire, receiver, crew)


def numbered(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "uri": f"urn:newsml:test.example:{number}",
        "headline": f"Story {number}",
        "body_text": "The ferry is back.",
        "language": "en",
        **fields,
    }


async def submit(wire: Wire, stories: Iterable[dict[str, Any]]) -> None:
    """Submit stories in batches, each until it is acknowledged."""
    left = list(stories)
    while left:
        batch, left = left[:STORIES], left[STORIES:]

        async def acknowledged(batch: list[dict[str, Any]] = batch) -> bool:
            with contextlib.suppress(httpx.TransportError):
                answer = await wire.http.post("/v1/articles", json=batch)
                # After a lost answer the same versions again are `unchanged`: they were accepted.
                assert answer.status_code in (200, 202, 503), answer.text
                return answer.status_code != 503
            return False

        await until(acknowledged, 60, "the stories were acknowledged")


async def pages(hook: Hook, what: str, seconds: float = 10) -> list[dict[str, Any]]:
    """Return all of ``events`` or ``attempts`` of a hook, page by page; attempts oldest first."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await hook.wire.http.get(
            f"/v1/webhooks/{hook.id}/{what}", params={"limit": "500", **cursor}, timeout=seconds
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        found += body["items"]
        if not body.get("cursor"):
            return found if what == "events" else found[::-1]
        cursor = {"cursor": body["cursor"]}


SHORT_LEASES = """
import newswire_publisher.app
import sys
for name, module in list(sys.modules.items()):
    if name.startswith("newswire_publisher.webhooks."):
        for setting, value in {"DEADLINE_SECONDS": 1.0, "START_SECONDS": 1.0, "LEASE_MS": 3_000}.items():
            if hasattr(module, setting):
                setattr(module, setting, value)
"""
"""Runs before a process: what a killed worker had in hand is taken over after 3 s, not 45."""


async def done(hook: Hook, entries: int, seconds: float = 10) -> None:
    """Wait until the log has so many entries and nothing of them waits or is on its way."""
    await hook.logged(entries)
    await idle([hook], seconds)


async def idle(hooks: Iterable[Hook], seconds: float) -> None:
    """Wait until nothing waits and nothing is on its way for any of these hooks."""
    for hook in hooks:
        shown: dict[str, Any] = {}

        async def empty(hook: Hook = hook, shown: dict[str, Any] = shown) -> bool:
            try:
                answer = await hook.wire.http.get(f"/v1/webhooks/{hook.id}")
            except httpx.TransportError:
                return False  # the broker or the publisher is away
            if answer.status_code == 200:
                shown |= answer.json()
            return answer.status_code == 200 and not shown["waiting"] + shown["in_flight"]

        try:
            await until(empty, seconds)
        except AssertionError:
            raise AssertionError(f"in {seconds} s not all of it was sent: {shown}") from None
