"""What goes into the queue of a subscription, and what comes out of it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["live", "kill", "replay"]
What = Literal["delivered", "retry", "exhausted", "gone"]


@dataclass(frozen=True, slots=True)
class Appending:
    """One entry for one subscription.

    ``how``: ``push``, ``keep`` (in the log alone) or ``skip`` (a version that the subscription
    does not want to hear of, but that is newer than those it has). ``key``: '-' for a notice.
    ``entry`` from `log.entry_of`.
    """

    hook_id: str
    how: Literal["push", "keep", "skip"]
    key: str
    rank: str
    retracts: bool
    lane: int
    entry: str


class Leased(NamedTuple):
    """A push that this process may make now. ``attempt`` counts from 1.

    ``revision``: of the settings that the queue knows; it must not be made by older ones.
    """

    hook_id: str
    sequence: int
    attempt: int
    kind: Kind
    lease: str
    entry: str
    revision: int = 0


class Settlement(NamedTuple):
    """What came of a push.

    ``circuit_ms``: how long the circuit stays open at first, if this failure is one too many;
    0 where the failure says nothing of the endpoint. ``is_alarming``: people are to be told of it.
    ``record``: what the log of attempts keeps, one line; of a failure, JSON.
    """

    hook_id: str
    sequence: int
    key: str
    lease: str
    what: What
    record: str
    retry_at_ms: int = 0
    pause_until_ms: int = 0
    circuit_ms: int = 0
    revision: int = 0
    is_alarming: bool = False


class Proof(NamedTuple):
    """Of what a subscription has taken, after its deletion: whose it was, and for how many seconds that is kept."""

    whose: dict[str, str | None]
    seconds: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How a subscription stands. Times in milliseconds since the epoch."""

    waiting: int
    in_flight: int
    last_sequence: int
    paused_until_ms: int | None = None
    failing_since_ms: int | None = None
    circuit: Literal["closed", "open", "half-open"] = "closed"
    given_up: int = 0
