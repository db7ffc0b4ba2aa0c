"""The calls that a callback gets, as bytes; and what an answer to one means. Pure decisions."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlencode

from newswire_publisher.hub.model import Call, Subscription
from newswire_publisher.hub.topics import link_header
from newswire_runtime.outcome import Outcome
from newswire_runtime.retry_after import retry_after_ms

FIRST_DELAY, LONGEST_DELAY = 2_000, 3_600_000
"""Milliseconds between attempts to deliver: doubled each time, up to an hour."""
CHECK_DELAYS = (5_000, 60_000, 600_000)
"""Milliseconds between attempts to reach a callback that is to confirm a request."""
JITTER = 0.25


@dataclass(frozen=True, slots=True)
class Settled:
    """What follows an attempt: ``outcome`` for logs and metrics, and for ``retry`` the milliseconds to wait."""

    outcome: str
    delay: int = 0


def question(call: Call, challenge: str) -> str:
    """Return the address of the GET that asks for, or denies; the callback's own query stays (section 5.1.1)."""
    fields = {"hub.mode": call.mode, "hub.topic": call.topic}
    if call.mode == "denied":
        fields["hub.reason"] = call.reason or ""
    else:
        fields |= {"hub.challenge": challenge}
        if call.mode == "subscribe":
            fields |= {"hub.lease_seconds": str(call.subscription.lease)}
    address = call.subscription.callback.partition("#")[0]
    return f"{address}{'&' if '?' in address else '?'}{urlencode(fields)}"


def answered(call: Call, challenge: str, outcome: Outcome, attempts: int, random: float) -> Settled:
    """Decide what a callback's answer means (section 5.3).

    A 2xx with the challenge confirms. Any other answer refuses, except those that say "not now" (429 and 5xx):
    they, and no answer at all, are asked again a few times.

    Args:
        attempts: How many there were, this one included.
        random: From [0, 1).
    """
    if call.mode == "denied" and outcome.status is not None:
        return Settled("told")
    if outcome.ok:
        echoed = not outcome.truncated and hmac.compare_digest(outcome.excerpt, challenge.encode())
        return Settled("confirmed" if echoed else "refused")
    if outcome.status is not None and outcome.status != 429 and outcome.status < 500:
        return Settled("refused")
    if attempts > len(CHECK_DELAYS):
        return Settled("unreachable")
    return Settled("retry", _spread(CHECK_DELAYS[attempts - 1], random))


def delivery_headers(subscription: Subscription, body: bytes, media_type: str) -> dict[str, str]:
    """Return the headers of a delivery (sections 7 and 8)."""
    topic = subscription.topic
    headers = {"Content-Type": media_type, "Link": link_header(topic.base_url, topic.url)}
    if subscription.secret is not None:
        headers["X-Hub-Signature"] = f"sha256={hmac.digest(subscription.secret.encode(), body, 'sha256').hex()}"
    return headers


def delivered(outcome: Outcome, attempts: int, random: float) -> Settled:
    """Decide what follows a delivery: any 2xx took it, 410 ends the subscription, all else is tried again."""
    if outcome.ok:
        return Settled("delivered")
    if outcome.status == 410:
        return Settled("gone")
    delay = _spread(min(FIRST_DELAY << min(attempts - 1, 20), LONGEST_DELAY), random)
    if outcome.status in {429, 503} and outcome.retry_after is not None:
        now_ms = outcome.started_at_ms + int(outcome.duration_ms)
        delay = max(delay, min(retry_after_ms(outcome.retry_after, now_ms) or 0, LONGEST_DELAY))
    return Settled("retry", delay)


def _spread(delay: int, random: float) -> int:
    return delay + int(delay * JITTER * random)
