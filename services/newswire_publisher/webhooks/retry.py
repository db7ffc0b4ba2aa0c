"""When a delivery is tried again: a pure decision.

    2xx                     delivered
    410                     gone: the endpoint is disabled
    anything else           the next delay of the schedule, or exhausted at its end
    429 or 503 with
    Retry-After             not before that moment, and nothing else to this endpoint either

A kill is tried until it is taken, whatever the endpoint's schedule and Retry-After say: soon at
first, then every ten minutes; and people are told of it at the 3rd, 6th, 12th, … failure.

A redirect is a failure, because deliveries follow none. Jitter only adds, so
that no attempt comes before the schedule says and those of one outage spread.
"""

from dataclasses import dataclass

from newswire_runtime.outcome import Outcome
from newswire_runtime.retry_after import retry_after_ms

_SECOND, _MINUTE, _HOUR = 1_000, 60_000, 3_600_000

DEFAULT_SCHEDULE = (
    5 * _SECOND,
    5 * _MINUTE,
    30 * _MINUTE,
    *(hours * _HOUR for hours in (2, 5, 10, 14, 20, 24)),
)
"""Milliseconds before the second attempt, the third, and so on (Standard Webhooks, "Deliverability")."""

KILL_SCHEDULE = tuple(seconds * _SECOND for seconds in (5, 15, 30, 60, 120, 300, 600))
"""Milliseconds before the further attempts of a kill; the last one for ever."""
FIRST_ALARM = 3

MAX_ATTEMPTS = 50
MAX_DELAY = 7 * 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Policy:
    """An endpoint's delays in milliseconds, and the share of a delay that jitter may add."""

    schedule: tuple[int, ...] = DEFAULT_SCHEDULE
    jitter: float = 0.1

    @classmethod
    def from_seconds(cls, seconds: list[float] | tuple[float, ...] | None) -> "Policy":
        """Read an endpoint's own ``retry`` list; None means the default, an empty list no second attempt.

        Raises:
            ValueError: more than 49 delays, a negative one, or one of more than 7 days.
        """
        if seconds is None:
            return cls()
        if len(seconds) >= MAX_ATTEMPTS:
            raise ValueError(f"retry: has {len(seconds)} delays; give at most {MAX_ATTEMPTS - 1}")
        if not all(0 <= delay * _SECOND <= MAX_DELAY for delay in seconds):
            raise ValueError("retry: each delay is a number of seconds from 0 to 604800 (7 days)")
        return cls(tuple(round(delay * _SECOND) for delay in seconds))


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The receiver wants nothing any more (410): disable the endpoint."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Try again at ``at_ms``. With ``pause_until_ms`` send nothing to the endpoint before it."""

    at_ms: int
    pause_until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Exhausted:
    """That was the last attempt. ``pause_until_ms`` holds for the endpoint's other messages."""

    pause_until_ms: int | None = None


Decision = Delivered | Gone | Retry | Exhausted


def next_attempt(attempts_made: int, outcome: Outcome, now_ms: int, policy: Policy, random: float) -> Decision:
    """Decide what follows an attempt.

    Args:
        attempts_made: How many there were, this one included: 1 after the first.
        outcome: What became of this one.
        now_ms: When it ended, in milliseconds since the epoch.
        policy: The endpoint's.
        random: From [0, 1).
    """
    if outcome.ok:
        return Delivered()
    if outcome.status == 410:
        return Gone()
    pause = _pause_until(outcome, now_ms)
    if attempts_made > len(policy.schedule):
        return Exhausted(pause)
    delay = policy.schedule[attempts_made - 1]
    at = now_ms + delay + int(delay * policy.jitter * random)
    return Retry(max(at, pause or 0), pause)


def next_attempt_of_kill(attempts_made: int, outcome: Outcome, now_ms: int, random: float) -> Decision:
    """Decide what follows an attempt to deliver a kill; the arguments are those of `next_attempt`."""
    if outcome.ok:
        return Delivered()
    if outcome.status == 410:
        return Gone()
    delay = KILL_SCHEDULE[min(attempts_made, len(KILL_SCHEDULE)) - 1]
    return Retry(now_ms + delay + int(delay * Policy().jitter * random), _pause_until(outcome, now_ms))


def is_alarming(attempts_made: int) -> bool:
    """Return whether people are to be told that a kill failed this often: 3, 6, 12, 24, … times."""
    doublings, rest = divmod(attempts_made, FIRST_ALARM)
    return rest == 0 and doublings.bit_count() == 1


def _pause_until(outcome: Outcome, now_ms: int) -> int | None:
    if outcome.status not in {429, 503} or outcome.retry_after is None:
        return None
    wait = retry_after_ms(outcome.retry_after, now_ms)
    return now_ms + wait if wait else None
