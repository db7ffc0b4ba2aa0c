"""Which webhooks a list has, and in what order; pure.

    webhooks ─asked for─▶ by what they are: owner, status, words ─▶ (by health) ─▶ in order, after the cursor

By age the order never changes, so that pages stay what they are. By health it is that of the moment: one whose
health changes between two pages may come twice, or not at all.
"""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from newswire_publisher.webhooks.model import Status, Webhook
from newswire_publisher.webhooks.overview import Condition, condition_of
from newswire_publisher.webhooks.standings import Standing
from newswire_runtime.problems import Problem
from newswire_runtime.strict_json import read_json

Row = tuple[Webhook, Standing]
Place = list[str | int]
T = TypeVar("T")

_RANKS = {condition: rank for rank, condition in enumerate(Condition)}
_NEVER = 2**53
"""A moment after all others, in ms."""


class Wanted(BaseModel):
    """Which webhooks are counted or listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: str | None = Field(None, max_length=200, description="Words in the address, description, owner or id; any case.")
    owner: str | None = Field(None, description="Only those of this token's name.")
    status: Status | None = None

    def takes(self, hook: Webhook) -> bool:
        """Return whether it is one of them by its settings."""
        return self.owner in (None, hook.owner) and self.status in (None, hook.status) and self._has_words(hook)

    def _has_words(self, hook: Webhook) -> bool:
        if not self.q:
            return True
        text = " ".join((hook.url or "", hook.description or "", hook.owner, hook.id)).casefold()
        return all(word in text for word in self.q.casefold().split())


class Asked(Wanted):
    """What a list is to have."""

    health: Condition | None = None
    order: Literal["created", "health"] = Field("created", description="The oldest first, or the worst first.")
    cursor: str | None = None
    limit: int = Field(100, ge=1, le=500)

    @property
    def needs_health(self) -> bool:
        """Whether it takes all webhooks' health to tell which are on a page."""
        return self.order == "health" or self.health is not None


def by_age(hook: Webhook) -> Place:
    """Return a webhook's place among others, the oldest first."""
    return [hook.created.isoformat(), hook.id]


def worst_first(row: Row) -> Place:
    """Return a webhook's place: by health, the longest failing first, then by how much waits, then by age."""
    hook, standing = row
    counts = standing.counts
    since = counts.failing_since_ms or _NEVER
    return [_RANKS[condition_of(hook, standing)], since, -counts.waiting, *by_age(hook)]


def take_page(found: Iterable[T], place_of: Callable[[T], Place], asked: Asked) -> tuple[list[T], str | None]:
    """Return what comes after the cursor, and the cursor to go on with, None at the end."""
    placed = sorted(((place_of(each), each) for each in found), key=lambda pair: pair[0])
    if asked.cursor is not None:
        after = read_cursor(asked.cursor, asked.order)
        placed = [pair for pair in placed if pair[0] > after]
    page = placed[: asked.limit]
    return [each for _, each in page], write_cursor(page[-1][0]) if len(placed) > asked.limit else None


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Return how many there are, by health (all words of `Condition`) and owner, and how much waits."""
    conditions = [condition_of(hook, standing) for hook, standing in rows]
    owners = [hook.owner for hook, _ in rows]
    return {
        "total": len(rows),
        "health": {condition.value: conditions.count(condition) for condition in Condition},
        "owners": {owner: owners.count(owner) for owner in sorted(set(owners))},
        "waiting": sum(standing.counts.waiting for _, standing in rows),
        "in_flight": sum(standing.counts.in_flight for _, standing in rows),
    }


def write_cursor(place: Place) -> str:
    """Return a place as text."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(text: str, order: str) -> Place:
    """Return the place; raise a 422 problem if it is none of this order."""
    like: Place = ["", ""] if order == "created" else [0, 0, 0, "", ""]
    try:
        place = read_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        place = None
    if not isinstance(place, list) or [type(each) for each in place] != [type(each) for each in like]:
        raise Problem(422, "unknown-cursor", "the cursor is not one of ours, or of another order; start without it")
    return place
