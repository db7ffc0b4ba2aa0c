"""One call on its way: who waits for it, until when, and who holds it now.

    Call ─ waits in an Origin ─▶ runs on a Connection ─▶ done(Outcome), once

A call ends once: by its answer, by a failure, by its deadline, or cancelled (then
nobody is told). Whoever ends it early asks the holder to let go of it first; a
connection then tells what has come of the answer, so that a status that was said
in time counts although its body was late.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from newswire_runtime.outbound_answers import Answer
from newswire_runtime.outbound_deadlines import Deadlines
from newswire_runtime.outcome import Failure, Outcome

Done = Callable[[Outcome], None]


class Holder(Protocol):
    """Where a call waits or runs."""

    def leave(self, call: "Call") -> Answer | None:
        """Let go of a call that ends early; return what has come of its answer."""


class Call:
    """One call. ``payload`` is the whole request in parts; ``seconds`` is its deadline as the caller gave it."""

    __slots__ = (
        "_deadlines",
        "_done",
        "_seconds",
        "_started",
        "_started_at_ms",
        "deadline_at",
        "holder",
        "over",
        "payload",
        "repeated",
    )

    def __init__(
        self, payload: Sequence[bytes], seconds: float, started_at_ms: int, done: Done, deadlines: Deadlines
    ) -> None:
        self.payload = payload
        self.holder: Holder | None = None
        self.over = self.repeated = False
        self._started = time.perf_counter()
        self.deadline_at = self._started + seconds
        self._seconds = seconds
        self._started_at_ms = started_at_ms
        self._done = done
        self._deadlines = deadlines
        deadlines.add(self)

    @property
    def started(self) -> float:
        """When it began, by `time.perf_counter`."""
        return self._started

    def hurry(self, seconds: float) -> None:
        """Let the rest take so long at most."""
        at = time.perf_counter() + seconds
        if at < self.deadline_at:
            self.deadline_at = at
            self._deadlines.add(self)

    def answered(self, answer: Answer) -> None:
        status, retry_after, content_type, excerpt, truncated, _, headers = answer
        self._end(
            Outcome(
                self._started_at_ms,
                (time.perf_counter() - self._started) * 1000,
                status,
                None,
                "",
                retry_after,
                content_type,
                excerpt,
                truncated,
                headers,
            )
        )

    def failed(self, failure: Failure, detail: str) -> None:
        self._end(Outcome(self._started_at_ms, (time.perf_counter() - self._started) * 1000, None, failure, detail))

    def expire(self) -> None:
        """End it at its deadline: with its status, if that was said."""
        answer = self.holder.leave(self) if self.holder else None
        if answer is None:
            self.failed(Failure.TIMEOUT, f"no answer within {self._seconds:g} s")
        else:
            self.answered(answer)

    def cancel(self) -> None:
        """End it without a word to anybody. Its request may have gone out."""
        if not self.over:
            self.over = True
            self._deadlines.drop(self)
            if self.holder:
                self.holder.leave(self)

    def _end(self, outcome: Outcome) -> None:
        if self.over:
            return
        self.over = True
        self.holder = None
        self._deadlines.drop(self)
        try:
            self._done(outcome)
        except Exception as exc:  # the caller's fault must not stop the connection, or the sweep, that is telling it
            asyncio.get_running_loop().call_exception_handler(
                {"message": "outbound: what a call told its outcome has failed", "exception": exc}
            )
