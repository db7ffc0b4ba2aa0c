"""A small bench harness: the cases of one comparison run by turns, and the medians are set in ratio to the first.

A machine's speed drifts from second to second, so that only figures of one run
compare: each round runs every case once, in an order that turns with the round,
and each case's figure is the median of its rounds. Nothing is asserted; a bench
prints a table.

A bench is a module ``bench_<name>.py`` beside this one with ``main() -> None``
that calls `compare` (or measures by itself and calls `show`).
"""

import asyncio
import gc
import inspect
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """Something to time. One call of ``run`` does the work of ``units`` units; it may be a coroutine function."""

    name: str
    run: Callable[[], object] | Callable[[], Awaitable[object]]
    units: int = 1


@dataclass(frozen=True)
class Row:
    """A measured case: microseconds a unit, by the wall clock and of this process's CPU time."""

    name: str
    wall_us: float
    cpu_us: float
    notes: str = ""


@dataclass
class _Timed:
    case: Case
    loops: int = 1
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def turn(self, runner: asyncio.Runner) -> float:
        """Run the case ``loops`` times and keep the time; return the seconds it took."""
        run = self.case.run
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        if inspect.iscoroutinefunction(run):
            runner.run(_repeat(run, self.loops))
        else:
            for _ in range(self.loops):
                run()
        took, used = time.perf_counter() - wall, time.process_time() - cpu
        self.walls.append(took / self.loops)
        self.cpus.append(used / self.loops)
        return took

    def row(self) -> Row:
        scale = 1e6 / self.case.units
        return Row(self.case.name, statistics.median(self.walls) * scale, statistics.median(self.cpus) * scale)


async def _repeat(run: Callable[[], Awaitable[object]], loops: int) -> None:
    for _ in range(loops):
        await run()


def compare(
    title: str, baseline: Case, *others: Case, unit: str = "call", rounds: int = 7, turn: float = 0.1
) -> list[Row]:
    """Time the cases by turns, print a table with ratios to the baseline, and return its rows.

    ``turn`` is about how long one case runs in one round, in seconds; a first,
    uncounted turn finds the number of calls for that and warms the case up.
    """
    timed = [_Timed(case) for case in (baseline, *others)]
    with asyncio.Runner() as runner:
        for each in timed:
            each.turn(runner)
            each.loops = max(1, round(turn / max(each.turn(runner), 1e-7)))
            each.walls.clear()
            each.cpus.clear()
        for number in range(rounds):
            start = number % len(timed)
            for each in timed[start:] + timed[:start]:
                each.turn(runner)
    rows = [each.row() for each in timed]
    show(title, rows, unit=unit)
    return rows


def show(title: str, rows: Sequence[Row], *, unit: str = "call") -> None:
    """Print rows as a table; the first is the baseline that the ratios refer to."""
    width = max(len(row.name) for row in rows)
    print(f"\n{title}")
    print(f"  {'':{width}}  {'µs/' + unit:>14}  {'CPU µs/' + unit:>16}  {'× faster':>9}")
    for row in rows:
        ratio = rows[0].wall_us / row.wall_us if row.wall_us else float("inf")
        print(f"  {row.name:{width}}  {row.wall_us:14,.2f}  {row.cpu_us:16,.2f}  {ratio:9,.1f}  {row.notes}".rstrip())
