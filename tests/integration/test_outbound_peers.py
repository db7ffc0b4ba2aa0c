"""Peers that break HTTP in ways that a client without a library under it has to know by itself."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator

import pytest
import trustme
from support.outbound import LOCAL, OK, Answer, Sockets, drips, post, says, serving, silent
from support.wire import until

from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outbound_connection import REPEAT_SECONDS
from newswire_runtime.outcome import Failure


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    async with GuardedClient(LOCAL, open_socket=Sockets()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("said", "body", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", b"ok", 2),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok", 2),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", b"ok", 1),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", b"", 2),
        (b"HTTP/1.1 204 No Content\r\n\r\nhello", b"", 2),
        (OK + OK, b"ok", 2),
    ],
    ids=["chunked", "continue", "close", "1.0", "1.0 kept", "204 with length", "204 with body", "two answers"],
)
async def test_an_answer_decides_whether_its_connection_is_kept(
    client: GuardedClient, said: bytes, body: bytes, connections: int
) -> None:
    async with serving(says(said)) as server:
        outcomes = [await post(client, server.url) for _ in range(2)]

    assert [(outcome.ok, outcome.excerpt, outcome.truncated) for outcome in outcomes] == [(True, body, False)] * 2
    assert server.connections == connections


async def test_a_head_over_64_kilobytes_is_a_failure_of_protocol(client: GuardedClient) -> None:
    async with serving(drips(b"HTTP/1.1 200 OK\r\n", b"X: " + b"a" * 20_000 + b"\r\n")) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error) == (None, Failure.PROTOCOL)


async def test_an_answer_that_comes_piece_by_piece_is_one_answer(client: GuardedClient) -> None:
    async def slowly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in OK:
            writer.write(bytes([byte]))
            await writer.drain()

    async with serving(slowly) as server:
        outcomes = [await post(client, server.url) for _ in range(2)]

    assert [outcome.excerpt for outcome in outcomes] == [b"ok", b"ok"]
    assert server.connections == 1


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ssl_server(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("hook.example", "b\u00fccher.example").configure_cert(context)
    return context


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def half_closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    writer.write_eof()


async def test_a_peer_that_says_no_more_gets_no_more(client: GuardedClient) -> None:
    async with serving(half_closes) as server:
        outcomes = [await post(client, server.url) for _ in range(3)]

    assert all(outcome.ok for outcome in outcomes)
    assert server.connections == 3


async def test_a_peer_that_closes_its_half_without_an_answer_is_a_reset(client: GuardedClient) -> None:
    async def mute(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write_eof()
        await asyncio.Event().wait()

    async with serving(mute) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error) == (None, Failure.RESET)


async def test_an_answer_before_the_body_is_whole_counts_and_ends_the_connection(client: GuardedClient) -> None:
    stopped = asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await stopped.wait()

    async with serving(refuse, raw=True) as server:
        outcome = await client.post(server.url, b"x" * 50_000_000, {}, 5)
        stopped.set()

    assert (outcome.status, outcome.error) == (413, None)
    assert client.open_connections == 0


async def test_a_peer_that_reads_nothing_ends_with_the_deadline(client: GuardedClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        outcome = await client.post(f"http://127.0.0.1:{deaf.getsockname()[1]}/", b"x" * 50_000_000, {}, 0.3)

    assert (outcome.status, outcome.error) == (None, Failure.TIMEOUT)
    await until(lambda: client.open_connections == 0)


async def test_what_a_peer_says_unasked_closes_its_connection(client: GuardedClient) -> None:
    speak = asyncio.Event()

    async def chatty(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()
        await speak.wait()
        writer.write(b"HTTP/1.1 500 Not asked\r\nContent-Length: 0\r\n\r\n")

    async with serving(chatty) as server:
        first = await post(client, server.url)
        speak.set()
        await until(lambda: client.open_connections == 0)
        second = await post(client, server.url)

    assert (first.status, second.status) == (200, 200)


async def test_half_an_answer_on_a_kept_connection_is_not_asked_for_again(client: GuardedClient) -> None:
    async def once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 1:
            writer.write(OK)
            return
        writer.write(b"HTTP/1.1 2")
        await writer.drain()
        raise ConnectionAbortedError

    async with serving(once) as server:
        outcomes = [await post(client, server.url) for _ in range(2)]

    assert [outcome.error for outcome in outcomes] == [None, Failure.RESET]
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [silent, drips(b"", b"\x16")], ids=["silence", "garbage"])
async def test_a_handshake_that_does_not_end_well_is_a_failure_in_time(client: GuardedClient, answer: Answer) -> None:
    async with serving(answer, raw=True) as server:
        outcome = await post(client, server.url.replace("http:", "https:"), 0.4)

    assert outcome.error == (Failure.TIMEOUT if answer is silent else Failure.TLS)


async def test_a_peer_that_hangs_up_in_the_handshake_is_a_failure_of_tls(client: GuardedClient) -> None:
    async def leaves(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async with serving(leaves, raw=True) as server:
        outcome = await post(client, server.url.replace("http:", "https:"))

    assert (outcome.status, outcome.error) == (None, Failure.TLS)


async def test_a_connection_with_tls_is_used_again_and_names_its_host(
    ssl_server: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    seen: list[str | None] = []
    ssl_server.sni_callback = lambda _, name, __: seen.append(name)
    names = {"hook.example": "127.0.0.1", "xn--bcher-kva.example": "127.0.0.1"}

    def lookup(host: str, port: int) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (names[host], port))]

    async with (
        serving(says(OK), tls=ssl_server) as server,
        GuardedClient(LOCAL, ssl_context=trust, lookup=lookup, open_socket=Sockets()) as client,
    ):
        urls = [
            server.url.replace("127.0.0.1", host) for host in ("hook.example", "hook.example", "b\u00fccher.example")
        ]
        outcomes = [await post(client, url) for url in urls]

    assert [outcome.status for outcome in outcomes] == [200, 200, 200], outcomes
    assert seen == ["hook.example", "xn--bcher-kva.example"]


async def test_a_peer_that_reads_a_request_and_closes_gets_it_twice_at_most_whatever_is_kept(
    client: GuardedClient,
) -> None:
    """Else each connection that is kept, those of others to the same server too, would carry it once more."""
    closes, together = False, asyncio.Barrier(6)

    async def turncoat(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if closes:
            raise ConnectionAbortedError
        await together.wait()
        writer.write(OK)

    async with serving(turncoat) as server:
        assert all(outcome.ok for outcome in await asyncio.gather(*(post(client, server.url) for _ in range(6))))
        assert client.open_connections == 6
        closes = True
        outcome = await post(client, server.url)

        assert outcome.error is Failure.RESET
        assert len(server.requests) == 6 + 2
        assert server.connections == 6 + 1


async def test_a_peer_that_works_at_a_request_before_it_closes_gets_it_once(client: GuardedClient) -> None:
    async def turncoat(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 1:
            writer.write(OK)
            return
        await asyncio.sleep(REPEAT_SECONDS + 0.1)  # longer than a connection needs to turn out to be closed
        raise ConnectionAbortedError

    async with serving(turncoat) as server:
        outcomes = [await post(client, server.url) for _ in range(2)]

        assert [outcome.error for outcome in outcomes] == [None, Failure.RESET]
        assert len(server.requests) == 2


async def test_a_server_that_closed_all_that_is_kept_gets_it_on_a_new_connection(
    client: GuardedClient,
) -> None:
    together, writers = asyncio.Barrier(3), list[asyncio.StreamWriter]()

    async def leaves(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(writers) < 3:
            writers.append(writer)
            await together.wait()
        writer.write(OK)

    async with serving(leaves) as server:
        assert all(outcome.ok for outcome in await asyncio.gather(*(post(client, server.url) for _ in range(3))))
        for writer in writers:
            writer.transport.abort()  # which the client has not seen when it writes
        assert (await post(client, server.url)).ok
        assert server.connections == 4
