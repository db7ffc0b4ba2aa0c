"""Fixtures that all tests share: real servers, and the marks for what a machine may lack.

`redis_url`  an empty Valkey, one server a test session and worker
`server`     a Valkey of the test's own, to kill and to start again
`docker`     (mark) needs a Docker engine; `browser` (mark) needs Chromium; `mount` (mark)
             a file system of its own. Where one is missing the test is skipped with the
             reason; in CI (``CI=true``) it fails instead, so that nothing is skipped there.
"""

import asyncio
import functools
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis
from support.mounts import why_no_mount
from support.servers import KillableServer

from newswire_cli.embedded import EmbeddedServer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def session_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    embedded = EmbeddedServer(tmp_path_factory.mktemp("valkey"))
    asyncio.run(embedded.start())
    yield embedded
    asyncio.run(embedded.stop())


@pytest.fixture
def redis_url(session_server: EmbeddedServer) -> str:
    """The URL of a server without any key, function or script."""
    with redis.Redis.from_url(session_server.url) as client:
        client.flushall()
        client.function_flush()
        client.script_flush()
    return session_server.url


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[KillableServer]:
    killable = KillableServer(tmp_path / "data")
    await killable.start()
    yield killable
    await killable.stop()


@pytest.fixture
def chromium() -> str:
    """The path of a Chromium; for tests marked `browser`."""
    path = _browser()
    assert path is not None
    return path


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark, missing in (("docker", _docker_missing), ("browser", _browser_missing), ("mount", why_no_mount)):
        if item.get_closest_marker(mark) is not None and (reason := missing()) is not None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{reason}; CI must have it", pytrace=False)
            pytest.skip(reason)


@functools.cache
def _docker_missing() -> str | None:
    if shutil.which("docker") is None:
        return "no Docker here: the docker command is not installed"
    try:
        engine = subprocess.run(["docker", "info"], capture_output=True, timeout=20, check=False)
        compose = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return "no Docker here: the engine does not answer"
    if engine.returncode:
        return "no Docker here: the engine does not answer"
    return "no Docker here: docker compose is not installed" if compose.returncode else None


def _browser() -> str | None:
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _browser_missing() -> str | None:
    return None if _browser() else "no Chromium here"
