"""The services as processes that a test kills."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from support.processes import Process
from support.servers import KillableServer


@pytest.fixture
async def processes(server: KillableServer, tmp_path: Path) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        started = [
            Process(name, server.url, tmp_path / f"{name}.log") for name in ("ingest", "enrichment", "publisher")
        ]
        for process in started:
            await process.start()
            stack.push_async_callback(process.kill)
        yield started
