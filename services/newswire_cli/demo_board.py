"""What the demo shows: one row a story, and where it has arrived. State and text only; nobody is called.

On a terminal `table` is drawn anew; elsewhere each arrival is one line of `line`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

EARLIER = "already delivered earlier"
WIDTH = 58


@dataclass
class Row:
    """A story on its way. Times are monotonic seconds; ``arrived`` has, for each channel, ms since it could go out."""

    headline: str
    language: str = ""
    act: str = ""
    uri: str = ""
    key: str = ""
    version: int = 0
    sent: float = 0.0
    due: float = 0.0
    """When its embargo ends; 0 without one."""
    arrived: dict[str, int] = field(default_factory=dict)
    note: str = ""

    def arrive(self, channel: str, now: float) -> bool:
        """Note an arrival; return whether it is the first in this channel."""
        if channel in self.arrived:
            return False
        self.arrived[channel] = max(0, round((now - max(self.sent, self.due)) * 1000))
        return True

    def is_settled(self, channels: Sequence[str]) -> bool:
        return bool(self.note) or all(channel in self.arrived for channel in channels)


@dataclass
class Board:
    """All rows, and the channels that each of them is expected in."""

    rows: list[Row]
    channels: Sequence[str]

    def find(self, uri: str, version: int) -> Row | None:
        return next((row for row in self.rows if (row.uri, row.version) == (uri, version)), None)

    def open_rows(self) -> list[Row]:
        return [row for row in self.rows if not row.is_settled(self.channels)]

    def summary(self) -> str:
        """Return the one line that says how it went."""
        whole, earlier = len(self.rows), sum(row.note == EARLIER for row in self.rows)
        there = sum(row.note in ("", EARLIER) and row.is_settled(self.channels) for row in self.rows)
        tail = f" ({earlier} of them earlier)" if earlier else ""
        return f"{there} of {whole} stories arrived in {_and(self.channels)}{tail}"

    def table(self, now: float) -> Table:
        """Draw the board."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("story", max_width=WIDTH, no_wrap=True, overflow="ellipsis")
        for name in ("lang", "act", *self.channels):
            table.add_column(name, no_wrap=True)
        for row in self.rows:
            cells = [self._cell(row, channel, now) for channel in self.channels]
            table.add_row(row.headline, row.language, row.act, *cells)
        return table

    def _cell(self, row: Row, channel: str, now: float) -> str:
        if channel in row.arrived:
            return f"[green]✓[/] {row.arrived[channel]} ms"
        if row.note:
            return f"[dim]{row.note}[/]" if channel == self.channels[0] else ""
        if row.due > now:
            return f"[yellow]embargo, {row.due - now:.0f} s[/]" if channel == self.channels[0] else ""
        return "…" if row.sent else ""


def line(row: Row, channel: str) -> str:
    """Return an arrival as one line."""
    after = " after the embargo's end" if row.due else ""
    return (
        f"{channel:8} {row.act:10} {row.language or '-':5} {row.headline[:WIDTH]}  ({row.arrived[channel]} ms{after})"
    )


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
