"""What a reader who polls sees of a feed's past: deltas, archives, tombstones, former names."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import httpx
from support.wire import Wire, story, until

ATOM = "{http://www.w3.org/2005/Atom}"


def uri(number: int) -> str:
    return f"urn:newsml:test.example:{number}"


async def poll(wire: Wire, name: str = "all", **headers: str) -> httpx.Response:
    asked = {"accept-encoding": "identity"} | {key.replace("_", "-"): value for key, value in headers.items()}
    return await wire.anyone.get(f"/feeds/{name}.rss", headers=asked)


async def filled(wire: Wire, name: str, count: int) -> None:
    async def full() -> bool:
        return int(await wire.broker.zcard(f"feed:{{0}}:{name}:items")) == count

    await until(full, what=f"{name} holds {count}")


def guids(answer: httpx.Response) -> list[str]:
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return [entry.id for entry in parsed.entries]


async def publish(wire: Wire, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        await wire.submit(story(uri(number), **fields))
    await wire.settled()


async def walk(wire: Wire, name: str, meanwhile: Any = None) -> list[list[str]]:
    """Follow the archive from the feed's own document to its end; return the guids of each page."""
    pages: list[list[str]] = []
    address: str | None = f"/feeds/{name}.json"
    while address:
        answer = await wire.anyone.get(address)
        assert answer.status_code == 200, answer.text
        pages.append([item["id"] for item in answer.json()["items"]])
        address = answer.json().get("next_url")
        if meanwhile is not None:
            await meanwhile(len(pages))
        assert len(pages) < 50
    return pages


async def test_a_new_feed_fills_with_what_is_already_published(wire: Wire) -> None:
    await publish(wire, 1, section="Sport")
    await publish(wire, 2, section="Economy")
    await wire.http.put("/v1/feeds/sport", json={"title": "Sport", "filter": {"sections": ["Sport"]}})
    await filled(wire, "sport", 1)
    assert guids(await poll(wire, "sport")) == [uri(1)]
    await wire.desk("kill", uri(1))
    await filled(wire, "sport", 0)
    assert uri(1) in (await poll(wire, "sport")).text, "the tombstone names what was killed"


async def test_a_changed_filter_brings_articles_in_and_out(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/one", json={"title": "One", "filter": {"sections": ["Sport"]}})
    await publish(wire, 1, section="Sport")
    await publish(wire, 2, section="Economy")
    assert guids(await poll(wire, "one")) == [uri(1)]
    await wire.http.put("/v1/feeds/one", json={"title": "One", "filter": {"sections": ["Economy"]}})

    async def turned() -> bool:
        return guids(await poll(wire, "one")) == [uri(2)]

    await until(turned, what="the feed follows its new filter")


async def test_a_correction_that_no_longer_matches_leaves_the_feed_with_a_tombstone(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/sport", json={"title": "Sport", "filter": {"sections": ["Sport"]}})
    await publish(wire, 1, 2, section="Sport")
    before = await poll(wire, "sport")
    await publish(wire, 1, section="Economy")
    after = await poll(wire, "sport", if_none_match=before.headers["etag"])
    assert guids(after) == [uri(2)]
    assert f'ref="{uri(1)}"' in after.text
    await publish(wire, 1, section="Sport", headline="Back again")
    back = await poll(wire, "sport")
    assert set(guids(back)) == {uri(1), uri(2)}
    assert "deleted-entry ref=" not in back.text


async def test_a_delta_tells_what_came_changed_and_left_and_nothing_else(wire: Wire) -> None:
    await publish(wire, 1, 2, 3)
    first = await poll(wire)
    etag = first.headers["etag"]
    same = await poll(wire, a_im="feed", if_none_match=etag)
    assert same.status_code == 304
    await publish(wire, 4)
    await publish(wire, 2, headline="Ferry returns at last")
    await wire.desk("kill", uri(1), note="Wrong from the start")
    await wire.settled()
    delta = await poll(wire, a_im="feed", if_none_match=etag)
    assert delta.status_code == 226
    assert delta.headers["im"] == "feed"
    assert set(guids(delta)) == {uri(4), uri(2)}
    assert f'ref="{uri(1)}"' in delta.text
    whole = await poll(wire)
    assert delta.headers["etag"] == whole.headers["etag"]
    assert set(guids(whole)) == {uri(2), uri(3), uri(4)}
    assert (await poll(wire, a_im="feed", if_none_match=delta.headers["etag"])).status_code == 304
    assert (await poll(wire, if_none_match=etag)).status_code == 200, "who asks for no delta gets none"
    assert (await poll(wire, a_im="vcdiff, feed;q=0", if_none_match=etag)).status_code == 200
    assert (await poll(wire, a_im="feed", if_none_match='"of another server"')).status_code == 200


async def test_the_archive_holds_every_live_article_exactly_once_while_others_come_and_go(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/small", json={"title": "Small", "limit": 10})
    items = [story(uri(number)) for number in range(330)]
    answer = await wire.http.post("/v1/articles", json=items)
    assert answer.status_code == 202
    await wire.settled()
    await wire.desk("kill", uri(7))
    await wire.settled()
    pages = await walk(wire, "small")
    assert len(pages[0]) == 10
    found = [each for page in pages for each in page]
    assert sorted(found) == sorted(uri(number) for number in range(330) if number != 7)

    async def meanwhile(page: int) -> None:
        await publish(wire, 1_000 + page)
        await publish(wire, 300 + page, 20 + page, headline=f"Changed {page}")

    again = [each for page in await walk(wire, "small", meanwhile) for each in page]
    assert len(again) == len(set(again)), "an article came twice"
    assert set(again) >= set(found), "an article was missed"


async def test_pages_of_the_archive_stay_what_they_are(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/small", json={"title": "Small", "limit": 5})
    for start in range(0, 240, 60):
        items = [story(uri(number)) for number in range(start, start + 60)]
        assert (await wire.http.post("/v1/articles", json=items)).status_code == 202
        await wire.settled()
    address = (await wire.anyone.get("/feeds/small.json")).json()["next_url"]
    first = (await wire.anyone.get(address)).json()["next_url"]
    kept = (await wire.anyone.get(first)).json()
    assert "archive=" in first
    await publish(wire, *range(500, 520))
    assert (await wire.anyone.get(first)).json()["items"] == kept["items"]
    assert (await wire.anyone.get("/feeds/small.json?archive=12")).status_code == 404


async def test_a_renamed_feed_is_301_and_a_deleted_one_410(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/old", json={"title": "Old"})
    await publish(wire, 1)
    renamed = await wire.http.post("/v1/feeds/old/rename", json={"to": "new"})
    assert renamed.json()["name"] == "new"
    moved = await poll(wire, "old")
    assert moved.status_code == 301
    assert moved.headers["location"].endswith("/feeds/new.rss")
    await filled(wire, "new", 1)
    assert guids(await poll(wire, "new")) == [uri(1)]
    assert (await wire.http.post("/v1/feeds/new/rename", json={"to": "all"})).status_code == 409
    await wire.http.delete("/v1/feeds/new")
    gone = await poll(wire, "new")
    assert gone.status_code == 410
    assert gone.headers["content-type"] == "application/problem+json"
    await wire.http.put("/v1/feeds/new", json={"title": "New again"})
    assert (await poll(wire, "new")).status_code == 200


async def test_a_reader_who_polls_sees_every_state_and_the_sum_of_deltas_is_the_feed(wire: Wire) -> None:
    """500 random acts in bursts: whoever polls by ETag, by date or for deltas ends with what the feed says."""
    chance = random.Random(11)
    etag, modified, delta_tag = "", "", '"none"'
    by_delta: dict[str, str] = {}
    live: dict[int, bool] = {}
    last = await poll(wire)
    for round_ in range(50):
        for _ in range(10):
            number = chance.randrange(40)
            act = chance.random()
            if act < 0.15 and live.get(number):
                await wire.desk("kill", uri(number))
                live[number] = False
            elif number not in live or live[number]:
                fields: dict[str, Any] = {"headline": f"Round {round_} {chance.random()}"}
                if act > 0.9:
                    fields["embargoed_until"] = (datetime.now(UTC) + timedelta(milliseconds=300)).isoformat()
                await wire.submit(story(uri(number), **fields))
                live[number] = True
        await wire.settled()
        if round_ == 49:
            await asyncio.sleep(0.7)  # the last embargoes end
            await wire.settled()
        whole = await poll(wire)
        by_tag = await poll(wire, if_none_match=etag) if etag else whole
        by_date = await poll(wire, if_modified_since=modified) if modified else whole
        for answer in (by_tag, by_date):
            assert answer.status_code == 200 or whole.content == last.content, "304, and yet the feed had changed"
        etag, modified = whole.headers["etag"], whole.headers["last-modified"]
        last = whole
        delta = await poll(wire, a_im="feed", if_none_match=delta_tag)
        delta_tag = delta.headers["etag"]
        if delta.status_code == 200:
            by_delta = {}
        for entry in feedparser.parse(delta.content).entries:
            by_delta[entry.id] = entry.title
        for gone in list(by_delta):
            if f'ref="{gone}"' in delta.text:
                del by_delta[gone]
    final = feedparser.parse((await poll(wire)).content)
    newest = {entry.id: entry.title for entry in final.entries}
    assert {name: by_delta.get(name) for name in newest} == newest
    assert set(by_delta) == set(newest), "what was killed is still there by the deltas"


async def test_every_document_names_itself_its_hub_and_its_archive_in_its_links(wire: Wire) -> None:
    await wire.http.put("/v1/feeds/small", json={"title": "Small", "limit": 1})
    await publish(wire, 1, 2)
    for extension in ("rss", "atom", "json", "ninjs", "newsml"):
        answer = await wire.anyone.get(f"/feeds/small.{extension}")
        assert answer.links["self"]["url"] == f"{wire.url}/feeds/small.{extension}"
        assert answer.links["hub"]["url"] == f"{wire.url}/hub"
        page = await wire.anyone.get(answer.links["prev-archive"]["url"])
        assert page.status_code == 200
        assert page.links["current"]["url"] == f"{wire.url}/feeds/small.{extension}"
