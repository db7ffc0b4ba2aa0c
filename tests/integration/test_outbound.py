"""The guarded client, against real servers on 127.0.0.1 that misbehave, and against names that lie.

No test connects anywhere else: `Sockets` fails a test that would.
"""

import asyncio
import contextlib
import gc
import os
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_network
from typing import Any

import pytest
import trustme
import uvloop
from support.outbound import LOCAL, OK, Answer, Names, Refusing, Sockets, drips, hangs_up, post, says, serving, silent

from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outbound_answers import MAX_EXCERPT
from newswire_runtime.outbound_names import GuardedResolver
from newswire_runtime.outcome import Failure, Outcome
from newswire_runtime.ssrf import AddressGuard


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    async with GuardedClient(LOCAL, open_socket=Sockets()) as opened:
        yield opened
    gc.collect()  # an unclosed socket or response warns now, and a warning is an error


async def test_a_delivery_carries_its_bytes_and_headers_and_comes_back_as_a_value(client: GuardedClient) -> None:
    async with serving(
        says(b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
    ) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error, outcome.ok) == (201, None, True)
    assert (outcome.excerpt, outcome.truncated, outcome.content_type) == (b"ok", False, "text/plain")
    assert 0 < outcome.duration_ms < 5_000
    assert abs(outcome.started_at_ms / 1000 - time.time()) < 10
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = [line.lower() for line in head.split(b"\r\n")]
    assert lines[0] == b"post /hook http/1.1"
    assert body == b'{"a":1}'
    assert {b"webhook-id: m1", b"content-type: application/json", b"user-agent: newswire"} <= set(lines)
    assert b"accept-encoding: identity" in lines


@pytest.mark.parametrize("status", [204, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
async def test_any_status_is_an_answer(client: GuardedClient, status: int) -> None:
    said = f"HTTP/1.1 {status} X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(says(said)) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error, outcome.retry_after) == (status, None, "7")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(client: GuardedClient, status: int) -> None:
    async with serving(says(OK)) as target:
        said = f"HTTP/1.1 {status} Moved\r\nLocation: {target.url}\r\nContent-Length: 0\r\n\r\n"
        async with serving(says(said.encode())) as server:
            outcome = await post(client, server.url)

    assert outcome.status == status
    assert target.connections == 0


async def test_cookies_are_not_kept() -> None:
    said = says(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")
    names = Names(hook_example=[["127.0.0.1"]])
    async with serving(said) as server, GuardedClient(LOCAL, lookup=names, open_socket=Sockets()) as client:
        for _ in range(2):
            await post(client, server.url.replace("127.0.0.1", "hook.example"))

    assert b"cookie" not in server.requests[1].lower()


async def test_a_proxy_of_the_environment_is_not_used(client: GuardedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(says(OK)) as proxy, serving(says(OK)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        outcome = await post(client, server.url)

    assert outcome.ok
    assert (proxy.connections, server.connections) == (0, 1)


async def test_a_connection_is_used_again(client: GuardedClient) -> None:
    async with serving(says(OK)) as server:
        outcomes = [await post(client, server.url) for _ in range(5)]

    assert all(outcome.ok for outcome in outcomes)
    assert server.connections == 1


async def test_a_kept_connection_that_the_peer_has_closed_costs_no_attempt(client: GuardedClient) -> None:
    async def once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(server.requests) == 2:  # the second request, on the kept connection, gets no answer
            await hangs_up(_, writer)
        writer.write(OK)

    async with serving(once) as server:
        first, second = await post(client, server.url), await post(client, server.url)

    assert first.ok
    assert second.ok
    assert (len(server.requests), server.connections) == (3, 2)


async def test_the_connections_to_one_host_are_bounded() -> None:
    gate = asyncio.Event()

    async def waits(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.write(OK)

    async with serving(waits) as server, GuardedClient(LOCAL, per_host=3, open_socket=Sockets()) as client:
        posts = [asyncio.create_task(post(client, server.url)) for _ in range(10)]
        while len(server.requests) < 3:
            await asyncio.sleep(0)
        gate.set()
        outcomes = await asyncio.gather(*posts)

    assert all(outcome.ok for outcome in outcomes)
    assert server.connections == 3


async def test_slow_hosts_do_not_hold_up_another() -> None:
    hosts = [f"slow{n}.example" for n in range(12)]
    names = Names(**{host.replace(".", "_"): [["127.0.0.1"]] for host in hosts})
    async with (
        serving(silent) as slow,
        serving(says(OK)) as quick,
        GuardedClient(LOCAL, lookup=names, open_socket=Sockets()) as client,
    ):
        urls = [slow.url.replace("127.0.0.1", host) for host in hosts for _ in range(20)]
        posts = [asyncio.create_task(post(client, url, 60)) for url in urls]
        async with asyncio.timeout(10):
            while slow.connections < 12 * 16:
                await asyncio.sleep(0)
        outcome = await post(client, quick.url)
        for each in posts:
            each.cancel()
        await asyncio.gather(*posts, return_exceptions=True)

    assert outcome.ok


@pytest.mark.parametrize(
    "answer",
    [
        silent,
        drips(b"HTTP/1.1 200 ", b"a"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a"),
    ],
    ids=["silence", "status line", "headers", "informational answers", "one header"],
)
async def test_no_drip_before_the_status_is_complete_stretches_the_deadline(
    client: GuardedClient, answer: Answer
) -> None:
    async with serving(answer) as server:
        started = time.perf_counter()
        outcome = await post(client, server.url, 0.3)

    assert (outcome.status, outcome.error) == (None, Failure.TIMEOUT)
    assert 0.25 < time.perf_counter() - started < 2


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 9999\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Connection: close\r\n\r\n"],
    ids=["length", "chunked", "until closed"],
)
async def test_a_body_that_drips_is_cut_at_the_deadline_and_the_status_stands(
    client: GuardedClient, head: bytes
) -> None:
    drop = b"1\r\na\r\n" if b"chunked" in head else b"a"
    async with serving(drips(b"HTTP/1.1 202 Accepted\r\n" + head, drop)) as server:
        started = time.perf_counter()
        outcome = await post(client, server.url, 0.3)
        again = await post(client, server.url, 0.3)

    assert (outcome.status, outcome.error, outcome.truncated) == (202, None, True)
    assert set(outcome.excerpt) <= set(b"a")
    assert time.perf_counter() - started < 2
    assert again.status == 202
    assert server.connections == 2  # what was cut is not used again


async def test_a_body_that_breaks_off_leaves_the_status_standing(client: GuardedClient) -> None:
    async def breaks(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        await writer.drain()
        raise ConnectionAbortedError

    async with serving(breaks) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.excerpt, outcome.truncated) == (200, b"abc", True)


@pytest.mark.parametrize("extra", [0, 1, 5_000_000])
async def test_of_a_large_body_16_kilobytes_are_kept(client: GuardedClient, extra: int) -> None:
    size = MAX_EXCERPT + extra
    async with serving(says(b"HTTP/1.1 500 No\r\nContent-Length: %d\r\n\r\n" % size, b"x" * size)) as server:
        outcome = await post(client, server.url)
        await post(client, server.url)

    assert outcome.status == 500
    assert outcome.excerpt == b"x" * MAX_EXCERPT
    assert outcome.truncated == bool(extra)
    assert server.connections == (2 if extra > MAX_EXCERPT else 1)  # one byte more has come with the rest


async def test_an_endless_body_is_cut(client: GuardedClient) -> None:
    async def floods(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async with serving(floods) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, len(outcome.excerpt), outcome.truncated) == (200, MAX_EXCERPT, True)


async def test_a_packed_body_is_not_unpacked(client: GuardedClient) -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"
    async with serving(says(said)) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.excerpt) == (200, b"\x1f\x8b\x08\x00")


async def test_a_switch_of_protocols_is_a_failed_answer_and_ends_the_connection(client: GuardedClient) -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    async with serving(says(said)) as server:
        outcome = await post(client, server.url, 1)

    assert (outcome.status, outcome.ok) == (101, False)


async def test_a_hang_up_is_a_reset(client: GuardedClient) -> None:
    async with serving(hangs_up) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error) == (None, Failure.RESET)
    assert len(server.requests) == 1


async def test_a_closed_port_is_refused(client: GuardedClient) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = await post(client, f"http://127.0.0.1:{closed.getsockname()[1]}/")

    assert (outcome.status, outcome.error) == (None, Failure.REFUSED)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"\x00\xff\x00\xff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_failure_of_protocol(client: GuardedClient, said: bytes) -> None:
    async with serving(says(said)) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error) == (None, Failure.PROTOCOL)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_an_untrusted_certificate_is_a_failure_of_tls(client: GuardedClient, authority: trustme.CA) -> None:
    async with serving(says(OK), tls=server_tls(authority, "127.0.0.1")) as server:
        outcome = await post(client, server.url)

    assert (outcome.status, outcome.error) == (None, Failure.TLS)
    assert "certificate" in outcome.detail
    assert server.requests == []


@pytest.mark.parametrize(("name", "error"), [("127.0.0.1", None), ("127.0.0.2", Failure.TLS)])
async def test_a_certificate_must_be_for_the_host(authority: trustme.CA, name: str, error: Failure | None) -> None:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with (
        serving(says(OK), tls=server_tls(authority, name)) as server,
        GuardedClient(LOCAL, ssl_context=trust, open_socket=Sockets()) as client,
    ):
        outcome = await post(client, server.url)
    gc.collect()

    assert outcome.error == error


async def test_https_to_a_plain_server_is_a_failure_of_tls(client: GuardedClient) -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        outcome = await post(client, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/")

    assert outcome.error == Failure.TLS


# --- names that lie ---


async def test_a_name_that_means_a_guarded_address_is_refused_and_nothing_is_opened() -> None:
    sockets = Refusing()
    names = Names(inside_example=[["10.0.0.7", "::1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]])
    async with GuardedClient(AddressGuard(), lookup=names, open_socket=sockets) as client:
        outcome = await post(client, "http://inside.example/")

    assert (outcome.status, outcome.error) == (None, Failure.GUARDED)
    assert sockets.addresses == []
    assert "10.0.0.7" not in outcome.detail


async def test_the_resolver_itself_leaves_guarded_addresses_out() -> None:
    resolver = GuardedResolver(AddressGuard(), Names(mixed_example=[["127.0.0.1", "8.8.8.8", "fd00::1"]]), 10)

    found = await resolver.resolve("mixed.example", 80)
    await resolver.close()

    assert [each.address for each in found.targets] == ["8.8.8.8"]


async def test_of_mixed_addresses_only_the_permitted_are_connected() -> None:
    sockets = Refusing()
    names = Names(mixed_example=[["127.0.0.1", "8.8.8.8", "fd00::1", "2606:4700::1111"]])
    async with GuardedClient(AddressGuard(), lookup=names, open_socket=sockets) as client:
        outcome = await post(client, "http://mixed.example/")

    assert outcome.error == Failure.REFUSED
    assert set(sockets.addresses) == {"8.8.8.8", "2606:4700::1111"}


async def test_a_name_that_changes_its_mind_is_judged_by_what_is_connected() -> None:
    sockets = Refusing()
    names = Names(rebind_example=[["8.8.8.8"], ["127.0.0.1"]])
    async with GuardedClient(AddressGuard(), lookup=names, open_socket=sockets, dns_seconds=0) as client:
        first = await post(client, "http://rebind.example/")
        seen = list(names.asked), list(sockets.addresses)
        second = await post(client, "http://rebind.example/")

    assert first.error == Failure.REFUSED
    assert seen == (["rebind.example"], ["8.8.8.8"])  # looked up once: what was judged was connected
    assert second.error == Failure.GUARDED
    assert sockets.addresses == ["8.8.8.8"]


async def test_an_address_that_slips_past_the_resolver_is_stopped_at_the_socket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sockets = Refusing()
    names = Names(slip_example=[["127.0.0.1"]])
    guard = AddressGuard()
    async with GuardedClient(guard, lookup=names, open_socket=sockets) as client:
        monkeypatch.setattr(client._resolver, "_guard", LOCAL)
        outcome = await post(client, "http://slip.example/")

    assert outcome.error == Failure.GUARDED
    assert sockets.addresses == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/", "http://[::ffff:10.0.0.1]/", "ftp://x/"]
)
async def test_a_guarded_url_is_refused_without_a_look_up(url: str) -> None:
    sockets, names = Refusing(), Names()
    async with GuardedClient(AddressGuard(), lookup=names, open_socket=sockets) as client:
        outcome = await post(client, url)

    assert outcome.error == Failure.GUARDED
    assert (names.asked, sockets.addresses) == ([], [])


async def test_a_metadata_name_behind_an_open_allow_list_stays_refused() -> None:
    names = Names(clever_example=[["169.254.169.254"]])
    guard = AddressGuard([ip_network("0.0.0.0/0"), ip_network("::/0")])
    async with GuardedClient(guard, lookup=names, open_socket=Refusing()) as client:
        outcome = await post(client, "http://clever.example/")

    assert outcome.error == Failure.GUARDED


async def test_a_name_in_an_allowed_range_is_delivered_to() -> None:
    names = Names(hook_example=[["127.0.0.1"]])
    async with serving(says(OK)) as server, GuardedClient(LOCAL, lookup=names, open_socket=Sockets()) as client:
        outcomes = [await post(client, server.url.replace("127.0.0.1", "hook.example")) for _ in range(3)]

    assert all(outcome.ok for outcome in outcomes)
    assert names.asked == ["hook.example"]
    assert b"host: hook.example" in server.requests[0].lower()


@pytest.mark.parametrize("answers", [{}, {"empty_example": [[]]}], ids=["unknown", "no address"])
async def test_a_name_without_address_is_a_failure_of_dns(answers: dict[str, list[list[str]]]) -> None:
    async with GuardedClient(LOCAL, lookup=Names(**answers), open_socket=Sockets()) as client:
        outcome = await post(client, "http://empty.example/")

    assert (outcome.status, outcome.error) == (None, Failure.DNS)


async def test_a_hanging_look_up_ends_with_the_deadline_and_delays_no_other_name() -> None:
    hanging, release = 0, threading.Event()
    names = Names(quick_example=[["127.0.0.1"]])

    def lookup(host: str, port: int) -> Sequence[tuple[Any, ...]]:
        nonlocal hanging
        if host == "slow.example":
            hanging += 1
            release.wait(10)
        return names(host, port)

    async with serving(says(OK)) as server, GuardedClient(LOCAL, lookup=lookup, open_socket=Sockets()) as client:
        slow = [asyncio.create_task(post(client, "http://slow.example/", 0.3)) for _ in range(50)]
        quick = await post(client, server.url.replace("127.0.0.1", "quick.example"))
        outcomes = await asyncio.gather(*slow)
        release.set()

    assert quick.ok
    assert {outcome.error for outcome in outcomes} == {Failure.TIMEOUT}
    assert hanging == 1  # one thread, however many calls wait for the name


# --- closing ---


async def test_a_cancelled_delivery_raises_and_leaves_nothing_open(client: GuardedClient) -> None:
    async with serving(silent) as server:
        task = asyncio.create_task(post(client, server.url, 60))
        while not server.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gc.collect()


async def test_a_cancelled_body_leaves_nothing_open(client: GuardedClient) -> None:
    async with serving(drips(b"HTTP/1.1 200 OK\r\n\r\n", b"a")) as server:
        task = asyncio.create_task(post(client, server.url, 60))
        while not server.requests:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gc.collect()


async def test_closing_leaves_no_file_open() -> None:
    def sockets() -> int:
        links = (os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd.isdigit())  # noqa: PTH208, PTH115
        found = 0
        with contextlib.suppress(FileNotFoundError):
            for link in links:
                found += link.startswith("socket:")
        return found

    async with serving(says(OK)) as server:
        before = sockets()
        async with GuardedClient(LOCAL, open_socket=Sockets()) as client:
            await asyncio.gather(*(post(client, server.url) for _ in range(10)))
            assert sockets() > before
        while server.connections and sockets() > before:
            await asyncio.sleep(0)


async def test_a_client_that_was_not_entered_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await post(GuardedClient(LOCAL), "http://127.0.0.1:9999/")


def test_it_works_on_uvloop_as_well() -> None:
    async def main() -> list[Outcome]:
        names = Names(hook_example=[["127.0.0.1"]], inside_example=[["10.0.0.1"]])
        guard = AddressGuard([ip_network("127.0.0.0/8")])
        async with serving(says(OK)) as server, GuardedClient(guard, lookup=names, open_socket=Sockets()) as client:
            good = await post(client, server.url.replace("127.0.0.1", "hook.example"))
            guarded = await post(client, "http://inside.example/")
        async with serving(silent) as server, GuardedClient(guard, open_socket=Sockets()) as client:
            return [good, guarded, await post(client, server.url, 0.2)]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        good, guarded, late = runner.run(main())

    assert good.ok
    assert (guarded.error, late.error) == (Failure.GUARDED, Failure.TIMEOUT)
