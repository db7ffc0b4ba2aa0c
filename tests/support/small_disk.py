"""A disk that is soon full, for `newswire up`; two kinds, because not every machine allows the first.

    TmpfsDisk    a file system of its own of a few MB: everything that is written there meets its end (ENOSPC).
                 Needs user namespaces, or root; `support.mounts` says whether there are any.
    FileLimit    no file may grow past a size (RLIMIT_FSIZE, EFBIG): the append-only file meets it first. Works for
                 everybody on Linux.

Both refuse in the kernel, in the middle of a write. `make_room` is what an operator does then.
"""

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from support.mounts import namespace
from support.processes import RUN

LEFT = int(os.environ.get("NEWSWIRE_CHAOS_DISK", "2")) * 1_000_000
"""Bytes that the disk takes after `shrink` before it is full."""
ROOM = 64_000_000
"""Bytes that are taken from it, and given back."""

_MOUNT = """
set -e
mount -t tmpfs -o size="$2",mode=0700 newswire "$1"
shift 2
exec "$@"
"""
_TAKEN = ("most", "rest")


class Disk(Protocol):
    """Where a process is to run; ``pid`` is what the command became."""

    @property
    def data_dir(self) -> Path: ...

    def command(self, *arguments: str) -> list[str]:
        """Return the command that runs ``newswire`` with these arguments on the disk."""
        ...

    def shrink(self, pid: int) -> None:
        """From now on the disk takes only `LEFT` bytes more."""
        ...

    def fill(self, pid: int) -> None:
        """Take what little is left, so that not even a line of a log can be written."""
        ...

    def make_room(self, pid: int) -> None:
        """Let it take more again."""
        ...


class FileLimit:
    """Files of at most `LEFT` bytes."""

    def __init__(self, folder: Path, before: str = "") -> None:
        self.data_dir = folder / "var"
        self._code = f"{before}\n{RUN}"

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-c", self._code, *arguments]

    def shrink(self, pid: int) -> None:
        for each in (pid, *children(pid)):
            resource.prlimit(each, resource.RLIMIT_FSIZE, (LEFT, resource.RLIM_INFINITY))

    def fill(self, pid: int) -> None:
        pass  # a file that is too long grows no more

    def make_room(self, pid: int) -> None:
        # A server that runs just now keeps its limit: it ends at its next write, and the next one has the new limit.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


class TmpfsDisk:
    """A file system, and a file on it that takes all but `LEFT` bytes. Only the process sees it mounted."""

    def __init__(self, folder: Path, before: str = "") -> None:
        self._code = f"{before}\n{RUN}"
        self._mount = folder / "disk"
        self._mount.mkdir()
        self.data_dir = self._mount / "var"

    def command(self, *arguments: str) -> list[str]:
        mounting = [*namespace(), "sh", "-c", _MOUNT, "sh", str(self._mount), str(LEFT + ROOM)]
        return [*mounting, sys.executable, "-c", self._code, *arguments]

    def shrink(self, pid: int) -> None:
        inside = self._inside(pid)
        free = os.statvfs(inside)
        with (inside / _TAKEN[0]).open("wb") as taken:
            os.posix_fallocate(taken.fileno(), 0, free.f_bavail * free.f_frsize - LEFT)

    def fill(self, pid: int) -> None:
        with (self._inside(pid) / _TAKEN[1]).open("wb", buffering=0) as taken, suppress(OSError):
            while True:
                taken.write(bytes(4_096))

    def make_room(self, pid: int) -> None:
        for name in _TAKEN:
            (self._inside(pid) / name).unlink()

    def _inside(self, pid: int) -> Path:
        return Path(f"/proc/{pid}/root{self._mount}")


def children(pid: int) -> list[int]:
    """Return the ids of a process's children."""
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in found for child in children.read_text().split()]
