"""Wait for a condition instead of a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], Awaitable[T]], what: str, seconds: float = 15) -> T:
    """Return the condition's first true answer; fail with ``what`` if there is none in time."""
    answer = None
    try:
        async with asyncio.timeout(seconds):
            while not (answer := await condition()):
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not in {seconds} s: {what}; last answer: {answer!r}") from None
    return answer
