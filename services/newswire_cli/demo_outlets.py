"""Where the demo's stories arrive: a feed's reader, a webhook's receiver, and a poster of social posts.

Each of them is what a subscriber would write: they know nothing of newswire's
insides, and call the API with the operator's token only to set themselves up.
"""

import asyncio
import base64
import contextlib
import html
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from newswire_cli.failures import CommandError
from newswire_cli.receiver import Delivery
from newswire_cli.receiver import build as build_receiver
from newswire_runtime.server import listen

FEEDS = {
    "deutsch": {"title": "Auf Deutsch", "language": "de", "filter": {"languages": ["de"]}},
    "english": {"title": "In English", "language": "en", "filter": {"languages": ["en"]}},
}
ACCOUNT = "demo"
DESCRIPTION = "newswire demo receiver"
POLL_S = 0.03
IDLE_S = 0.5
_ITEM = re.compile(r"<item>.*?</item>", re.DOTALL)
_GUID = re.compile(r"<guid[^>]*>(.*?)</guid>", re.DOTALL)


class FeedReader:
    """Polls a feed with ``If-None-Match``, and knows the item of each guid."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._etag = ""
        self.items: dict[str, str] = {}
        self.polls = 0

    async def poll(self) -> None:
        answer = await self._http.get("/feeds/all.rss", headers={"If-None-Match": self._etag} if self._etag else {})
        if answer.status_code == 200:
            self._etag = answer.headers.get("etag", "")
            self.items = items_by_guid(answer.text)
        elif answer.status_code != 304:
            raise CommandError(f"the feed answers HTTP {answer.status_code}")
        self.polls += 1


def items_by_guid(document: str) -> dict[str, str]:
    """Return the items of an RSS document by their guid."""
    found = {}
    for item in _ITEM.findall(document):
        if guid := _GUID.search(item):
            found[html.unescape(guid[1]).strip()] = item
    return found


class _Server(uvicorn.Server):
    """Uvicorn that leaves the signals to newswire."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def receiver(secret: str, on_event: Callable[[Delivery], None]) -> Any:
    """Serve the receiver on a loopback port of its own; yield its address."""
    sock = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        build_receiver({"demo": secret}, on_event), lifespan="off", log_config=None, access_log=False, ws="none"
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        sock.close()


async def set_up_feeds(http: httpx.AsyncClient) -> None:
    """Make the demo's feeds, or leave them as they are."""
    for name, feed in FEEDS.items():
        _check(await http.put(f"/v1/feeds/{name}", json=feed))


async def set_up_webhook(http: httpx.AsyncClient, address: str, secret: str, *, fresh: bool) -> None:
    """Point the demo's webhook at this run's receiver; make it if there is none, or if its secret is lost."""
    found = [hook for hook in _check(await http.get("/v1/webhooks"))["items"] if hook.get("description") == DESCRIPTION]
    for hook in found[0 if fresh else 1 :]:
        _check(await http.delete(f"/v1/webhooks/{hook['id']}"))
    if found and not fresh:
        _check(await http.patch(f"/v1/webhooks/{found[0]['id']}", json={"url": address}))
        _check(await http.post(f"/v1/webhooks/{found[0]['id']}/enable"))
        return
    body = {"url": address, "filter": {}, "description": DESCRIPTION, "secret": secret}
    _check(await http.post("/v1/webhooks", json=body))


async def set_up_account(http: httpx.AsyncClient) -> None:
    """Make the account whose posts the demo's poster takes."""
    body = {"platform": "mastodon", "mode": "manual", "filter": {}}
    _check(await http.put(f"/v1/social/accounts/{ACCOUNT}", json=body))


class Poster:
    """Takes posts from the demo's account, as an outside program does that has the platform's login."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.pause = POLL_S
        """Seconds to wait when the queue was empty."""

    async def run(self, on_post: Callable[[dict[str, Any]], None]) -> None:
        """Lease posts, "send" them, and settle each, until cancelled."""
        path = f"/v1/social/queues/{ACCOUNT}"
        while True:
            leased = _check(await self._http.post(f"{path}/lease", json={"limit": 20}))["items"]
            for post in leased:
                on_post(post)
                body = {"id": post["id"], "lease": post["lease"], "outcome": "sent", "remote_id": post["id"]}
                settled = await self._http.post(f"{path}/settle", json=body)
                if settled.status_code != 409:  # the lease was lost: the post comes again
                    _check(settled)
            if not leased:
                await asyncio.sleep(self.pause)


def receiver_secret(data_dir: Path) -> tuple[str, bool]:
    """Return the receiver's kept secret, and whether it is new."""
    path = data_dir / "demo-receiver.secret"
    with contextlib.suppress(FileNotFoundError):
        if kept := path.read_text().strip():
            return kept, False
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    return secret, True


def _check(answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise CommandError(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:300]}"
        )
    return answer.json() if answer.content else None
