"""What is of note in what came of attempts: written by the settling (notes.lua), followed up by `Health`.

    settle.lua ─▶ hook:{p}:notes ─▶ group of the workers ─▶ Health ─▶ acknowledged and deleted

Nothing is noted of an attempt that came out as usual, nor of one more failure.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from newswire_publisher.webhooks.log import Entry, read_entry


class Note(BaseModel):
    """One thing to be followed up. A reader ignores fields that it does not know.

    opened      the circuit, for the first time: ten entries failed at their first attempt, or nothing else for an hour
    recovered   after that the endpoint took something
    exhausted   the schedule has ended for an entry
    untaken     a kill was tried in vain for the 3rd, 6th, 12th … time
    gone        410; once for a revision of the settings
    hopeless    nothing but failures for longer than we have patience; once for a revision, too
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["opened", "recovered", "exhausted", "untaken", "gone", "hopeless"]
    webhook: str
    at_ms: int
    since_ms: int = 0
    """Since when it does nothing but fail; when it recovered, since when it did."""
    revision: int = 0
    """Of the settings by which the last attempt was made."""
    sequence: int = 0
    attempts: int = 0
    entry: str | None = None
    """As the log keeps it; None if it keeps it no more."""
    cause: dict[str, Any] = {}
    """Status, error and detail of the failure."""

    @property
    def about(self) -> Entry | None:
        return None if self.entry is None else read_entry(self.sequence, self.entry)
