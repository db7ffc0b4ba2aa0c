"""Background loops that end when they are told to."""

import asyncio


def wanted() -> bool:
    """Return whether the current task is to go on; a cancellation that a client library swallowed is still seen."""
    task = asyncio.current_task()
    return task is None or not task.cancelling()
