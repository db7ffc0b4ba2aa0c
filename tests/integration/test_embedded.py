"""The embedded server keeps what it acknowledged, ends with its parent, and guards its data dir."""

import asyncio
import contextlib
import fcntl
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import redis
import redis.asyncio
from support.servers import KillableServer

from newswire_cli.embedded import DataDirInUse, EmbeddedServer, EmbeddedServerError
from newswire_cli.embedded_setup import SOCKET_PATH_BYTES, server_arguments, server_binary, socket_path

PARENT = """
import asyncio, sys
from pathlib import Path
from newswire_cli.embedded import EmbeddedServer
async def main():
    server = EmbeddedServer(Path(sys.argv[1]))
    await server.start()
    print(server.pid, flush=True)
    await server.wait()
asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[EmbeddedServer]:
    embedded = EmbeddedServer(data_dir)
    await embedded.start()
    try:
        yield embedded
    finally:
        await embedded.stop()


def client(embedded: EmbeddedServer | KillableServer) -> redis.Redis:
    return redis.Redis.from_url(embedded.url)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie that nobody has collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_every_acknowledged_entry_survives_a_kill(server: KillableServer) -> None:
    acknowledged = []
    for round_ in range(3):
        with client(server) as wire:
            acknowledged += [wire.xadd("wire", {"n": f"{round_}-{n}"}) for n in range(200)]
            await server.kill()
        await server.restart()
    with client(server) as wire:
        assert [entry for entry, _ in wire.xrange("wire")] == acknowledged


async def test_a_kill_amid_writes_loses_nothing_that_was_acknowledged(server: KillableServer) -> None:
    wire = redis.asyncio.Redis.from_url(server.url)
    acknowledged: list[bytes] = []

    async def write() -> None:
        with contextlib.suppress(redis.RedisError, OSError):
            while True:
                acknowledged.append(await wire.xadd("wire", {"text": "x" * 500}))

    writing = asyncio.create_task(write())
    await until(lambda: len(acknowledged) > 300)
    await server.kill()
    await writing
    await wire.aclose()
    await server.restart()
    with client(server) as again:
        kept = [entry for entry, _ in again.xrange("wire")]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1


async def test_a_stop_and_a_start_keep_the_data(tmp_path: Path) -> None:
    async with running(tmp_path) as embedded:
        client(embedded).set("story", "kept")
    async with running(tmp_path) as embedded:
        assert client(embedded).get("story") == b"kept"


async def test_it_starts_in_well_under_a_second(tmp_path: Path) -> None:
    began = time.monotonic()
    async with running(tmp_path):
        assert time.monotonic() - began < 1


async def test_a_half_written_last_command_is_cut_off(server: KillableServer) -> None:
    with client(server) as wire:
        wire.set("before", "kept")
    await server.kill()
    with newest_log(server.embedded).open("ab") as log:
        log.write(b"*3\r\n$3\r\nSET\r\n$5\r\nafter\r\n$10\r\nhal")
    await server.restart()
    with client(server) as wire:
        assert wire.get("before") == b"kept"
        assert wire.get("after") is None


async def test_damage_in_the_middle_is_an_error_that_names_file_and_repair(server: KillableServer) -> None:
    with client(server) as wire:
        wire.set("before", "kept")
        wire.set("gone", "x" * 1_000)
        wire.set("after", "lost")
    await server.kill()
    damaged = newest_log(server.embedded)
    data = damaged.read_bytes()
    at = data.index(b"$4\r\ngone")
    damaged.write_bytes(data[:at] + b"!!!!" + data[at + 4 :])

    with pytest.raises(EmbeddedServerError) as refused:
        await server.restart()

    assert str(damaged) in str(refused.value)
    repair = next(line.strip() for line in str(refused.value).splitlines() if "--fix" in line)
    subprocess.run(repair, shell=True, input=b"y\n", check=True, capture_output=True)  # noqa: S602 - as a person would
    await server.restart()
    with client(server) as wire:
        assert wire.keys() == [b"before"]


@pytest.mark.parametrize("file", ["appendonly.aof.1.base.rdb", "appendonly.aof.manifest"])
async def test_damage_that_nothing_repairs_is_an_error_that_names_the_file(server: KillableServer, file: str) -> None:
    await server.kill()
    damaged = server.embedded.directory / "appendonlydir" / file
    damaged.write_bytes(damaged.read_bytes()[:30])
    with pytest.raises(EmbeddedServerError) as refused:
        await server.restart()
    assert str(damaged) in str(refused.value)
    assert "backup" in str(refused.value)


async def test_a_killed_parent_takes_its_server_along(tmp_path: Path) -> None:
    parent, pid = await start_parent(tmp_path)
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    await until(lambda: not alive(pid))
    async with running(tmp_path) as embedded:
        assert client(embedded).ping()


async def test_a_second_start_on_a_data_dir_is_refused_in_one_line(tmp_path: Path) -> None:
    async with running(tmp_path) as embedded:
        with pytest.raises(DataDirInUse) as refused:
            await EmbeddedServer(tmp_path).start()
        assert str(tmp_path) in str(refused.value)
        assert "\n" not in str(refused.value)
        assert client(embedded).ping()


async def test_a_refused_start_leaves_the_first_one_its_data_dir(tmp_path: Path) -> None:
    async with running(tmp_path):
        for _ in range(2):
            with pytest.raises(DataDirInUse):
                await EmbeddedServer(tmp_path).start()


async def test_a_server_whose_parent_is_gone_is_shut_down_and_its_data_kept(tmp_path: Path) -> None:
    """As on a system without death signals: the old server still runs, and holds its lock."""
    embedded = EmbeddedServer(tmp_path)
    embedded.directory.mkdir(parents=True)
    with (embedded.directory / "server.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        orphan = subprocess.Popen(
            [str(server_binary()), *server_arguments(embedded.directory, embedded.socket_path)],
            pass_fds=[lock.fileno()],
            stdout=subprocess.DEVNULL,
        )
    try:
        with client(embedded) as wire:
            await until(lambda: answers(wire))
            wire.set("story", "kept")
        await embedded.start()
        assert orphan.wait(timeout=10) == 0
        assert client(embedded).get("story") == b"kept"
    finally:
        await embedded.stop()
        orphan.kill()
        orphan.wait()


async def test_a_socket_left_behind_does_not_block(server: KillableServer) -> None:
    await server.kill()
    assert server.embedded.socket_path.exists()
    await server.restart()
    with client(server) as wire:
        assert wire.ping()


@pytest.mark.parametrize("name", ["a b", "quote\"'s", "наборы", "hash#and?mark%20", "long/" + "x" * 120])
async def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    async with running(tmp_path / name) as embedded:
        assert client(embedded).ping()
        assert len(os.fsencode(embedded.socket_path)) <= SOCKET_PATH_BYTES


def test_a_long_path_has_the_same_short_socket_each_time() -> None:
    long = Path("/data") / ("x" * 120)
    assert socket_path(long) == socket_path(long)
    assert socket_path(long) != socket_path(long / "other")


async def test_only_this_user_can_reach_data_and_socket(server: KillableServer) -> None:
    for path in (server.embedded.directory, server.embedded.socket_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert stat.S_IMODE(newest_log(server.embedded).stat().st_mode) == 0o600
    with client(server) as wire:
        assert wire.config_get("port")["port"] == "0"


async def test_it_syncs_every_write_and_never_evicts(server: KillableServer) -> None:
    with client(server) as wire:
        settings = wire.config_get("append*", "maxmemory-policy", "save")
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"
    assert settings["save"] == ""


async def test_a_server_that_dies_is_started_again(server: KillableServer) -> None:
    told: list[str] = []
    keeping = asyncio.create_task(server.embedded.keep_running(told.append))
    with client(server) as wire:
        wire.set("story", "kept")
    await server.kill()
    await until(lambda: bool(told))
    keeping.cancel()
    with client(server) as wire:
        assert wire.get("story") == b"kept"


async def test_a_data_dir_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match="cannot use"):
        await EmbeddedServer(tmp_path / "file").start()


def test_a_platform_without_a_binary_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(EmbeddedServerError, match="NEWSWIRE_BROKER_URL"):
        server_binary()


def newest_log(embedded: EmbeddedServer) -> Path:
    return next((embedded.directory / "appendonlydir").glob("*.incr.aof"))


def answers(wire: redis.Redis) -> bool:
    try:
        return bool(wire.ping())
    except redis.RedisError:
        return False


async def start_parent(data_dir: Path) -> tuple[asyncio.subprocess.Process, int]:
    """Start another process with an embedded server; return it and the server's pid."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(data_dir), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    return parent, int(await parent.stdout.readline())
