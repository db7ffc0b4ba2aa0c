"""Background loops that end when they are told to."""

import asyncio
from collections.abc import Collection
from typing import Any


def wanted() -> bool:
    """Return whether the current task is to go on; a cancellation that a client library swallowed is still seen."""
    task = asyncio.current_task()
    return task is None or not task.cancelling()


async def cancel_all(tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
    """Cancel tasks until they have ended: a client library may swallow a cancellation.

    ``seconds``: after so many, whoever still runs is cancelled again.
    """
    while running := [task for task in tasks if not task.done()]:
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=seconds)
