"""The client of the broker under a burst."""

import asyncio

from newswire_runtime.broker import MOST_CONNECTIONS, make_client


async def test_a_burst_of_calls_waits_for_connections_and_fails_none(redis_url: str) -> None:
    client = make_client(redis_url)
    try:
        # Each holds a connection while it waits for an entry that never comes.
        calls = [client.xread({"nothing": "$"}, block=50) for _ in range(3 * MOST_CONNECTIONS)]
        assert len(await asyncio.gather(*calls)) == 3 * MOST_CONNECTIONS
    finally:
        await client.aclose()
