"""What an owner sees of a webhook: its settings, its health in a word, its counts, its last push."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from newswire_publisher.webhooks.model import Status, Webhook
from newswire_publisher.webhooks.pushes import Counts
from newswire_publisher.webhooks.standings import Standing, Standings
from newswire_publisher.webhooks.unsigned import Unsigned
from newswire_schemas.article import from_ms, to_iso

_LAST = ("id", "sequence", "at", "outcome", "status", "error")
_FEW = 10


class Condition(StrEnum):
    """A webhook's health in a word, the worst first."""

    UNSIGNED = "unsigned"
    """No key of this server opens its secret, so that its pushes wait; ``unsigned`` says why."""
    FAILING = "failing"
    """Its pushes have failed since ``failing_since``, or its circuit is open."""
    DISABLED = "disabled"
    RETRYING = "retrying"
    """Its last push came to nothing, and others went well before."""
    PAUSED = "paused"
    """It asked for nothing before ``paused_until``."""
    PENDING = "pending"
    """Its address has not echoed the challenge yet."""
    OK = "ok"
    QUIET = "quiet"
    """Nothing has come for it yet."""
    PULL = "pull"
    """It has no address: its owner fetches the log."""


class HookOverview:
    """Shows webhooks with their health, many in one round trip."""

    def __init__(self, standings: Standings, unsigned: Unsigned) -> None:
        self._standings = standings
        self._unsigned = unsigned

    async def standings(self, hooks: Sequence[Webhook]) -> list[Standing]:
        """Return how each webhook stands."""
        found = await self._standings.of([hook.id for hook in hooks])
        # To try to sign for each costs 0.1 ms; of many, those that cannot be signed are known.
        doubtful = {hook.id for hook in hooks} if len(hooks) <= _FEW else set(await self._unsigned.ids())
        return [
            standing._replace(unsigned=self._unsigned.why(hook)) if hook.id in doubtful else standing
            for hook, standing in zip(hooks, found, strict=True)
        ]

    async def shown(self, hooks: Sequence[Webhook]) -> list[dict[str, Any]]:
        """Return the webhooks as JSON, each with its health."""
        standings = await self.standings(hooks)
        return [shown_of(hook, standing) for hook, standing in zip(hooks, standings, strict=True)]


def shown_of(hook: Webhook, standing: Standing) -> dict[str, Any]:
    """Return a webhook as JSON: its settings, and its health."""
    return hook.shown() | health_of(hook, standing)


def condition_of(hook: Webhook, standing: Standing) -> Condition:
    """Return a webhook's health in a word; of several that are true, the one that its owner should see."""
    if hook.status is not Status.ENABLED:
        return Condition(hook.status.value)
    if not hook.pushes:
        return Condition.PULL
    counts, last, unsigned = standing[:3]
    if unsigned:
        return Condition.UNSIGNED
    if counts.failing_since_ms or counts.circuit != "closed":
        return Condition.FAILING
    if counts.paused_until_ms:
        return Condition.PAUSED
    if last is not None and last["outcome"] in ("retry", "exhausted"):
        return Condition.RETRYING
    return Condition.OK if last is not None or counts.last_sequence else Condition.QUIET


def health_of(hook: Webhook, standing: Standing) -> dict[str, Any]:
    """Return ``health`` in a word, the counts, and the moments (ISO 8601, UTC) of those that there are."""
    counts, last, unsigned, probe_ms, replaying = standing
    found = {
        "health": condition_of(hook, standing).value,
        "waiting": counts.waiting,
        "in_flight": counts.in_flight,
        "replaying": replaying,
        "last_sequence": counts.last_sequence,
        "given_up": counts.given_up,
        "circuit": counts.circuit,
        **_moments(counts, probe_ms),
        **({"unsigned": unsigned} if unsigned else {}),
    }
    return found if last is None else found | {"last_attempt": _last(last)}


def waits_for(hook: Webhook, counts: Counts) -> str | None:
    """Return what holds back all that is to go to a webhook: its status, a pause or its circuit; None for nothing."""
    if hook.status is not Status.ENABLED:
        return hook.status.value
    if counts.paused_until_ms:
        return "paused"
    return None if counts.circuit == "closed" else "circuit"


def _moments(counts: Counts, probe_ms: int | None) -> dict[str, str]:
    found = (
        ("failing_since", counts.failing_since_ms),
        ("paused_until", counts.paused_until_ms),
        ("next_probe", probe_ms),
    )
    return {name: to_iso(from_ms(ms)) for name, ms in found if ms}


def _last(attempt: Mapping[str, Any]) -> dict[str, Any]:
    told = {**attempt, "at": to_iso(from_ms(attempt["at_ms"]))}
    return {name: told[name] for name in _LAST if told.get(name) is not None}
