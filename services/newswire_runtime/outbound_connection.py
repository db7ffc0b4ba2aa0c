"""One HTTP/1.1 connection: a request out, its answer in, then the next.

    run(call) ─▶ Writes ─▶ bytes out …… bytes in ─▶ AnswerReader ─▶ owner.release / owner.gone ─▶ call.answered

- the peer ends the connection: what has come counts if it has a status. If nothing has
  come, and the connection had served before, it may have been closed while it lay idle: within
  `REPEAT_SECONDS` the owner makes the call again, once. Otherwise it is a reset: whoever reads a request
  and then closes must not get it again and again.
- it speaks when it was not asked: the connection is closed, and a call whose request was not written yet
  is made again. It answers before the request is whole on its way: the answer stands, and the connection is closed.
- most answers of a peer are the same bytes: a short one that came whole and alone is
  looked up among those that were read before, and is not parsed again.

Closing is always at once (abort): a peer that reads nothing must not hold what is over.
"""

import asyncio
import ssl
import time
from typing import Protocol, cast

from newswire_runtime.outbound_answers import Answer, AnswerReader, BrokenAnswer
from newswire_runtime.outbound_calls import Call
from newswire_runtime.outbound_failures import failure_of
from newswire_runtime.outbound_writes import Writes
from newswire_runtime.outcome import Failure

BODY_SECONDS = 5.0
"""How long the body may take after the status, within the deadline."""
REPEAT_SECONDS = 1.0
"""How long after its request a kept connection may turn out to be closed: a way there and back."""
KNOWN_ANSWERS = 64
KNOWN_BYTES = 1024


class Owner(Protocol):
    """Who decides what a connection does next."""

    def opened(self, connection: "Connection") -> None:
        """Its socket is connected, and its TLS stands."""

    def release(self, connection: "Connection") -> None:
        """It can take another call."""

    def gone(self, connection: "Connection") -> None:
        """It takes no more calls."""

    def lost(self, connection: "Connection") -> None:
        """Its socket is closed."""

    def again(self, call: Call) -> None:
        """Make a call again that a kept connection has not carried."""


class KnownAnswers:
    """Answers by their bytes, so that the same ones are not parsed twice. Small, and emptied when full."""

    def __init__(self) -> None:
        self._answers: dict[bytes, Answer] = {}
        self.get = self._answers.get

    def add(self, data: bytes, answer: Answer) -> None:
        if len(data) <= KNOWN_BYTES:
            if len(self._answers) >= KNOWN_ANSWERS:
                self._answers.clear()
            self._answers[data] = answer


class Connection(asyncio.Protocol):
    """A connection to the peer at ``address``; belongs to ``owner``, and runs one call at a time."""

    __slots__ = (
        "_asked",
        "_asked_at",
        "_call",
        "_known",
        "_owner",
        "_reader",
        "_served",
        "_transport",
        "_writes",
        "address",
        "closed",
        "idle_since",
    )

    def __init__(self, owner: Owner, address: str, known: KnownAnswers, writes: Writes) -> None:
        self.address = address
        self.closed = False
        self.idle_since = 0.0
        self._owner = owner
        self._known = known
        self._writes = writes
        self._transport: asyncio.Transport | None = None
        self._call: Call | None = None
        self._reader: AnswerReader | None = None
        self._asked = self._served = False
        self._asked_at = 0.0

    def run(self, call: Call) -> None:
        """Send a call's request soon; it is told its outcome when that is known."""
        self._call = call
        self._asked = False
        call.holder = self
        self._writes.add(self, call)

    def write(self, call: Call) -> None:
        """Write a call's request, if it still runs here."""
        if self._call is call and self._transport is not None:
            self._asked, self._asked_at = True, time.perf_counter()
            self._transport.writelines(call.payload)

    def leave(self, call: Call) -> Answer | None:
        """Let go of a call that ends early. Its answer would come some time, so the connection ends."""
        if self._call is not call:
            return None
        self._call = None
        answer = self._reader.end() if self._reader else None
        self.close()
        return answer

    def close(self) -> None:
        """End it at once; a call that runs on it fails."""
        call = self._drop()
        if call is not None:
            call.failed(Failure.RESET, "the client was closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are, and don't say so by their class
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        call = self._call
        if call is None or not self._asked:
            self._unasked()
            return
        if self._reader is None:
            answer = self._known.get(data)
            if answer is not None:
                self._answered(call, answer)
                return
            self._reader = AnswerReader()
            first = True
        else:
            first = False
        had_status = self._reader.status
        try:
            answer = self._reader.feed(data)
        except BrokenAnswer as exc:
            self._drop()
            call.failed(Failure.PROTOCOL, str(exc))
            return
        if answer is not None:
            if first and answer.reusable:
                self._known.add(data, answer)
            self._answered(call, answer)
        elif self._reader.status and not had_status:
            call.hurry(BODY_SECONDS)

    def eof_received(self) -> None:
        self._ended(None)  # nobody answers who has said that nothing more comes

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)
        self._transport = None
        self._owner.lost(self)

    def _unasked(self) -> None:
        served, call = self._served, self._drop()
        if call is None:
            return
        if served:
            self._owner.again(call)
        else:
            call.failed(Failure.PROTOCOL, "the peer spoke before it was asked")

    def _answered(self, call: Call, answer: Answer) -> None:
        if not answer.reusable or self._transport is None or self._transport.get_write_buffer_size():
            self._drop()
        else:
            self._call = self._reader = None
            self._served = True
            self._owner.release(self)
        call.answered(answer)

    def _ended(self, exc: Exception | None) -> None:
        reader, served = self._reader, self._served
        call = self._drop()
        if call is None:
            return
        if reader is not None:
            answer = reader.end(by_peer=exc is None)
            if answer is not None:
                call.answered(answer)
                return
        elif served and self._may_repeat(call):
            self._owner.again(call)
            return
        if isinstance(exc, ssl.SSLError | OSError):
            call.failed(*failure_of(exc))
        else:
            call.failed(Failure.RESET, "the connection was closed without an answer")

    def _may_repeat(self, call: Call) -> bool:
        if not self._asked:
            return True
        is_first, call.repeated = not call.repeated, True
        return is_first and time.perf_counter() - self._asked_at < REPEAT_SECONDS

    def _drop(self) -> Call | None:
        """Close it; return the call that it carried, which has to be told."""
        call, self._call, self._reader = self._call, None, None
        if not self.closed and self._transport is not None:
            self.closed = True
            self._transport.abort()
            self._owner.gone(self)
        return call
