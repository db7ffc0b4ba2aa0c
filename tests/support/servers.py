"""A server that a test may kill."""

import os
import signal
from pathlib import Path

from newswire_cli.embedded import EmbeddedServer


class KillableServer:
    """A server for one test, with its data in the test's own folder."""

    def __init__(self, data_dir: Path) -> None:
        self.embedded = EmbeddedServer(data_dir)

    @property
    def url(self) -> str:
        return self.embedded.url

    async def start(self) -> str:
        return await self.embedded.start()

    async def kill(self) -> None:
        """End the server as a power cut would (SIGKILL), and wait until it is gone."""
        pid = self.embedded.pid
        assert pid is not None, "the server does not run"
        os.kill(pid, signal.SIGKILL)
        await self.embedded.wait()

    async def restart(self) -> str:
        """Kill the server if it runs, and start it on the same data."""
        if self.embedded.pid is not None:
            await self.kill()
        return await self.embedded.start()

    async def stop(self) -> None:
        await self.embedded.stop()
