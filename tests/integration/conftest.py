"""The whole wire in this process: `wire`; and a server that takes its pushes: `receiver`."""

from collections.abc import AsyncIterator

import pytest
from support.wire import Receiver, Wire, receiving, running


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as server:
        yield server


@pytest.fixture
async def wire(redis_url: str, receiver: Receiver) -> AsyncIterator[Wire]:
    async with running(redis_url) as started:
        yield started
        receiver.let_go.set()
