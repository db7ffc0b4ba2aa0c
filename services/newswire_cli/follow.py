"""Follows the live stream, over lost connections and restarts.

    GET /v1/live ─▶ blocks of Server-Sent Events ─▶ events;  lost ─▶ wait ─▶ again with Last-Event-ID

The first connection must succeed. Later ones are tried until they do, but a refusal (RFC 9457) ends
it: the token was revoked, or the id is of another wire.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from newswire_cli.failures import CommandError, one_line

if TYPE_CHECKING:
    from newswire_cli.client import Api

QUIET_S = 45.0
"""Seconds without a byte after which the connection is given up: a heartbeat comes every 15."""


@dataclass(frozen=True)
class LiveEvent:
    """One block of the stream (HTML Living Standard, section 9.2). ``type`` is empty where only the id moves."""

    id: str
    type: str
    data: dict[str, Any]
    retry: float | None = None


def follow(api: Api, params: Mapping[str, str | int], after: int | None) -> Iterator[LiveEvent]:
    """Yield events until the caller stops; the first block has come once the first connection stands."""
    last, pause, connected = "" if after is None else str(after), 1.0, False
    while True:
        try:
            with api.stream("/v1/live", params, {"Last-Event-ID": last} if last else {}, QUIET_S) as chunks:
                for event in parse(chunks):
                    last, connected = event.id or last, True
                    pause = event.retry if event.retry is not None else pause
                    yield event
        except CommandError as exc:
            # It stops, starts or is full; or a proxy before it says so.
            if not connected or getattr(exc, "status", 503) not in {429, 502, 503, 504}:
                raise
            print(f"newswire: {one_line(str(exc))}; trying again", file=sys.stderr, flush=True)
        time.sleep(pause)


def parse(chunks: Iterable[bytes]) -> Iterator[LiveEvent]:
    """Yield what a stream's bytes say; lines end with ``\\n`` alone, as newswire writes them."""
    rest, last, fields = b"", "", dict[str, str]()
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                name, _, value = line.decode().partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            last = fields.get("id", last)
            data = json.loads(fields["data"]) if "data" in fields else {}
            retry = int(fields["retry"]) / 1000 if "retry" in fields else None
            yield LiveEvent(last, fields.get("event", "") if data else "", data, retry)
            fields = {}
