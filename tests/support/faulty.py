"""A receiver of webhooks that misbehaves by a plan, in a process of its own.

    PUT /-/plans {"name": plan}  ─▶ how POST /name is answered from now on
    POST /name                   ─▶ a line in the book, the planned answer, a line when it has ended

    python faulty.py BOOK        prints its port, and runs until it is killed

A plan is ``{"answers": […], "by": "path"|"id", "then": …, "chances": {…}, "seed": n, "doomed": x, "never": [n, answer],
"secrets": […]}``. The answers come in turn, counted for the path or for each webhook-id; after them one by its
chance, or ``then``, or 204. The share ``doomed`` of the ids always gets a 500; every n-th of the log's
entries always gets the answer that ``never`` says.

An answer is a status, one of `FAULTS`, or ``{"status": 503, "delay": s, "retry_after": s,
"retry_date": s, "headers": {…}, "body": text, "at": t}``; with ``at`` all wait for the same moment
(seconds since the epoch). ``headers`` may be a list of pairs.

It knows nothing of newswire: signatures are checked by the ``standardwebhooks``
library. What the book holds is in `support.book`.
"""

import asyncio
import base64
import hashlib
import json
import math
import random
import socket
import struct
import sys
import time
from collections import Counter
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import IO, Any

import uvloop
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

DRIP_SECONDS = 0.05
ENDLESS = b"x" * 65_536
HOSTS = tuple(f"127.0.0.{number}" for number in range(1, 33))
"""Each endpoint of a test may have an address of its own."""

Answer = dict[str, Any]


class Plan:
    """How one path answers."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._answers: list[Any] = given.get("answers", [])
        self._by_id = given.get("by") == "id"
        self._then = given.get("then", 204)
        self._chances: dict[str, float] = given.get("chances", {})
        self._doomed = given.get("doomed", 0.0)
        self._never: list[Any] = given.get("never", [])
        self._random = random.Random(given.get("seed", 0))
        self._count: Counter[str] = Counter()
        self.verifiers = [Webhook(secret) for secret in given.get("secrets", [])]

    def next(self, message_id: str, sequence: int) -> Answer:
        counted = message_id if self._by_id else ""
        number = self._count[counted]
        self._count[counted] += 1
        if random.Random(message_id).random() < self._doomed:
            chosen: Any = 500
        elif self._never and sequence % self._never[0] == 0:
            chosen = self._never[1]
        elif number < len(self._answers):
            chosen = self._answers[number]
        elif self._chances:
            (chosen,) = self._random.choices([*self._chances], [*self._chances.values()])
        else:
            chosen = self._then
        if isinstance(chosen, dict):
            return {"status": 204, **chosen}
        return {"fault": chosen} if chosen in FAULTS else {"status": int(chosen)}


class Peer:
    """One connection of a sender; it is ``kept`` from its second request on."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.kept = False

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def until_gone(self) -> None:
        """Wait until the sender hangs up."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass

    async def drip(self, first: bytes, drop: bytes) -> None:
        """Say a little at a time, for as long as the sender listens."""
        await self.say(first)
        gone = asyncio.create_task(self.until_gone())
        while not gone.done():
            await self.say(drop)
            await asyncio.wait({gone}, timeout=DRIP_SECONDS)
        await gone


async def hang(peer: Peer) -> None:
    await peer.until_gone()


async def reset(peer: Peer) -> None:
    sock: socket.socket = peer.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.writer.transport.abort()


async def half_closed(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 2")
    peer.writer.write_eof()
    await peer.until_gone()


async def garbage(peer: Peer) -> None:
    await peer.say(b"\x00\xff\x13 220 mail.example ESMTP\r\n\r\n" * 3)


async def drip_head(peer: Peer) -> None:
    await peer.drip(b"HTTP/1.1 200 OK\r\n", b"X-Drop: 1\r\n")


async def drip_body(peer: Peer) -> None:
    await peer.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x")


async def oversized(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    with suppress(ConnectionError):
        for _ in range(1_600):
            await peer.say(ENDLESS)


async def redirect(peer: Peer) -> None:
    await peer.say(b"HTTP/1.1 302 Found\r\nLocation: /followed\r\nContent-Length: 0\r\n\r\n")


FAULTS = {
    "hang": hang,
    "reset": reset,
    "half-closed": half_closed,
    "garbage": garbage,
    "drip-head": drip_head,
    "drip-body": drip_body,
    "oversized": oversized,
    "redirect": redirect,
}
KEEPS_OPEN = frozenset({"redirect"})


class Receiver:
    """The server: plans, the book, and the answers."""

    def __init__(self, book: IO[str]) -> None:
        self._book = book
        self._plans: dict[str, Plan] = {}
        self._requests = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            peer = Peer(reader, writer)
            while await self._request(peer):
                peer.kept = True
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _request(self, peer: Peer) -> bool:
        """Take one request and answer it; return whether the connection is good for another."""
        head = await peer.reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await peer.reader.readexactly(int(headers.get("content-length", 0)))
        if method == "PUT":
            self._plans |= {name: Plan(given) for name, given in json.loads(body).items()}
            await peer.say(b"HTTP/1.1 204 No Content\r\n\r\n")
            return True
        self._requests += 1
        number, name = self._requests, path.lstrip("/")
        plan = self._plans.setdefault(name, Plan({}))
        seen = self._seen(plan, headers, body)
        answer = plan.next(seen["id"], seen["sequence"])
        if "retry_date" in answer:
            answer["until"] = math.ceil(time.time() + answer["retry_date"])
        self._write({**seen, "request": number, "path": name, "kept": peer.kept, "answer": answer})
        sent = False
        try:
            sent, keep = True, await self._answer(peer, answer)
        except ConnectionError:
            sent = keep = False
        finally:
            self._write({"ended": number, "mono": time.monotonic(), "sent": sent})
        return keep

    async def _answer(self, peer: Peer, answer: Answer) -> bool:
        if fault := answer.get("fault"):
            await FAULTS[fault](peer)
            return fault in KEEPS_OPEN
        await asyncio.sleep(max(answer.get("delay", 0), answer.get("at", 0) - time.time()))
        given = answer.get("headers", {})
        headers = [(name, value) for name, value in (given.items() if isinstance(given, dict) else given)]
        if "retry_after" in answer:
            headers.append(("Retry-After", str(answer["retry_after"])))
        if "until" in answer:
            headers.append(("Retry-After", formatdate(answer["until"], usegmt=True)))
        lines = [f"HTTP/1.1 {answer['status']} Planned", *(f"{name}: {value}" for name, value in headers)]
        body = b"" if answer["status"] == 204 else str(answer.get("body", "ok")).encode()
        if body:
            lines.append(f"Content-Length: {len(body)}")
        await peer.say("\r\n".join([*lines, "", ""]).encode() + body)
        return True

    def _seen(self, plan: Plan, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        try:
            message = json.loads(body)
        except ValueError:
            message = {}
        data = message.get("data") or {}
        return {
            "id": headers.get("webhook-id", ""),
            "timestamp": headers.get("webhook-timestamp", ""),
            "sequence": message.get("sequence", 0),
            "type": message.get("type", ""),
            "uri": data.get("uri", ""),
            "version": int(data.get("version", 0)),
            "digest": hashlib.sha256(body).hexdigest(),
            "verified": [number for number, each in enumerate(plan.verifiers) if _verifies(each, body, headers)],
            "signatures": len(headers.get("webhook-signature", "").split()),
            "mono": time.monotonic(),
            "wall": time.time(),
        }

    def _write(self, line: dict[str, Any]) -> None:
        self._book.write(json.dumps(line) + "\n")


def _verifies(verifier: Webhook, body: bytes, headers: dict[str, str]) -> bool:
    try:
        verifier.verify(body, headers)
    except (WebhookVerificationError, ValueError, base64.binascii.Error):  # type: ignore[attr-defined]
        return False
    return True


async def main(book: str) -> None:
    with Path(book).open("a", buffering=1) as lines:
        receiver = Receiver(lines)
        server = await asyncio.start_server(receiver.serve, HOSTS[0], 0, backlog=1_024)
        port = server.sockets[0].getsockname()[1]
        await asyncio.start_server(receiver.serve, HOSTS[1:], port, backlog=1_024)
        print(port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
