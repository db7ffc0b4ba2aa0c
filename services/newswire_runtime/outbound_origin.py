"""One scheme, host and port: its connections, and the calls that wait for one.

    start(call) ─ kept and fresh ─▶ Connection.run
                └ waits ─▶ dial: look up ─▶ drop what the name means no more ─▶ connect ─▶ who waits longest

- connections are bounded (``per_host``); what is over it waits, within its own deadline.
- a kept connection is used for as long as its name was asked for lately. Then a dial asks
  again, guard included, before any call takes one; connections to addresses that are no
  more among the answers are closed. A name server that cannot say anything for the moment
  changes nothing; a name that is gone, or guarded now, closes them all.
- a dial fails: the call that waits longest fails with it, and a next dial is made for the
  others. A dial ends with the deadline of the call that it was made for.
- the process has no more files to open: the call fails, and what is idle anywhere is closed.
"""

import asyncio
import errno
import functools
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from newswire_runtime.outbound_answers import Answer
from newswire_runtime.outbound_calls import Call
from newswire_runtime.outbound_connection import Connection, KnownAnswers
from newswire_runtime.outbound_deadlines import Deadlines
from newswire_runtime.outbound_dial import Dialer
from newswire_runtime.outbound_failures import failure_of
from newswire_runtime.outbound_names import Found, GuardedAddress, GuardedResolver, NameFailed
from newswire_runtime.outbound_writes import Writes
from newswire_runtime.outcome import Failure
from newswire_runtime.ssrf import Address

SILENT_SECONDS = 1.0
"""How long a name is not asked for again when its server could not say anything."""


@dataclass(eq=False)
class Shared:
    """What all origins of one client have in common."""

    dialer: Dialer
    resolver: GuardedResolver
    deadlines: Deadlines
    writes: Writes
    per_host: int
    max_idle: int
    close_idle: Callable[[], None]
    """Close every idle connection, of all origins."""
    known: KnownAnswers = field(default_factory=KnownAnswers)
    connections: set[Connection] = field(default_factory=set)
    """All whose socket is open."""
    dials: set["Dial"] = field(default_factory=set)
    waiting: set["Origin"] = field(default_factory=set)
    """Those that calls wait for."""
    idle: int = 0
    closed: bool = False
    all_lost: asyncio.Event | None = None
    """Set once the client is closed and its last socket too."""


class Dial:
    """An attempt to connect, until a deadline."""

    def __init__(self, deadline_at: float, task: asyncio.Task[None]) -> None:
        self.deadline_at = deadline_at
        self.task = task

    def expire(self) -> None:
        self.task.cancel()


class Origin:
    """The connections to one scheme, host and port. ``address`` is set if the host is a literal one."""

    __slots__ = (
        "__weakref__",
        "_address",
        "_anew",
        "_connections",
        "_dials",
        "_fresh_until",
        "_host",
        "_idle",
        "_port",
        "_server_name",
        "_shared",
        "_waiting",
    )

    def __init__(self, shared: Shared, *, tls: bool, host: str, port: int, address: Address | None) -> None:
        self._shared = shared
        self._server_name = host.removesuffix(".") if tls else None
        self._host = host
        self._port = port
        self._address = address
        self._idle: dict[Connection, None] = {}  # the last one in is the first one out: what is not needed grows old
        self._connections = 0
        self._dials = 0
        self._waiting: OrderedDict[Call, None] = OrderedDict()
        self._anew: OrderedDict[Call, None] = OrderedDict()  # they wait for a connection that nobody has used
        self._fresh_until = -math.inf

    def start(self, call: Call) -> None:
        """Give the call a connection, now or when there is one."""
        if self._idle and call.started < self._fresh_until:
            self._shared.idle -= 1
            self._idle.popitem()[0].run(call)
            return
        if self._shared.closed:
            asyncio.get_running_loop().call_soon(call.failed, Failure.RESET, "the client was closed")
            return
        call.holder = self
        self._waiting[call] = None
        self._shared.waiting.add(self)
        self._serve()

    def again(self, call: Call) -> None:
        """Make a call once more, on a connection of its own: the kept ones may be closed like the one that it had."""
        if self._shared.closed:
            call.failed(Failure.RESET, "the client was closed")
            return
        call.holder = self
        self._anew[call] = None
        self._shared.waiting.add(self)
        self._serve()

    def leave(self, call: Call) -> Answer | None:
        self._waiting.pop(call, None)
        self._anew.pop(call, None)
        return None

    def opened(self, connection: Connection) -> None:
        self._connections += 1
        self._shared.connections.add(connection)

    def release(self, connection: Connection) -> None:
        shared = self._shared
        connection.idle_since = time.perf_counter()
        self._idle[connection] = None
        shared.idle += 1
        if self._waiting:
            self._serve()
        elif shared.idle > shared.max_idle:
            connection.close()

    def gone(self, connection: Connection) -> None:
        self._connections -= 1
        if connection in self._idle:
            del self._idle[connection]
            self._shared.idle -= 1
        if self._waiting or self._anew:
            self._serve()

    def lost(self, connection: Connection) -> None:
        shared = self._shared
        shared.connections.discard(connection)
        if shared.all_lost is not None and not shared.connections:
            shared.all_lost.set()

    def close_idle(self, since: float = math.inf) -> None:
        """Close what has been idle since before a moment of `time.perf_counter`."""
        for connection in [each for each in self._idle if each.idle_since < since]:
            connection.close()

    def fail_waiting(self, failure: Failure, detail: str) -> None:
        while self._waiting or self._anew:
            self._next().failed(failure, detail)

    def _serve(self) -> None:
        fresh = time.perf_counter() < self._fresh_until
        if fresh:
            self._hand_out()
        while self._dials < len(self._waiting) + len(self._anew) and self._may_dial(fresh):
            self._dials += 1
            # In no one's context: what the connection reads later belongs to other calls.
            task = asyncio.get_running_loop().create_task(self._dial(), context=Context())
            dial = Dial(next(reversed(self._waiting or self._anew)).deadline_at, task)
            self._shared.dials.add(dial)
            self._shared.deadlines.add(dial)
            task.add_done_callback(functools.partial(self._dialled, dial))
        if not self._waiting and not self._anew:
            self._shared.waiting.discard(self)

    def _next(self) -> Call:
        """Take the first of those that wait."""
        return (self._anew or self._waiting).popitem(last=False)[0]

    def _may_dial(self, fresh: bool) -> bool:
        bound = self._shared.per_host
        return (
            not bound or self._connections + self._dials < bound or bool(not fresh and self._idle and not self._dials)
        )

    def _hand_out(self) -> None:
        while self._waiting and self._idle:
            self._shared.idle -= 1
            self._idle.popitem()[0].run(self._waiting.popitem(last=False)[0])

    async def _dial(self) -> None:
        shared = self._shared
        try:
            found = await self._find()
            self._hand_out()
            has_room = not shared.per_host or self._connections + self._dials <= shared.per_host
            if not has_room or not (self._waiting or self._anew):
                return
            connection = await shared.dialer.connect(found.targets, self._server_name, self._make)
        except OSError as exc:
            if exc.errno in (errno.EMFILE, errno.ENFILE):
                shared.close_idle()
            self._fail(*failure_of(exc, connecting=True))
        except Exception as exc:
            self._fail(Failure.UNREACHABLE, f"a fault of this client ({type(exc).__name__})")
            raise
        else:
            if not connection.closed and self._anew:
                connection.run(self._anew.popitem(last=False)[0])
            elif not connection.closed:
                self.release(connection)
                self._hand_out()

    async def _find(self) -> Found:
        """Ask what the name means now; close what is not connected to that."""
        try:
            found = await self._shared.resolver.resolve(self._host, self._port, self._address)
        except NameFailed as exc:
            if exc.passing:
                self._fresh_until = time.perf_counter() + SILENT_SECONDS  # it is slow to say that it cannot say
                self._hand_out()
            else:
                self.close_idle()
            raise
        except GuardedAddress:
            self.close_idle()
            raise
        self._fresh_until = found.until
        addresses = {each.address for each in found.targets}
        for connection in [each for each in self._idle if each.address not in addresses]:
            connection.close()
        return found

    def _make(self, address: str) -> Connection:
        return Connection(self, address, self._shared.known, self._shared.writes)

    def _fail(self, failure: Failure, detail: str) -> None:
        if self._waiting or self._anew:
            self._next().failed(failure, detail)

    def _dialled(self, dial: Dial, task: asyncio.Task[None]) -> None:
        self._dials -= 1
        self._shared.dials.discard(dial)
        self._shared.deadlines.drop(dial)
        if not task.cancelled() and (exc := task.exception()):
            task.get_loop().call_exception_handler({"message": "outbound: a dial has failed", "exception": exc})
        self._serve()
