"""What comes between a request's making and its writing, which no server can be made to send at the right moment."""

import asyncio
from dataclasses import dataclass, field

import pytest

from newswire_runtime.outbound_calls import Call
from newswire_runtime.outbound_connection import Connection, KnownAnswers
from newswire_runtime.outbound_deadlines import Deadlines
from newswire_runtime.outbound_writes import MOST_TOGETHER, Writes
from newswire_runtime.outcome import Failure, Outcome

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Owner:
    """Notes what a connection tells it."""

    told: list[str] = field(default_factory=list)
    anew: list[Call] = field(default_factory=list)

    def opened(self, _: Connection) -> None:
        self.told.append("opened")

    def release(self, _: Connection) -> None:
        self.told.append("release")

    def gone(self, _: Connection) -> None:
        self.told.append("gone")

    def lost(self, _: Connection) -> None:
        self.told.append("lost")

    def again(self, call: Call) -> None:
        self.anew.append(call)


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_aborted = False

    def writelines(self, list_of_data: object) -> None:
        self.written += list_of_data  # type: ignore[operator]

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.is_aborted = True


@dataclass
class Peer:
    """A connection, and both its ends."""

    wire: Wire
    owner: Owner
    connection: Connection
    deadlines: Deadlines
    outcomes: list[Outcome] = field(default_factory=list)

    def call(self, payload: bytes = b"one") -> Call:
        call = Call([payload], 15, 0, self.outcomes.append, self.deadlines)
        self.connection.run(call)
        return call


@pytest.fixture
async def peer() -> Peer:
    loop = asyncio.get_running_loop()
    wire, owner = Wire(), Owner()
    connection = Connection(owner, "127.0.0.1", KnownAnswers(), Writes(loop))
    connection.connection_made(wire)
    return Peer(wire, owner, connection, Deadlines(loop))


async def served(peer: Peer) -> None:
    peer.call()
    await asyncio.sleep(0)
    peer.connection.data_received(NO_CONTENT)
    peer.wire.written.clear()


async def test_a_request_is_written_in_the_same_turn_of_the_loop(peer: Peer) -> None:
    peer.call()
    assert peer.wire.written == []
    await asyncio.sleep(0)
    assert peer.wire.written == [b"one"]


async def test_so_many_requests_wait_for_no_turn(peer: Peer) -> None:
    writes = Writes(asyncio.get_running_loop())
    wires = []
    for _ in range(MOST_TOGETHER):
        assert not any(wire.written for wire in wires)
        wire = Wire()
        connection = Connection(peer.owner, "127.0.0.1", KnownAnswers(), writes)
        connection.connection_made(wire)
        wires.append(wire)
        connection.run(Call([b"one"], 15, 0, peer.outcomes.append, peer.deadlines))
    assert all(wire.written == [b"one"] for wire in wires)


async def test_what_comes_before_the_request_is_written_is_no_answer_to_it(peer: Peer) -> None:
    await served(peer)
    call = peer.call(b"two")
    peer.connection.data_received(NO_CONTENT)
    await asyncio.sleep(0)
    assert (peer.wire.is_aborted, peer.wire.written) == (True, [])
    assert peer.owner.anew == [call]
    assert len(peer.outcomes) == 1


async def test_who_speaks_first_on_a_new_connection_is_no_server_of_http(peer: Peer) -> None:
    peer.call()
    peer.connection.data_received(b"220 mail.example ESMTP\r\n")
    await asyncio.sleep(0)
    assert [outcome.error for outcome in peer.outcomes] == [Failure.PROTOCOL]
    assert (peer.wire.written, peer.owner.anew) == ([], [])


async def test_a_call_that_was_cancelled_before_its_write_is_not_written(peer: Peer) -> None:
    peer.call().cancel()
    await asyncio.sleep(0)
    assert peer.wire.written == []
