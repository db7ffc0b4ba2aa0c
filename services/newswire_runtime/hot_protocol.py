"""HTTP/1.1 connections that answer from `HotAnswers`, and are uvicorn's own for everything else.

A request goes the short way only if its bytes came in one piece, the connection is
between two messages and owes no answer, the peer takes what it is sent, and the table
has an answer for exactly these bytes whose lease runs. Otherwise not one byte is
treated differently: pipelined requests, heads in pieces, HTTP/1.0, ``Connection:
close``, bodies, upgrades and garbage never reach the table, since only a complete
GET or HEAD of HTTP/1.1 that keeps its connection is ever offered to a route to be
kept (as ``scope["newswire.head"]``).

An answer from the table has no ``X-Request-ID`` and no line in the log (the counters
have it): both name one request, and it is the sameness of the requests that is used.
"""

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from newswire_runtime.hot import MOST_HEAD, HotAnswers

HEAD = "newswire.head"
"""Where a request's scope has its bytes, if an answer to them may be kept."""
ABORT = "newswire.abort"
"""An ASGI extension: ``scope["extensions"][ABORT]()`` cuts the connection, whatever the client has not read yet.

A response that just ends waits for a client that does not read, and keeps what waits for it.
"""
_BODY = frozenset({b"content-length", b"transfer-encoding"})


class HotProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, answers: HotAnswers, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers = answers
        self._find = answers.find
        self._peer = ""
        self._begun = 0
        self._ended = 0
        self._heard = 0.0
        self._date_of: list[tuple[bytes, bytes]] | None = None
        self._date = b""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""

    def data_received(self, data: bytes) -> None:
        answer = self._find(data)
        if answer is not None and self._is_free():
            now = self.loop.time()
            if now < answer.lease.until and (answer.admit is None or answer.admit(self._peer)):
                self._write(answer.status, answer.end, answer.body, now)
                return
        whole = self._begun == self._ended
        begun, ended = self._begun, self._ended
        super().data_received(data)
        if whole and (self._begun, self._ended) == (begun + 1, ended + 1) and self._may_be_kept(data):
            # The request's task has not begun: it sees this.
            self.scope[HEAD] = data  # type: ignore[literal-required]  # a key of our own

    def on_message_begin(self) -> None:
        self._begun += 1
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: self.transport.abort}  # type: ignore[dict-item]  # ours holds a function

    def on_message_complete(self) -> None:
        self._ended += 1
        super().on_message_complete()

    def timeout_keep_alive_handler(self) -> None:
        # An answer from the table only notes its time, instead of a new timer for each.
        left = self._heard + self.timeout_keep_alive - self.loop.time()
        if left > 0 and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _is_free(self) -> bool:
        """Return whether the connection is between two messages and owes no answer."""
        return (
            self._begun == self._ended
            and (self.cycle is None or self.cycle.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def _may_be_kept(self, data: bytes) -> bool:
        return (
            len(data) <= MOST_HEAD
            and self.scope["method"] in ("GET", "HEAD")
            and self.cycle.keep_alive
            and not self.expect_100_continue
            and all(name not in _BODY and name != b"upgrade" for name, _ in self.headers)
        )

    def _write(self, status: int, end: bytes, body: bytes, now: float) -> None:
        headers = self.server_state.default_headers
        if headers is not self._date_of:
            self._date_of = headers  # uvicorn puts a new list there each second
            self._date = b"".join([name + b": " + value + b"\r\n" for name, value in headers])
        if body:
            self.transport.writelines((STATUS_LINE[status] + self._date + end, body))
        else:
            self.transport.write(STATUS_LINE[status] + self._date + end)
        self.server_state.total_requests += 1
        self._answers.count(status)
        self._heard = now
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )


def hot_protocol(answers: HotAnswers) -> type[HotProtocol]:
    """Return the class of connections that answer from this table, as uvicorn wants one (``Config(http=…)``)."""

    class _Bound(HotProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(answers, *args, **kwargs)

    return _Bound
