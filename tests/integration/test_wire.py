"""A story's way through the whole wire, and what each act does to it in every output."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs
from support.wire import URI, Receiver, Wire, story, until

from newswire_schemas.article import key_of

PAGE = """Skip to content
Home > World > Europe
Harbour opens again after two weeks
7 February 2025, 3:39 PM
Share

BERGEN, Feb 7 (Nordlicht) - The harbour is open again since Friday, the harbour office said. All ships may enter.

The closure had lasted two weeks.
Follow us on
Facebook
"""
NINJS = {
    "uri": "urn:newsml:test.example:ninjs",
    "standard": {"name": "ninjs", "version": "3.1"},
    "type": "text",
    "version": "1",
    "versionCreated": "2025-11-12T08:00:00Z",
    "firstCreated": "2025-11-12T08:00:00Z",
    "pubStatus": "usable",
    "language": "en",
    "headlines": [{"role": "main", "value": "Turbine turns again"}],
    "bodies": [{"role": "main", "contentType": "text/html", "value": "<p>The turbine is back.</p><p>It hums.</p>"}],
}


def soon(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def post(wire: Wire, body: bytes, kind: str) -> str:
    answer = await wire.http.post("/v1/articles", content=body, headers={"content-type": kind})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["items"][0]["uri"])


async def test_a_page_and_a_ninjs_item_come_out_of_feed_webhook_and_api_alike(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    uris = {
        await post(wire, PAGE.encode(), "text/plain"),
        await post(wire, json.dumps(NINJS).encode(), "application/ninjs+json"),
    }
    pushes = await receiver.got("hook", 2)
    entries = {entry.id: entry for entry in await wire.entries()}

    assert set(entries) == uris == set(await wire.listed())
    for push in pushes:
        Webhook(hook.secret).verify(push.body, push.headers)
        data = push.message["data"]
        shown = (await wire.article(data["uri"])).json()
        entry = entries[data["uri"]]
        assert push.message["type"] == "article.new"
        assert data == {name: value for name, value in shown.items() if name in data}
        assert entry.title == data["headline"]
        assert set(data["body_text"].split()) <= set(entry.content[0].value.replace("<", " ").replace(">", " ").split())
        ninjs = (await wire.article(data["uri"], "application/ninjs+json")).json()
        assert (ninjs["uri"], ninjs["headlines"][0]["value"]) == (data["uri"], data["headline"])


async def test_a_correction_keeps_guid_and_place_and_reaches_every_output(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    await wire.out()
    await wire.submit(story("urn:newsml:test.example:2", headline="Later"))
    await wire.out("urn:newsml:test.example:2")
    before = await wire.entries()
    await wire.submit(story(headline="Ferry returns at last", ed_note="Corrects headline"))
    await wire.out(version=2)
    after = await wire.entries()

    assert [entry.id for entry in after] == [entry.id for entry in before] == ["urn:newsml:test.example:2", URI]
    assert after[1].title == "Ferry returns at last"
    assert after[1].published == before[1].published
    assert after[1].updated != before[1].updated
    assert await hook.types() == ["article.new", "article.new", "article.corrected"]
    await hook.drained()
    assert receiver.at("hook")[-1].version == 2


async def test_a_kill_reaches_who_got_a_version_though_the_filters_changed(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("got"), filter={"languages": ["en"]})
    other = await wire.hook(url=receiver.script("other"), filter={"languages": ["de"]})
    await wire.submit(story())
    await receiver.got("got", 1)
    await wire.settled()
    await hook.call("PATCH", json={"filter": {"languages": ["de"]}})
    await other.call("PATCH", json={"filter": {"languages": ["en"]}})
    await wire.desk("kill", note="Withdrawn: wrong harbour")

    async def gone() -> bool:
        return URI not in await wire.guids()

    await until(gone, 1, "the kill left the feed")
    assert (await receiver.got("got", 2))[1].message["type"] == "article.killed"
    await wire.settled()
    answer = await wire.article()
    assert answer.status_code == 410
    assert "wrong harbour" in answer.text
    assert await other.log() == []
    assert await wire.listed() == []


async def test_a_killed_article_does_not_come_back(wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    await wire.desk("kill")
    answer = await wire.http.post("/v1/articles", json=story(version=9, headline="Again"))
    assert answer.json()["items"][0]["outcome"] == "rejected"
    await wire.settled()
    assert (await wire.article()).status_code == 410


async def test_a_withheld_article_comes_back_when_it_is_reinstated(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    await wire.out()
    first = (await wire.entries())[0].published
    await wire.desk("withhold", note="Checking")
    await hook.logged(2)
    await wire.settled()
    assert await wire.guids() == []
    assert (await wire.article()).status_code == 410
    await wire.desk("reinstate")
    await wire.out(version=3)
    (entry,) = await wire.entries()
    assert (entry.id, entry.published) == (URI, first)
    assert await hook.types() == ["article.new", "article.withheld", "article.reinstated"]


async def test_a_rewrite_is_a_story_of_its_own_that_names_the_first(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await wire.submit(story())
    await wire.submit(story("urn:newsml:test.example:rewrite", evolved_from=URI))
    await wire.out(URI)
    await wire.out("urn:newsml:test.example:rewrite")
    assert set(await wire.guids()) == {URI, "urn:newsml:test.example:rewrite"}
    entry = next(entry for entry in await hook.logged(2) if entry["uri"] != URI)
    assert entry["type"] == "article.rewritten"
    assert json.loads(entry["payload"])["data"]["evolved_from"] == URI


async def test_an_expired_article_leaves_without_traffic(wire: Wire) -> None:
    hook = await wire.hook()
    expires = datetime.now(UTC) + timedelta(seconds=1)
    await wire.submit(story(expires=expires.isoformat()))
    await wire.out()
    assert await wire.guids() == [URI]

    async def gone() -> bool:
        return await wire.guids() == []

    await until(gone, 3, "it expired")
    assert 0 <= (datetime.now(UTC) - expires).total_seconds() < 1
    assert (await wire.article()).status_code == 410
    assert await hook.types() == ["article.new", "article.expired"]


async def everywhere(wire: Wire, hook: Any) -> dict[str, Any]:
    feed = await wire.feed()
    return {
        "bytes": feed.content,
        "etag": feed.headers["etag"],
        "list": await wire.listed(),
        "one": (await wire.article()).status_code,
        "log": [entry["type"] for entry in await hook.log()],
    }


async def test_an_embargo_holds_everywhere_and_lifts_within_a_second(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    before = await everywhere(wire, hook)
    lifts = datetime.now(UTC) + timedelta(seconds=1.5)
    await wire.submit(story(embargoed_until=lifts.isoformat()))
    await wire.settled()
    assert await everywhere(wire, hook) == before
    assert receiver.pushes == []
    operators = await wire.http.get(f"/v1/articles/{key_of(URI)}")
    assert operators.status_code == 200
    assert datetime.now(UTC) < lifts, "the machine was too slow to look before the embargo ended"

    await receiver.got("hook", 1)
    await wire.out()
    assert 0 <= (datetime.now(UTC) - lifts).total_seconds() < 1
    shown = await everywhere(wire, hook)
    assert (shown["list"], shown["one"], shown["log"]) == ([URI], 200, ["article.new"])
    assert await wire.guids() == [URI]
    assert b"embargo" not in receiver.pushes[0].body


async def test_a_new_version_moves_or_lifts_an_embargo(wire: Wire) -> None:
    hook = await wire.hook()
    await wire.submit(story(embargoed_until=soon(0.6)))
    await wire.submit(story(embargoed_until=soon(60), version=2))
    await wire.submit(story("urn:newsml:test.example:clock", embargoed_until=soon(0.8)))
    await wire.out("urn:newsml:test.example:clock")
    assert [entry["uri"] for entry in await hook.log()] == ["urn:newsml:test.example:clock"]
    assert (await wire.article()).status_code == 404

    await wire.submit(story(version=3))
    await wire.out(version=3)
    assert [entry["type"] for entry in await hook.logged(2)] == ["article.new", "article.new"]


async def test_a_kill_under_embargo_lets_nothing_out(wire: Wire) -> None:
    hook = await wire.hook()
    before = await everywhere(wire, hook)
    await wire.submit(story(embargoed_until=soon(0.5)))
    await wire.desk("kill", note="never to be seen")
    await wire.submit(story("urn:newsml:test.example:clock", embargoed_until=soon(0.7)))
    await wire.out("urn:newsml:test.example:clock")
    assert [entry["uri"] for entry in await hook.log()] == ["urn:newsml:test.example:clock"]
    assert await wire.guids() == ["urn:newsml:test.example:clock"]
    assert (await wire.article()).status_code == before["one"] == 404
    assert await wire.broker.zcard(wire.keys[0].schedule) == 0


async def test_one_trace_id_leads_from_the_submission_to_the_push(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    with capture_logs() as lines:
        await wire.submit(story(), **{"X-Request-ID": "trace-of-the-test-1"})
        await hook.logged(1)
        await until(lambda: any(line["event"] == "webhook.attempt" for line in lines))
    (attempt,) = [line for line in lines if line["event"] == "webhook.attempt"]
    (claimed,) = [line for line in lines if line["event"] == "article.claimed"]
    assert attempt["trace_id"] == claimed["trace_id"] == "trace-of-the-test-1"
