"""The same wire on Redis Cluster: every atomic step stays within one slot."""

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis.asyncio
from redis.asyncio.connection import AbstractConnection
from support.wire import Receiver, running, story, until

from newswire_cli.embedded_setup import server_binary

SLOTS = 16384


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[str]:
    """A cluster of one node that has all slots."""
    with socket.create_server(("127.0.0.1", 0)) as probe, socket.create_server(("127.0.0.1", 0)) as another:
        port, bus = probe.getsockname()[1], another.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(str(server_binary()), "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes"),
        *("--cluster-port", str(bus), "--save", "", "--dir", str(tmp_path)),
        stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ},
    )
    async with redis.asyncio.Redis(port=port) as node:

        async def answers() -> bool:
            try:
                return bool(await node.ping())
            except redis.ConnectionError:
                return False

        await until(answers)
        await node.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)

        async def formed() -> bool:
            return b"cluster_state:ok" in await node.execute_command("CLUSTER", "INFO")

        await until(formed)
    yield f"redis+cluster://127.0.0.1:{port}"
    process.terminate()
    await process.wait()


async def test_a_story_goes_through_all_partitions_of_a_cluster(quick: None, cluster: str, receiver: Receiver) -> None:
    uris = {f"urn:newsml:test.example:{number}" for number in range(12)}
    async with running(cluster, partitions=4) as wire:
        hook = await wire.hook(url=receiver.script("hook"))
        for uri in uris:
            await wire.submit(story(uri))
        pushes = await receiver.got("hook", len(uris), 15)
        for uri in uris:
            await wire.out(uri)
        assert {push.message["data"]["uri"] for push in pushes} == uris
        assert set(await wire.guids()) == uris == set(await wire.listed())
        assert [entry["sequence"] for entry in await hook.log()] == list(range(1, len(uris) + 1))
        await wire.desk("kill", "urn:newsml:test.example:3")
        await receiver.got("hook", len(uris) + 1)
        assert set(await wire.guids()) == uris - {"urn:newsml:test.example:3"}
        assert (await wire.http.get("/v1/status")).status_code == 200
    gc.collect()
    left = [each for each in gc.get_objects() if isinstance(each, AbstractConnection) and each.is_connected]
    assert [each for each in left if str(getattr(each, "port", "")) in cluster] == []
