"""The demo of ``newswire up``: sample stories through the real API, and where each of them arrives.

    submit one ─▶ wait until it is in the feed, at the receiver, with the poster (or 3 s) ─▶ the next
    an embargoed one is left to itself, and arrives when its embargo ends

It can be run again on the same data: names are fixed, and a story that is there
already says so. A fault of the demo ends the demo, in one line; newswire runs on.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from newswire_cli import demo_outlets as outlets
from newswire_cli.demo_board import EARLIER, Board, Row, line
from newswire_cli.failures import CommandError, one_line
from newswire_cli.receiver import Delivery
from newswire_cli.stories import Story, load
from newswire_runtime.http import now

PATIENCE_S = 3.0
"""How long the next story waits for the one before."""
LAST_PATIENCE_S = 15.0
"""How long the demo waits for what is still open at its end, after the last embargo."""
FEEDS, WEBHOOKS, QUEUES = "feeds", "webhooks", "queues"


async def show(url: str, data_dir: Path, token: str, addresses: str) -> None:
    """Run the demo against ``url`` until cancelled. ``addresses`` are the lines that say what to open."""
    try:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=10, trust_env=False) as http:
            await _Demo(http, url, data_dir, addresses).run()
    except (httpx.HTTPError, CommandError, OSError, KeyError) as exc:
        print(f"newswire runs on {url}, but the demo ended: {one_line(str(exc)) or type(exc).__name__}", flush=True)


class _Demo:
    def __init__(self, http: httpx.AsyncClient, url: str, data_dir: Path, addresses: str) -> None:
        self._http = http
        self._url = url
        self._data_dir = data_dir
        self._addresses = addresses
        self._stories = load(now())
        self._board = Board([_row(story) for story in self._stories], (FEEDS, WEBHOOKS, QUEUES))
        self._reader = outlets.FeedReader(http)
        self._poster = outlets.Poster(http)
        self._changed = asyncio.Event()
        self._early: dict[tuple[str, int], dict[str, float]] = {}
        """Arrivals that overtook the answer to their own submission."""
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        secret, fresh = outlets.receiver_secret(self._data_dir)
        async with outlets.receiver(secret, self._on_event) as receiver_url:
            try:
                await outlets.set_up_feeds(self._http)
                await outlets.set_up_webhook(self._http, f"{receiver_url}/demo", secret, fresh=fresh)
                await outlets.set_up_account(self._http)
                self._tasks.append(asyncio.create_task(self._poster.run(self._on_post)))
                async with _drawn(self._board):
                    await self._submit_all()
                self._poster.pause = outlets.IDLE_S
                print(f"\n{self._board.summary()}.\n\n  receiver {receiver_url}/\n{self._addresses}", flush=True)
                print("\nCtrl-C ends it.", flush=True)
                await asyncio.gather(*self._tasks)
                await asyncio.Event().wait()  # the receiver goes on
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _submit_all(self) -> None:
        await self._reader.poll()
        for row, story in zip(self._board.rows, self._stories, strict=True):
            before = dict(self._reader.items)
            await self._submit(row, story)
            if not row.note:
                await self._follow([row], before, 0 if row.due else PATIENCE_S)
        waiting = self._board.open_rows()
        last = max((row.due - time.monotonic() for row in waiting if row.due), default=0)
        await self._follow(waiting, dict(self._reader.items), max(0, last) + LAST_PATIENCE_S if waiting else 0)
        for row in self._board.open_rows():
            row.note = "not arrived in time"

    async def _submit(self, row: Row, story: Story) -> None:
        row.sent = time.monotonic()
        answer = await self._http.post("/v1/articles", content=story.body, headers={"Content-Type": story.content_type})
        if not answer.is_success:
            row.note = f"refused: HTTP {answer.status_code}"
            return
        item = answer.json()["items"][0]
        row.uri, row.key, row.version, row.act = item["uri"], item["key"], item["version"], item["act"]
        if item["outcome"] in ("unchanged", "stale"):
            found = await self._http.get(f"/v1/articles/{row.key}")
            row.due, row.act = 0, ""
            row.note = EARLIER if found.status_code in (200, 410) else f"nothing new: {item['outcome']}"
        elif item["outcome"] == "rejected":
            row.note = f"rejected: {item.get('reason', '')}"
        for channel, moment in self._early.pop((row.uri, row.version), {}).items():
            self._arrive(row, channel, moment)

    async def _follow(self, rows: list[Row], before: dict[str, str], patience: float) -> None:
        """Poll the feed until the rows have arrived everywhere, or for ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not all(row.is_settled(self._board.channels) for row in rows):
            await self._reader.poll()
            for task in self._tasks:
                if task.done():
                    task.result()  # the poster's fault ends the demo; it is said at once
            for row in rows:
                await self._look(row, before)
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(outlets.POLL_S):
                    await self._changed.wait()

    async def _look(self, row: Row, before: dict[str, str]) -> None:
        """See whether the feed shows a row's version: its item is another than before, or after a kill none."""
        shown, gone = self._reader.items.get(row.uri), row.act in ("kill", "withhold")
        if shown != before.get(row.uri) or (gone and shown is None):
            self._arrive(row, FEEDS, time.monotonic())
            if not row.language:
                article = (await self._http.get(f"/v1/articles/{row.key}")).json()
                row.language = article.get("language") or ""

    def _on_event(self, delivery: Delivery) -> None:
        body = delivery.body if isinstance(delivery.body, dict) else {}
        self._came(body.get("data") or {}, WEBHOOKS)

    def _on_post(self, post: dict[str, Any]) -> None:
        self._came(post.get("article") or {}, QUEUES)

    def _came(self, data: dict[str, Any], channel: str) -> None:
        # The JSON of an article leaves defaults out, and 1 is a version's default.
        uri, version = str(data.get("uri", "")), int(data.get("version") or 1)
        row = self._board.find(uri, version)
        if row is None:
            self._early.setdefault((uri, version), {})[channel] = time.monotonic()
        else:
            row.language = row.language or str(data.get("language") or "")
            self._arrive(row, channel, time.monotonic())

    def _arrive(self, row: Row, channel: str, moment: float) -> None:
        if row.note or not row.arrive(channel, moment):
            return
        self._changed.set()
        if not sys.stdout.isatty():
            print(line(row, channel), flush=True)


def _row(story: Story) -> Row:
    """Return a story's row, from what its own bytes say."""
    text = story.body.decode()
    try:
        fields = json.loads(text)
    except ValueError:
        return Row(next(part for part in text.splitlines() if len(part) > 45))
    headline = fields.get("headline") or next((h["value"] for h in fields.get("headlines", ())), story.name)
    row = Row(headline, fields.get("language", ""))
    if until := fields.get("embargoed_until"):
        row.due = time.monotonic() + (datetime.fromisoformat(until) - now()).total_seconds()
    return row


@contextlib.asynccontextmanager
async def _drawn(board: Board) -> AsyncIterator[None]:
    """Keep the board drawn on a terminal."""
    if not sys.stdout.isatty():
        yield
        return
    from rich.live import Live

    with Live(get_renderable=lambda: board.table(time.monotonic()), refresh_per_second=10):
        yield
