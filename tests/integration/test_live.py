"""The live stream on the whole wire: what a client sees, in what order, and what it never sees."""

import asyncio
import contextlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.sse import Event, Stream, streaming
from support.wire import OPERATOR, Wire, running, story, until

from newswire_publisher.live import stream as live_stream
from newswire_schemas.article import key_of
from newswire_schemas.streams import LiveKeys

A, B, C = "urn:live:a", "urn:live:b", "urn:live:c"
GERMAN = {"languages": ["de"]}


def types(stream: Stream) -> list[tuple[str, str]]:
    return [(event.type, event.uri) for event in stream.events]


async def newest(wire: Wire) -> int:
    return int(await wire.broker.hget(LiveKeys.state, "sequence") or 0)


async def logged(wire: Wire, count: int) -> None:
    async def there() -> bool:
        return await newest(wire) >= count

    await until(there, what=f"{count} entries in the log")


async def test_a_story_comes_as_an_event_whose_data_is_what_a_webhook_gets(wire: Wire) -> None:
    hook = await wire.hook()
    async with streaming(wire.url) as live:
        await wire.submit(story(A, body_text="Erste Zeile.\n\nZweite\u2028Zeile."))
        event = await live.next()
        pushed = (await hook.logged(1))[0]
    assert (event.id, event.type) == ("1", "article.new")
    assert event.data == pushed["payload"]
    assert event.message["sequence"] == 1


async def test_the_answer_is_an_uncached_event_stream_that_other_sites_may_read(wire: Wire) -> None:
    async with streaming(wire.url) as live:
        assert live.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert live.headers["cache-control"] == "no-store"
        assert live.headers["x-accel-buffering"] == "no"
        assert live.headers["access-control-allow-origin"] == "*"
        assert live.retry == 2_000
    head = await wire.anyone.head("/v1/live")
    assert head.status_code == 200
    assert head.headers["content-type"] == "text/event-stream; charset=utf-8"
    preflight = await wire.anyone.options("/v1/live")
    assert "Last-Event-ID" in preflight.headers["access-control-allow-headers"]


async def test_a_stream_gets_what_its_filter_takes_and_a_format_of_its_choice(wire: Wire) -> None:
    async with (
        streaming(wire.url, GERMAN) as german,
        streaming(wire.url, query="&format=thin") as thin,
        streaming(wire.url, query="&format=ninjs") as ninjs,
    ):
        await wire.submit(story(A, language="en"))
        await wire.submit(story(B, language="de", headline="Die Fähre kehrt zurück"))
        assert (await german.next()).uri == B
        assert (await thin.take(2))[1].message["data"] == {
            "uri": B,
            "version": 1,
            "link": thin.events[1].message["data"]["link"],
        }
        assert (await ninjs.take(2))[1].message["data"]["standard"]["name"] == "ninjs"
        assert types(german) == [("article.new", B)]


async def test_a_correction_that_no_longer_matches_and_a_kill_reach_who_was_shown_an_earlier_version(
    wire: Wire,
) -> None:
    async with streaming(wire.url, GERMAN) as german, streaming(wire.url, {"languages": ["fr"]}) as french:
        await wire.submit(story(A, version=1, language="de"))
        await wire.out(A)
        await wire.submit(story(A, version=2, language="en", ed_note="It is English."))
        await wire.out(A, 2)
        await wire.desk("kill", A, "Wrong.")
        await german.take(3)
        await wire.submit(story(C, language="fr"))
        assert (await french.next()).uri == C
    assert types(german) == [("article.new", A), ("article.corrected", A), ("article.killed", A)]
    assert types(french) == [("article.new", C)]
    async with streaming(wire.url, GERMAN, after=1) as resumed:
        await resumed.take(2)
    assert [event.type for event in resumed.events] == ["article.corrected", "article.killed"]


async def test_a_replay_has_the_bytes_that_went_out_live(wire: Wire) -> None:
    async with streaming(wire.url) as live:
        for number in range(5):
            await wire.submit(story(f"urn:live:{number}", body_text="ü" * 500 * number or "x"))
        await live.take(5)
    body = live.raw[live.raw.index(b"event:") - len(b"id: 1\n") :]
    async with streaming(wire.url, after=0) as replayed:
        await replayed.take(5)
    assert replayed.raw[replayed.raw.index(b"id:") :] == body
    async with streaming(wire.url, query="&last_event_id=3") as later:
        await later.take(2)
    assert [event.id for event in later.events] == ["4", "5"]


async def test_the_text_of_a_killed_story_is_not_replayed_but_its_number_is(wire: Wire) -> None:
    await wire.submit(story(A, body_text="An untrue sentence."))
    await wire.out(A)
    await wire.desk("kill", A)
    await logged(wire, 2)
    async with streaming(wire.url, after=0) as live:
        await live.take(2)
    assert types(live) == [("article.new", A), ("article.killed", A)]
    assert set(live.events[0].message["data"]) == {"uri", "version", "link"}
    assert b"untrue" not in live.raw
    assert b"Ferry returns" not in live.raw


async def test_five_hundred_events_with_random_disconnects_come_without_gap_or_repeat(wire: Wire) -> None:
    chance = random.Random(7)
    every: list[Event] = []
    german: list[Event] = []

    async def submit() -> None:
        for start in range(0, 500, 50):
            items = [story(f"urn:live:{n}", language="de" if n % 3 == 0 else "en") for n in range(start, start + 50)]
            answer = await wire.http.post("/v1/articles", json=items)
            assert answer.status_code == 202, answer.text

    await asyncio.gather(submit(), _followed(wire, {}, every, chance), _followed(wire, GERMAN, german, chance))
    assert [event.id for event in every] == [str(n) for n in range(1, 501)]
    assert len({event.uri for event in every}) == 500
    wanted = [event.id for event in every if event.message["data"]["language"] == "de"]
    assert [event.id for event in german] == wanted


async def _followed(wire: Wire, wanted: dict[str, Any], got: list[Event], chance: random.Random) -> None:
    """Read 500 events, or the third of them that is German, with a new connection every few events."""
    position, count = "0", 167 if wanted else 500
    while len(got) < count:
        async with streaming(wire.url, wanted, after=position) as live:
            for _ in range(min(chance.randint(1, 40), count - len(got))):
                got.append(await live.next(20))
            position = got[-1].id


async def test_a_stream_resumes_where_it_was_when_the_process_comes_back(quick: None, redis_url: str) -> None:
    async with running(redis_url) as first, streaming(first.url) as live:
        await first.submit(story(A))
        last = (await live.next()).id
    assert live.status == 200
    async with running(redis_url) as second:
        await second.submit(story(B))
        async with streaming(second.url, after=last) as resumed:
            assert (await resumed.next()).uri == B
            await second.submit(story(C))
            assert (await resumed.next()).uri == C
        assert [event.id for event in resumed.events] == ["2", "3"]


async def test_a_stop_ends_open_streams_at_once(quick: None, redis_url: str) -> None:
    async with contextlib.AsyncExitStack() as clients:
        async with running(redis_url, stop_timeout=30) as wire:
            live = await clients.enter_async_context(streaming(wire.url))
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 5
        await live.until_end()
        assert live.ended


async def test_what_is_under_embargo_is_not_told_of_and_comes_within_a_second_of_its_end(wire: Wire) -> None:
    lifts = datetime.now(UTC) + timedelta(seconds=2)
    async with streaming(wire.url, after=0) as live:
        await wire.submit(story(A, embargoed_until=lifts.isoformat()))
        await wire.settled()
        await wire.submit(story(B))
        assert (await live.next()).uri == B
        assert await newest(wire) == 1
        event = await live.next()
        assert event.uri == A
        assert timedelta() <= datetime.now(UTC) - lifts < timedelta(seconds=1)
    assert b"embargoed_until" not in live.raw


async def test_a_version_that_comes_again_adds_nothing(wire: Wire) -> None:
    await wire.submit(story(A))
    await wire.out(A)
    entry = (await wire.broker.xrange(wire.keys[0].enriched))[0][1]
    await wire.broker.xadd(wire.keys[0].enriched, entry)
    await wire.submit(story(B))
    await wire.out(B)
    assert [fields[b"k"].decode() for _, fields in await wire.broker.xrange(LiveKeys.log)] == [key_of(A), key_of(B)]


async def test_who_asks_for_what_is_kept_no_more_is_told_of_the_gap(wire: Wire) -> None:
    for uri in (A, B, C):
        await wire.submit(story(uri))
    await logged(wire, 3)
    await wire.broker.xtrim(LiveKeys.log, minid="3-0", approximate=False)
    async with streaming(wire.url, after=1) as live:
        gap, event = await live.take(2)
    assert (gap.type, gap.id, gap.message) == ("gap", "2", {"type": "gap", "after": 1, "first": 3})
    assert (event.id, event.uri) == ("3", C)


@pytest.mark.parametrize("after", ["7", "-1", "abc", "9" * 40])
async def test_an_id_that_was_never_given_is_refused(wire: Wire, after: str) -> None:
    answer = await wire.anyone.get("/v1/live", headers={"Last-Event-ID": after})
    assert answer.status_code == 400
    assert answer.json()["type"] == "/problems/unknown-event-id"
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_filter_that_is_none_is_refused_with_a_pointer(wire: Wire) -> None:
    answer = await wire.anyone.get("/v1/live", params={"filter": '{"urgency": 12}'})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/urgency"
    assert (await wire.anyone.get("/v1/live", params={"format": "xml"})).status_code == 422
    assert (await wire.anyone.post("/v1/live")).status_code == 405


async def test_a_client_that_does_not_read_is_dropped_and_others_go_on(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_stream, "GRACE", 0.2)
    big = "Satz. " * 50_000
    async with streaming(wire.url) as slow, streaming(wire.url) as quick_one:
        slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
        got = 0
        while not slow.reader.at_eof() and got < 60:
            await wire.submit(story(f"urn:live:{got}", body_text=big))
            got += 1
            assert (await quick_one.take(got))[-1].uri == f"urn:live:{got - 1}"
            if got > 20:
                slow.reader._transport.resume_reading()  # type: ignore[attr-defined]
                await slow.until_end()
                break
        assert not slow.ended or slow.events[-1].type == "overflow"
        last = [event for event in slow.events if event.type != "overflow"][-1].id
        async with streaming(wire.url, after=last) as resumed:
            rest = await resumed.take(got - int(last))
    ids = [event.id for event in slow.events if event.type != "overflow"] + [event.id for event in rest]
    assert ids == [str(n) for n in range(1, got + 1)]
    assert int(last) < got


async def test_two_hundred_streams_each_get_what_their_filter_takes(wire: Wire) -> None:
    languages = ["de", "en", "fr", "es", "pl"]
    async with contextlib.AsyncExitStack() as clients:
        streams = [
            (
                languages[n % 5],
                await clients.enter_async_context(
                    streaming(wire.url, {"languages": [languages[n % 5]], "urgency": 5 + n % 5})
                ),
            )
            for n in range(200)
        ]
        items = [story(f"urn:live:{n}", language=languages[n % 5]) for n in range(10)]
        answer = await wire.http.post("/v1/articles", json=items)
        assert answer.status_code == 202, answer.text
        for language, live in streams:
            await live.take(2)
            assert {event.message["data"]["language"] for event in live.events} == {language}
        await wire.desk("kill", "urn:live:0")
        for language, live in streams:
            if language == "de":
                assert (await live.take(3))[-1].type == "article.killed"
    assert all(len(live.events) == (3 if language == "de" else 2) for language, live in streams)


async def test_heartbeats_move_the_id_of_a_stream_whose_filter_takes_nothing(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire_publisher.live.reader.HEARTBEAT", 0.3)
    async with streaming(wire.url, GERMAN) as live:
        await wire.submit(story(A, language="en"))
        await live.until_position(1)
        while not live.comments:
            await live._more()
    assert not live.events


async def test_a_private_wire_is_read_with_a_token_until_it_is_revoked(
    quick: None, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire_publisher.live.reader.HEARTBEAT", 0.3)
    monkeypatch.setattr("newswire_publisher.live.reader.LOOK", 0.1)
    async with running(redis_url, public=False) as wire:
        refused = await wire.anyone.get("/v1/live")
        assert refused.status_code == 401
        assert "access-control-allow-origin" not in refused.headers
        assert (await wire.anyone.get("/v1/live?token=nw_unknown")).status_code == 401
        made = (await wire.http.post("/v1/tokens", json={"role": "subscriber", "name": "desk"})).json()
        async with (
            streaming(wire.url, query=f"&token={made['token']}") as by_query,
            streaming(wire.url, authorization=f"Bearer {OPERATOR}") as by_header,
        ):
            assert "access-control-allow-origin" not in by_query.headers
            await wire.submit(story(A))
            assert (await by_query.next()).uri == (await by_header.next()).uri == A
            assert (await wire.http.delete(f"/v1/tokens/{made['id']}")).status_code in (200, 204)
            await by_query.until_end(20)
            assert by_query.ended
            await wire.submit(story(B))
            assert (await by_header.next()).uri == B
        source = (await wire.http.post("/v1/tokens", json={"role": "source", "name": "north"})).json()
        assert (await wire.anyone.get(f"/v1/live?token={source['token']}")).status_code == 403
