"""Attempts are kept as long as the operator says, and no longer: nobody sees older ones, and they leave the server."""

import time

import pytest
from support.wire import running, until

from newswire_publisher.webhooks.keyring import HookTable, Keyring
from newswire_publisher.webhooks.sweeping import AttemptsSweep
from newswire_publisher.webhooks.vault import Vault
from newswire_runtime.client import Client
from newswire_schemas.streams import HookKeys

KEPT = 60.0


async def attempted(client: Client, hook_id: str, seconds_ago: float, partitions: int = 1) -> str:
    """Write an attempt of some time ago, and return its id."""
    at_ms = int((time.time() - seconds_ago) * 1_000)
    record = f"1 1 {at_ms} 5.0 204"
    return (await client.xadd(HookKeys(hook_id, partitions).attempts, {"a": record}, id=f"{at_ms}-0")).decode()


async def left(client: Client, hook_id: str, partitions: int = 1) -> int:
    return int(await client.xlen(HookKeys(hook_id, partitions).attempts))


@pytest.fixture
def late_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be swept but what the test sweeps."""

    async def nothing(_: AttemptsSweep) -> int:
        return 0

    monkeypatch.setattr(AttemptsSweep, "sweep", nothing)


async def test_attempts_that_are_too_old_are_neither_listed_nor_opened_nor_sent_again(
    quick: None, late_sweep: None, redis_url: str, client: Client
) -> None:
    async with running(redis_url, webhook_attempts_kept=KEPT) as wire:
        hook = await wire.hook(url="http://127.0.0.1:9/hook")
        old = [await attempted(client, hook.id, ago) for ago in (500, KEPT + 2)]
        young = await attempted(client, hook.id, KEPT - 20)

        for query in ("", f"?after={old[0]}", f"?cursor={old[1]}&after={old[0]}", "?outcome=delivered"):
            items = (await hook.call("GET", f"/attempts{query}"))["items"]
            assert [each["id"] for each in items] == [young], query

        assert (await hook.call("GET", f"/attempts?cursor={old[1]}"))["items"] == []
        for each in old:
            path = f"/v1/webhooks/{hook.id}/attempts/{each}"
            assert (await wire.http.get(path)).status_code == 404
            assert (await wire.http.post(f"{path}/resend")).status_code == 404
        assert (await hook.call("GET", f"/attempts/{young}"))["id"] == young
        assert (await hook.call("GET"))["last_attempt"]["id"] == young
        assert await left(client, hook.id) == 3


async def test_a_webhook_whose_last_attempt_is_too_old_shows_none(
    quick: None, late_sweep: None, redis_url: str, client: Client
) -> None:
    async with running(redis_url, webhook_attempts_kept=KEPT) as wire:
        hook = await wire.hook(url="http://127.0.0.1:9/hook")
        await attempted(client, hook.id, KEPT + 2)

        assert "last_attempt" not in await hook.call("GET")


async def test_an_endpoint_for_which_nothing_comes_loses_its_old_attempts_too(
    quick: None, redis_url: str, client: Client
) -> None:
    async with running(redis_url) as wire:
        quiet = await wire.hook()
        for ago in (500, KEPT + 2, KEPT - 20):
            await attempted(client, quiet.id, ago)
    async with running(redis_url, webhook_attempts_kept=KEPT):

        async def swept() -> bool:
            return await left(client, quiet.id) == 1

        await until(swept, what="the old attempts have left the server")


@pytest.mark.parametrize("partitions", [1, 4])
async def test_a_sweep_drops_exactly_what_is_too_old_and_a_second_one_nothing(
    client: Client, partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.sweeping.AT_ONCE", 2)
    table = HookTable(client, Keyring(Vault([])))
    names = [f"wh_{number}" for number in range(5)]
    for name in names:
        await client.hset(
            "conf:{conf}:webhooks", name, f'{{"id":"{name}","owner":"a","created":"2026-01-01T00:00:00Z"}}'
        )
        for ago in (500, KEPT + 2, KEPT - 20):
            await attempted(client, name, ago, partitions)
    await client.hincrby("conf:{conf}:generation", "webhooks", 1)
    sweeps = [AttemptsSweep(client, table, partitions, int(KEPT * 1_000)) for _ in range(2)]

    assert [await sweep.sweep() for sweep in sweeps] == [10, 0]
    assert [await left(client, name, partitions) for name in names] == [1] * 5


@pytest.mark.parametrize(("kept", "wait"), [(60, 6), (30 * 86_400, 3_600)])
def test_a_sweep_comes_each_hour_or_sooner_if_attempts_are_kept_a_short_time(
    client: Client, kept: int, wait: float
) -> None:
    assert AttemptsSweep(client, HookTable(client, Keyring(Vault([]))), 1, kept * 1_000).wait == wait
