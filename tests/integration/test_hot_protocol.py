"""Connections that answer from what is kept ready: the same bytes on the wire, and uvicorn's own way for all else."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.responses import Response
from support.wire import until

from newswire_runtime.hot import HotAnswers, Lease
from newswire_runtime.hot_protocol import HEAD, HotProtocol, hot_protocol
from newswire_runtime.server import listen

GET = b"GET /feed HTTP/1.1\r\nHost: x\r\n\r\n"
BIG = b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass
class Served:
    """A server whose only app keeps what it may keep, under the path as its topic."""

    answers: HotAnswers
    port: int = 0
    lease: Lease = field(default_factory=Lease)
    admitted: bool = True
    calls: list[str] = field(default_factory=list)
    offered: list[bool] = field(default_factory=list)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    server: Any = None

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls.append(scope["path"])
        self.offered.append(HEAD in scope)
        ticket = self.answers.ticket(scope["path"])
        if scope["path"] == "/slow":
            await self.let_go.wait()
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        size = 2_000_000 if scope["path"] == "/big" else 10
        response = Response(bytes(size), headers={"ETag": '"a"'})
        if HEAD in scope and scope["path"] != "/slow":
            bodiless = scope["method"] == "HEAD"
            self.answers.keep(scope[HEAD], ticket, response, self.lease, bodiless=bodiless, admit=self.admit)
        await response(scope, receive, send)

    def admit(self, peer: str) -> bool:
        assert peer == "127.0.0.1"
        return self.admitted

    def connections(self) -> list[HotProtocol]:
        return list(self.server.server_state.connections)


@contextlib.asynccontextmanager
async def serving(keep_alive: float = 5) -> AsyncIterator[Served]:
    served = Served(HotAnswers())
    served.lease.until = math.inf
    config = uvicorn.Config(
        served.app,
        http=hot_protocol(served.answers),
        interface="asgi3",
        lifespan="off",
        log_config=None,
        ws="none",
        server_header=False,
        timeout_keep_alive=keep_alive,  # type: ignore[arg-type]  # any number of seconds serves
        timeout_graceful_shutdown=2,
    )
    served.server = uvicorn.Server(config)
    served.server.capture_signals = contextlib.nullcontext
    sock = listen("127.0.0.1", 0)
    served.port = sock.getsockname()[1]
    running = asyncio.create_task(served.server.serve(sockets=[sock]))
    await until(lambda: served.server.started)
    try:
        yield served
    finally:
        served.let_go.set()
        served.server.should_exit = True
        await running


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as started:
        yield started


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def answer(self, *, bodiless: bool = False) -> tuple[bytes, dict[bytes, bytes], bytes]:
        async with asyncio.timeout(5):
            head = await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
            headers = dict(line.split(b": ", 1) for line in lines)
            body = b"" if bodiless else await self.reader.readexactly(int(headers[b"content-length"]))
        return first, headers, body

    async def ask(self, data: bytes, *, bodiless: bool = False) -> tuple[bytes, dict[bytes, bytes], bytes]:
        self.writer.write(data)
        return await self.answer(bodiless=bodiless)

    async def end(self) -> bytes:
        async with asyncio.timeout(5):
            return await self.reader.read()


@contextlib.asynccontextmanager
async def client(served: Served) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_the_same_bytes_again_get_the_same_answer_without_the_app(served: Served) -> None:
    async with client(served) as one, client(served) as other:
        first = await one.ask(GET)
        again = [await each.ask(GET) for each in (one, one, other, other)]
    for answer in again:
        assert (answer[0], answer[2]) == (first[0], first[2])
        assert {**answer[1], b"date": b""} == {**first[1], b"date": b""}
    assert served.calls == ["/feed"]
    assert dict(served.answers.counted()) == {200: 4}


async def test_head_is_answered_without_a_body(served: Served) -> None:
    async with client(served) as one:
        heads = [await one.ask(GET.replace(b"GET", b"HEAD"), bodiless=True) for _ in range(3)]
        _, headers, body = await one.ask(GET)
    assert served.calls == ["/feed", "/feed"]
    assert all(each[1][b"content-length"] == headers[b"content-length"] == b"10" for each in heads)
    assert len(body) == 10


async def test_the_date_goes_with_the_time(served: Served) -> None:
    async with client(served) as one:
        first = (await one.ask(GET))[1][b"date"]

        async def later() -> bool:
            return (await one.ask(GET))[1][b"date"] != first

        await until(later)
    assert served.calls == ["/feed"]


async def test_a_change_an_ended_lease_and_a_refusal_send_the_request_to_the_app(served: Served) -> None:
    async with client(served) as one:
        await one.ask(GET)
        served.answers.drop("/feed")
        await one.ask(GET)
        assert len(served.calls) == 2
        served.lease.until = 0
        await one.ask(GET)
        assert len(served.calls) == 3
        served.lease.until, served.admitted = math.inf, False
        await one.ask(GET)
        assert len(served.calls) == 4
        served.admitted = True
        await one.ask(GET)
        assert len(served.calls) == 4


async def test_bytes_within_another_message_are_no_request(served: Served) -> None:
    """Else a header's value could be answered as a request of its own."""
    async with client(served) as one:
        await one.ask(GET)
        one.writer.write(b"POST /other HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GET))
        await until(lambda: "/other" in served.calls)
        assert (await one.ask(GET))[0] == b"HTTP/1.1 200 OK"
        assert await one.ask(GET)
        assert served.calls == ["/feed", "/other"]
        one.writer.write(b"GET /third HTTP/1.1\r\nX-Part: ")
        await until(lambda: any(each._begun > each._ended for each in served.connections()))
        one.writer.write(GET)  # goes on with that header, and ends the head
        await one.answer()
        assert served.calls == ["/feed", "/other", "/third"]
    assert served.offered == [True, False, False]


async def test_a_head_in_pieces_is_answered_and_not_kept(served: Served) -> None:
    async with client(served) as one:
        one.writer.write(GET[:20])
        await until(lambda: any(each._begun > each._ended for each in served.connections()))
        # The end of one message and the beginning of the next are no request either.
        one.writer.write(GET[20:] + GET[:20])
        await one.answer()
        await one.ask(GET[20:])
    assert served.offered == [False, False]


async def test_pipelined_requests_are_answered_in_their_order(served: Served) -> None:
    async with client(served) as one:
        await one.ask(GET)
        one.writer.write(GET + GET.replace(b"feed", b"more") + GET)
        for _ in range(3):
            await one.answer()
        assert served.calls == ["/feed", "/feed", "/more", "/feed"]
        served.calls.clear()
        one.writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: served.calls == ["/slow"])
        one.writer.write(GET)
        async with client(served) as other:
            await other.ask(GET)  # has its answer at once
        assert not one.reader._buffer  # type: ignore[attr-defined]  # what has come, without waiting for more
        served.let_go.set()
        await one.answer()
        await one.answer()
        assert served.calls == ["/slow", "/feed"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /feed HTTP/1.0\r\nHost: x\r\n\r\n",
        b"GET /feed HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
        b"GET /feed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /feed HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"GET /feed HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
        b"GET /feed HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        b"POST /feed HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
        b"GET /feed HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 50_000 + b"\r\n\r\n",
    ],
)
async def test_requests_out_of_the_common_are_answered_and_not_kept(served: Served, request_bytes: bytes) -> None:
    for _ in range(2):
        async with client(served) as one:
            first, headers, _ = await one.ask(request_bytes)
            assert first == b"HTTP/1.1 200 OK"
            if b" HTTP/1.0" in request_bytes or b"Connection: close" in request_bytes:
                assert headers[b"connection"] == b"close"
                assert await one.end() == b""
    assert served.offered == [False, False]


async def test_garbage_is_refused(served: Served) -> None:
    async with client(served) as one:
        await one.ask(GET)
        first, _, _ = await one.ask(b"\x16\x03\x01 no HTTP\r\n\r\n")
        assert first == b"HTTP/1.1 400 Bad Request"
        assert await one.end() == b""


async def test_an_idle_connection_is_closed_after_its_last_answer(served: Served) -> None:
    async with serving(keep_alive=0.4) as quick, client(quick) as one:
        began = time.monotonic()
        while time.monotonic() - began < 0.9:  # longer than it may be idle
            await one.ask(GET)
        last = time.monotonic()
        assert await one.end() == b""
        assert time.monotonic() - last >= 0.35
        assert quick.calls == ["/feed"]


async def test_a_stop_closes_connections_that_are_idle() -> None:
    async with serving() as stopped, client(stopped) as one:
        for _ in range(2):
            await one.ask(GET)
        stopped.server.should_exit = True
        assert await one.end() == b""


async def test_a_peer_that_does_not_read_gets_everything_in_the_end(served: Served) -> None:
    async with client(served) as one:
        await one.ask(BIG)
        for _ in range(20):
            one.writer.write(BIG)
            await one.writer.drain()
        await until(lambda: any(each.flow.write_paused for each in served.connections()))
        for _ in range(20):
            _, _, body = await one.answer()
            assert len(body) == 2_000_000
    assert len(served.calls) > 1  # what is ready is not written on top of what waits
