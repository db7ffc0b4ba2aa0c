"""Calls by callback: each ends once, in time, and leaves nothing behind; and the connections they share."""

import asyncio
import gc
import os
import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import uvloop
from support.outbound import LOCAL, LOOPBACK, OK, Names, Refusing, Sockets, hangs_up, post, says, serving, silent
from support.wire import until

from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outbound_names import Lookup, Target
from newswire_runtime.outcome import Failure, Outcome
from newswire_runtime.ssrf import Address, AddressGuard

BODY = b'{"a":1}'


@pytest.fixture
async def client() -> AsyncIterator[GuardedClient]:
    async with GuardedClient(LOCAL, open_socket=Sockets()) as opened:
        yield opened


async def test_a_callback_is_told_once_and_never_from_inside_the_call(client: GuardedClient) -> None:
    outcomes: list[Outcome] = []
    async with serving(says(OK)) as server:
        for url in (server.url, "http://10.0.0.1/", "nonsense"):
            client.send(url, BODY, {}, 5, outcomes.append)
        told_at_once = list(outcomes)
        await until(lambda: len(outcomes) == 3)

    assert told_at_once == []
    assert Counter(outcome.error for outcome in outcomes) == {None: 1, Failure.GUARDED: 2}


async def test_a_callback_can_send_the_next(client: GuardedClient) -> None:
    left = 500

    def following(_: Outcome | None = None) -> None:
        nonlocal left
        left -= 1
        if left:
            client.send(server.url, BODY, {}, 5, following)

    async with serving(says(OK)) as server:
        following()
        await until(lambda: not left)

    assert (len(server.requests), server.connections) == (499, 1)


async def test_a_callback_that_fails_is_reported_and_harms_no_other_call(client: GuardedClient) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    def fails(_: Outcome) -> None:
        raise KeyError("the caller's")

    async with serving(says(OK)) as server:
        client.send(server.url, BODY, {}, 5, fails)
        await until(lambda: reported)
        outcome = await post(client, server.url)

    assert outcome.ok
    assert server.connections == 1


async def test_a_cancelled_call_tells_nobody(client: GuardedClient) -> None:
    told: list[Outcome] = []
    async with serving(silent) as server:
        running = client.send(server.url, BODY, {}, 60, told.append)
        await until(lambda: server.requests)
        running.cancel()
        client.send("http://10.0.0.1/", BODY, {}, 60, told.append).cancel()
        await until(lambda: client.open_connections == 0)

    assert told == []


async def test_closing_the_client_ends_every_call() -> None:
    told: list[Outcome] = []
    async with serving(silent) as server, GuardedClient(LOCAL, per_host=2, open_socket=Sockets()) as client:
        for _ in range(5):
            client.send(server.url, BODY, {}, 60, told.append)
        await until(lambda: len(server.requests) == 2)

    assert [outcome.error for outcome in told] == [Failure.RESET] * 5


async def test_each_of_many_deadlines_is_kept_by_itself(client: GuardedClient) -> None:
    ended: dict[float, float] = {}
    started = time.perf_counter()

    def note(deadline: float) -> None:
        client.send(server.url, BODY, {}, deadline, lambda _: ended.setdefault(deadline, time.perf_counter() - started))

    async with serving(silent) as server:
        for deadline in (0.5, 0.1, 0.3, 0.2, 0.4):
            note(deadline)
        await until(lambda: len(ended) == 5)

    assert list(ended) == sorted(ended)
    assert all(deadline <= took < deadline + 1 for deadline, took in ended.items())


async def test_a_call_that_waits_for_a_connection_ends_with_its_own_deadline() -> None:
    async with serving(silent) as server, GuardedClient(LOCAL, per_host=1, open_socket=Sockets()) as client:
        first = asyncio.create_task(post(client, server.url, 60))
        await until(lambda: server.requests)
        second = await post(client, server.url, 0.2)
        first.cancel()

    assert second.error == Failure.TIMEOUT
    assert server.connections == 1


async def test_a_bad_header_is_the_callers_fault_and_nothing_is_sent(client: GuardedClient) -> None:
    async with serving(says(OK)) as server:
        with pytest.raises(ValueError, match="line break"):
            await client.post(server.url, BODY, {"x": "a\r\nHost: other"}, 5)

    assert server.connections == 0


# --- connections that are kept ---


async def test_an_idle_connection_is_closed_after_a_while() -> None:
    async with serving(says(OK)) as server, GuardedClient(LOCAL, idle_seconds=0.1, open_socket=Sockets()) as client:
        await post(client, server.url)
        await until(lambda: client.open_connections == 0)


async def test_no_more_connections_are_kept_than_allowed() -> None:
    async with serving(says(OK)) as server, GuardedClient(LOCAL, max_idle=3, open_socket=Sockets()) as client:
        await asyncio.gather(*(post(client, server.url) for _ in range(10)))
        await until(lambda: client.open_connections == 3)


def forgetful(lookup: Lookup, sockets: Sockets | None = None) -> GuardedClient:
    """Return a client that asks for a name before every call."""
    return GuardedClient(LOCAL, lookup=lookup, open_socket=sockets or Sockets(), dns_seconds=0)


async def test_a_kept_connection_is_not_used_after_its_name_has_moved() -> None:
    names = Names(hook_example=[["127.0.0.1"], ["127.0.0.2"]])
    sockets = Sockets()
    async with (
        serving(says(OK)) as server,
        GuardedClient(LOCAL, lookup=names, open_socket=sockets, dns_seconds=0) as client,
    ):
        url = server.url.replace("127.0.0.1", "hook.example")
        outcomes = [await post(client, url) for _ in range(2)]

    assert [outcome.error for outcome in outcomes] == [None, Failure.REFUSED]
    assert sockets.addresses == ["127.0.0.1", "127.0.0.2"]


async def test_a_kept_connection_stays_while_its_name_means_the_same() -> None:
    names = Names(hook_example=[["127.0.0.1"]])
    async with (
        serving(says(OK)) as server,
        GuardedClient(LOCAL, lookup=names, open_socket=Sockets(), dns_seconds=0) as client,
    ):
        url = server.url.replace("127.0.0.1", "hook.example")
        outcomes = [await post(client, url) for _ in range(3)]

    assert all(outcome.ok for outcome in outcomes)
    assert (len(names.asked), server.connections) == (3, 1)


async def test_a_kept_connection_is_closed_when_its_name_comes_to_mean_a_guarded_address() -> None:
    names = Names(hook_example=[["127.0.0.1"], ["10.0.0.1"]])
    async with (
        serving(says(OK)) as server,
        GuardedClient(LOCAL, lookup=names, open_socket=Sockets(), dns_seconds=0) as client,
    ):
        url = server.url.replace("127.0.0.1", "hook.example")
        outcomes = [await post(client, url) for _ in range(2)]
        await until(lambda: client.open_connections == 0)

    assert [outcome.error for outcome in outcomes] == [None, Failure.GUARDED]
    assert len(server.requests) == 1


async def test_a_kept_connection_to_a_literal_address_is_judged_again() -> None:
    class Changing(AddressGuard):
        closed = False

        def reason(self, address: Address) -> str | None:
            return "closed now" if self.closed else super().reason(address)

    guard = Changing([LOOPBACK])
    async with serving(says(OK)) as server, GuardedClient(guard, open_socket=Sockets(), dns_seconds=0) as client:
        first = await post(client, server.url)
        guard.closed = True
        second = await post(client, server.url)

    assert (first.error, second.error) == (None, Failure.GUARDED)
    assert len(server.requests) == 1


async def test_a_name_server_that_cannot_say_for_the_moment_ends_no_connection() -> None:
    asked = 0

    def lookup(_: str, port: int) -> Sequence[tuple[Any, ...]]:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    async with (
        serving(says(OK)) as server,
        GuardedClient(LOCAL, lookup=lookup, open_socket=Sockets(), dns_seconds=0) as client,
    ):
        url = server.url.replace("127.0.0.1", "hook.example")
        outcomes = [await post(client, url) for _ in range(3)]

    assert all(outcome.ok for outcome in outcomes)
    assert server.connections == 1


async def test_of_several_addresses_the_next_is_tried_when_one_hangs_or_fails() -> None:
    hanging = socket.create_server(("127.0.0.9", 0), backlog=0)
    port = hanging.getsockname()[1]
    full = [socket.socket() for _ in range(8)]
    for each in full:
        each.setblocking(False)
        each.connect_ex(("127.0.0.9", port))  # its queue is full now: a further connect hangs
    names = Names(hook_example=[["127.0.0.9", "127.0.0.8", "127.0.0.1"]])

    sockets = Sockets()
    async with serving(says(OK), port=port), GuardedClient(LOCAL, lookup=names, open_socket=sockets) as client:
        outcome = await post(client, f"http://hook.example:{port}/", 10)
        opened = client.open_connections
    for each in (hanging, *full):
        each.close()

    assert (outcome.ok, opened) == (True, 1)
    assert sockets.addresses == ["127.0.0.9", "127.0.0.8", "127.0.0.1"]


async def test_a_process_without_files_to_open_fails_the_call_and_gives_up_what_is_idle() -> None:
    class Full(Sockets):
        full = False

        def __call__(self, target: Target) -> socket.socket:
            if self.full:
                raise OSError(24, "Too many open files")
            return super().__call__(target)

    sockets = Full()
    async with (
        serving(says(OK)) as one,
        serving(says(OK)) as other,
        GuardedClient(LOCAL, open_socket=sockets) as client,
    ):
        await post(client, one.url)
        sockets.full = True
        outcome = await post(client, other.url)
        await until(lambda: client.open_connections == 0)

    assert (outcome.status, outcome.error, outcome.detail) == (None, Failure.UNREACHABLE, "EMFILE")


async def test_failed_dials_end_every_call_that_waits() -> None:
    sockets = Refusing()
    async with GuardedClient(
        AddressGuard(), per_host=2, lookup=Names(hook_example=[["8.8.8.8"]]), open_socket=sockets
    ) as client:
        outcomes = await asyncio.gather(*(post(client, "http://hook.example/") for _ in range(50)))

    assert {outcome.error for outcome in outcomes} == {Failure.REFUSED}


# --- everything at once ---


async def unreliable(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer in one of many ways, most of them bad."""
    chance = random.random()
    if chance < 0.4:
        writer.write(OK)
    elif chance < 0.5:
        await hangs_up(reader, writer)
    elif chance < 0.6:
        writer.write(OK[: random.randrange(len(OK))])
        writer.transport.abort() if chance < 0.55 else writer.close()
        raise ConnectionAbortedError
    elif chance < 0.65:
        writer.write(random.randbytes(200) + b"\r\n\r\n")
    elif chance < 0.7:
        writer.write(OK + OK)
    elif chance < 0.75:
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\nhello")
    elif chance < 0.8:
        writer.write(b"HTTP/1.1 500 No\r\n\r\nuntil closed")
        raise ConnectionAbortedError
    elif chance < 0.85:
        writer.write(OK)
        writer.write_eof()
        raise ConnectionAbortedError
    elif chance < 0.9:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        await asyncio.sleep(0.002)
        writer.write(b"0\r\n\r\n" if chance < 0.88 else b"zz\r\n")
    elif chance < 0.92:
        await asyncio.Event().wait()
    else:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")


def files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.parametrize("per_host", [4, 0])
def test_of_ten_thousand_calls_among_faults_each_ends_once_and_leaves_nothing(per_host: int) -> None:
    random.seed(per_host)
    calls, told, cancelled = 5_000, Counter[int](), 0
    outcomes: Counter[object] = Counter()

    async def main() -> None:
        nonlocal cancelled
        loop = asyncio.get_running_loop()
        reported: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: reported.append(context))
        names = Names(moving_example=[["127.0.0.1"], ["127.0.0.3"], ["10.0.0.1"]] * 20 + [["127.0.0.1"]])

        def note(number: int) -> Any:
            def done(outcome: Outcome) -> None:
                told[number] += 1
                outcomes[outcome.error or outcome.status] += 1

            return done

        async with serving(unreliable) as server:
            tasks, before = len(asyncio.all_tasks()), files()
            async with GuardedClient(
                LOCAL, per_host=per_host, lookup=names, dns_seconds=0.02, idle_seconds=0.1, open_socket=Sockets()
            ) as client:
                hosts = ["127.0.0.1"] * 6 + ["moving.example", "127.0.0.4", "unknown.example", "10.0.0.1"]
                for number in range(calls):
                    url = server.url.replace("127.0.0.1", random.choice(hosts))
                    call = client.send(url, BODY, {"n": str(number)}, random.uniform(0.05, 1.5), note(number))
                    if random.random() < 0.02:
                        loop.call_later(random.uniform(0, 0.2), call.cancel)
                    if number % 50 == 0:
                        await asyncio.sleep(0)
                await until(lambda: client.running_calls == 0, 30)
            await until(lambda: len(asyncio.all_tasks()) - len(server.tasks) <= tasks, what="no task is left")
            for task in server.tasks:
                task.cancel()
            await until(lambda: files() <= before, what="no file is left")
        assert not reported, reported[:3]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
    gc.collect()

    assert set(told.values()) == {1}
    assert calls * 0.97 <= len(told) <= calls
    assert {200, 204, 500, *(set(Failure) - {Failure.TLS, Failure.UNREACHABLE})} <= set(outcomes), outcomes


async def test_calls_leave_no_memory_behind(client: GuardedClient) -> None:
    async def round_of_calls() -> int:
        await asyncio.gather(*(post(client, server.url) for _ in range(500)))
        gc.collect()
        return len(gc.get_objects())

    async with serving(says(OK)) as server:
        await round_of_calls()
        first = await round_of_calls()
        server.requests.clear()
        second = await round_of_calls()

    assert second < first + 200
