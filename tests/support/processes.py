"""Services as processes of their own, which a test may kill."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from support.wire import OPERATOR, SECRET_KEY, until

RUN = "from newswire_cli.main import main; main()"


class Process:
    """One ``newswire run`` that can be killed and started again on the same port.

    ``arguments`` follow the service's name; ``environment`` is beside what each test has; ``before`` is
    Python that runs first, to shorten what would take a test too long.
    """

    def __init__(
        self, name: str, broker_url: str, log: Path, *arguments: str, before: str = "", **environment: str
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._code = f"{before}\n{RUN}"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = log
        self._environment = {
            **os.environ,
            "NEWSWIRE_BROKER_URL": broker_url,
            "NEWSWIRE_OPERATOR_TOKEN": OPERATOR,
            "NEWSWIRE_SECRET_KEY": SECRET_KEY,
            "NEWSWIRE_SSRF_ALLOW": "127.0.0.1/32",
            "NEWSWIRE_CLAIM_IDLE": "0.5",
            "NEWSWIRE_MAX_DELIVERIES": "100",
            "NEWSWIRE_LOG_LEVEL": "ERROR",
            **environment,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", self._code, "run", self.name, "--port", str(self.port), *self._arguments),
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def kill(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def ended(self, seconds: float) -> None:
        """Wait until the process has ended by itself."""
        assert self._process is not None
        await asyncio.wait_for(self._process.wait(), seconds)

    def signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(what)

    def memory(self) -> int:
        """Return the bytes of memory that the process has resident."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1_024

    async def ready(self, http: httpx.AsyncClient) -> None:
        async def answers() -> bool:
            with suppress(httpx.TransportError):
                return (await http.get(f"{self.url}/readyz")).status_code == 200
            return False

        await until(answers, 90, f"{self.name} is ready; its log is {self._log}")
