"""An independent check of deliveries: the log, the attempts and the receiver's book must tell one story.

It knows the promises and nothing of how they are kept. `discrepancies` returns
sentences, so that a failing test shows what happened to which entry.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from support.book import Seen, most_at_once

FINAL = frozenset({"delivered", "exhausted", "gone", "superseded", "expired", "cancelled"})
CLOCK = 0.02
"""Seconds by which the receiver may see a shorter gap: the sender counts from when the answer has come."""
ROUNDING = 0.002
"""Seconds by which the log's moments and durations are rounded."""
ENDED_BY_THE_SENDER = frozenset({"hang", "drip-head"})
"""Faults that last until the sender hangs up; when it did, a busy receiver sees late, and the log has to tell."""
Row = dict[str, Any]


def discrepancies(
    events: Sequence[Row],
    attempts: Iterable[Row],
    seen: Iterable[Seen],
    retry: Sequence[float],
    *,
    killed: bool = False,
) -> list[str]:
    """Say what is wrong with one endpoint's deliveries, all of which have ended.

    Args:
        events: Its log, whole.
        attempts: Its attempts, oldest first.
        seen: What the receiver got for it, in the order of arrival.
        retry: Its schedule in seconds.
        killed: Whether workers were killed meanwhile: then a request may lack its attempt, and be repeated.
    """
    requests, rows = defaultdict(list), defaultdict(list)
    for each in seen:
        requests[each.sequence].append(each)
    for row in attempts:
        rows[row["sequence"]].append(row)
    wrong = list(_log(events, requests))
    for event in events:
        number = event["sequence"]
        told = _entry(event, rows[number], requests[number], retry, killed=killed)
        wrong += [f"entry {number}: {fault}" for fault in told]
    return wrong + list(backwards(each for sent in requests.values() for each in sent))


def backwards(seen: Iterable[Seen]) -> Iterator[str]:
    """Yield where an article's version came after a newer one had come."""
    newest: dict[str, int] = {}
    for each in sorted(seen, key=lambda each: each.at):
        if each.version < newest.get(each.uri, 0):
            yield f"{each.uri}: version {each.version} came after {newest[each.uri]}"
        newest[each.uri] = max(each.version, newest.get(each.uri, 0))


def _log(events: Sequence[Row], requests: dict[int, list[Seen]]) -> Iterator[str]:
    numbers = [event["sequence"] for event in events]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"the log has gaps or repeats: {numbers}"
    if strange := set(requests) - set(numbers):
        yield f"sequences were sent that are not in the log: {sorted(strange)}"


def _entry(
    event: Row, rows: Sequence[Row], sent: Sequence[Seen], retry: Sequence[float], *, killed: bool
) -> Iterator[str]:
    outcomes = [row["outcome"] for row in rows]
    ends = [outcome for outcome in outcomes if outcome in FINAL]
    if len(ends) != 1 and not (killed and len(set(ends)) == 1):
        yield f"has not one end but {outcomes}, and {len(sent)} requests"
    yield from _bytes(event, sent)
    took = [number for number, each in enumerate(sent) if each.took]
    if "delivered" in ends and not took:
        yield "is delivered, and the receiver never took it"
    if took and "delivered" not in ends and not (killed and "superseded" in ends):
        yield f"was taken by the receiver, and is {outcomes}"
    if "exhausted" in ends and len(sent) < len(retry) + 1:
        yield f"is exhausted after {len(sent)} requests; the schedule has {len(retry) + 1}"
    if not killed:
        yield from _undisturbed(rows, sent, took, retry)


def _bytes(event: Row, sent: Sequence[Seen]) -> Iterator[str]:
    if any(each.verified != [0] for each in sent):
        yield "a signature does not verify"
    if len({each.id for each in sent}) > 1:
        yield f"went out under several ids: {sorted({each.id for each in sent})}"
    expected = hashlib.sha256(event["payload"].encode()).hexdigest()
    if any(each.digest != expected for each in sent):
        yield "the bytes that were pushed are not those in the log"
    if most_at_once(sent) > 1:
        yield f"was on its way {most_at_once(sent)} times at once"


def _undisturbed(
    rows: Sequence[Row], sent: Sequence[Seen], took: Sequence[int], retry: Sequence[float]
) -> Iterator[str]:
    """Yield what may only be otherwise when a worker was killed."""
    made = [row for row in rows if row.get("status") or row.get("error")]
    again = sum(each.hung_up for each in sent)
    if not len(sent) - again <= len(made) <= len(sent):
        yield f"has {len(made)} attempts, and the receiver got {len(sent)}"
    if took and took[0] != len(sent) - 1:
        yield "was sent again after the receiver had taken it"
    if len(sent) - again > len(retry) + 1:
        yield f"was sent {len(sent)} times; the schedule has {len(retry) + 1}"
    yield from _too_soon(made, retry)
    attempt = 0
    for before, after in pairwise(sent):
        if before.hung_up or not retry:
            continue
        delay, attempt = retry[min(attempt, len(retry) - 1)], attempt + 1
        if before.answer.get("fault") in ENDED_BY_THE_SENDER:
            continue
        if after.at - before.ended < delay - CLOCK:
            gap = after.at - before.ended
            yield f"came again {gap:.3f} s after {before.answer}; the schedule says {delay:g}"


def _too_soon(made: Sequence[Row], retry: Sequence[float]) -> Iterator[str]:
    """Yield where by the log an attempt began before the schedule says."""
    for delay, (before, after) in zip(retry, pairwise(made), strict=False):
        began, again = datetime.fromisoformat(before["at"]), datetime.fromisoformat(after["at"])
        gap = (again - began).total_seconds() - before["ms"] / 1_000
        if gap < delay - ROUNDING:
            yield f"by the log began again {gap:.3f} s after an attempt; the schedule says {delay:g}"
