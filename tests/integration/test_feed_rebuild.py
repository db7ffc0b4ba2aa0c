"""A publisher that is rebuilt from its stream says what it said before, to the byte."""

from datetime import UTC, datetime, timedelta
from typing import Any

from support.wire import Wire, running, story, until

from newswire_publisher.app import build as build_publisher

BASE = "http://wire.test.example"
FEEDS = {
    "sport": {"title": "Sport", "filter": {"sections": ["Sport"]}, "limit": 3},
    "changes": {"title": "Changes", "order": "updated"},
}


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def set_up(wire: Wire) -> None:
    for name, feed in FEEDS.items():
        assert (await wire.http.put(f"/v1/feeds/{name}", json=feed)).status_code == 201


async def documents(wire: Wire) -> dict[str, Any]:
    found = {}
    for name in ("all", *FEEDS):
        for extension in ("rss", "atom", "json", "ninjs", "newsml"):
            answer = await wire.anyone.get(f"/feeds/{name}.{extension}", headers={"accept-encoding": "identity"})
            assert answer.status_code == 200
            found[f"{name}.{extension}"] = (answer.headers["etag"], answer.content)
    return found


async def test_a_rebuild_from_the_stream_gives_the_same_bytes_and_etags(quick: None, redis_url: str) -> None:
    async with running(redis_url, base_url=BASE) as wire:
        await set_up(wire)
        for number in range(8):
            await wire.submit(story(uri(number), section="Sport" if number % 2 else "Economy"))
        soon = datetime.now(UTC) + timedelta(milliseconds=400)
        await wire.submit(story(uri(20), section="Sport", embargoed_until=soon.isoformat()))
        await wire.submit(story(uri(1), section="Sport", headline="Corrected", ed_note="The figure was wrong"))
        await wire.submit(story(uri(3), section="Economy", headline="Moved"))
        await wire.settled()
        await wire.desk("kill", uri(5), note="Wrong from the start")
        await wire.desk("withhold", uri(2))
        await wire.settled()
        await wire.desk("reinstate", uri(2))
        await wire.out(uri(20))
        before = await documents(wire)
        entries = await wire.broker.xrange(wire.keys[0].enriched)
        await wire.broker.flushall()
    async with running(redis_url, [build_publisher], base_url=BASE) as wire:
        await set_up(wire)
        for entry_id, fields in entries:
            await wire.broker.xadd(wire.keys[0].enriched, fields, id=entry_id)

        async def same() -> bool:
            return await documents(wire) == before

        await wire.settled()
        await until(same, what="the rebuilt feeds are the same to the byte")
