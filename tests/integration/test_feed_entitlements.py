"""Token feeds: what a token opens, what it does not, and what becomes of one that is revoked."""

import base64
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from support.wire import Wire, running, story

from newswire_schemas.article import key_of

SPORT, ECONOMY = "urn:newsml:test.example:sport", "urn:newsml:test.example:economy"
PICTURE = {"type": "picture", "renditions": [{"href": "https://cdn.example/a.jpg", "media_type": "image/jpeg"}]}


@pytest.fixture
async def paid(wire: Wire) -> Wire:
    await wire.http.put("/v1/feeds/paid", json={"title": "Paid", "access": "token"})
    await wire.http.put("/v1/feeds/other", json={"title": "Other", "access": "token"})
    for uri, section in ((SPORT, "Sport"), (ECONOMY, "Economy")):
        body = {
            "body_text": f"The whole text of {section}.",
            "summary": f"In short: {section}",
            "associations": [PICTURE],
        }
        await wire.submit(story(uri, section=section, **body))
    await wire.settled()
    return wire


async def token(wire: Wire, **entitlement: Any) -> str:
    body = {"role": "subscriber", "name": "reader"} | ({"entitlement": entitlement} if entitlement else {})
    answer = await wire.http.post("/v1/tokens", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


async def read(wire: Wire, secret: str, path: str = "/feeds/paid.json", **headers: str) -> httpx.Response:
    return await wire.anyone.get(path, headers={"authorization": f"Bearer {secret}"} | headers)


async def ids(wire: Wire, secret: str, path: str = "/feeds/paid.json") -> set[str]:
    answer = await read(wire, secret, path)
    assert answer.status_code == 200, answer.text
    return {item["id"] for item in answer.json()["items"]}


async def test_a_token_without_limits_reads_every_token_feed_in_every_way(paid: Wire) -> None:
    secret = await token(paid)
    assert await ids(paid, secret) == {SPORT, ECONOMY}
    basic = base64.b64encode(f"anyone:{secret}".encode()).decode()
    for answer in (
        await paid.anyone.get("/feeds/paid.rss", params={"token": secret}),
        await paid.anyone.get("/feeds/paid.rss", headers={"authorization": f"Basic {basic}"}),
    ):
        assert answer.status_code == 200
        assert answer.headers["cache-control"].startswith("private")
        assert secret not in answer.text


async def test_only_the_feeds_of_the_entitlement_exist(paid: Wire) -> None:
    secret = await token(paid, feeds=["paid"])
    assert await ids(paid, secret) == {SPORT, ECONOMY}
    assert (await read(paid, secret, "/feeds/other.json")).status_code == 404


async def test_the_filter_narrows_feeds_lists_and_articles(paid: Wire) -> None:
    secret = await token(paid, filter={"sections": ["Sport"]})
    assert await ids(paid, secret) == {SPORT}
    listed = await read(paid, secret, "/v1/articles")
    assert [item["uri"] for item in listed.json()["items"]] == [SPORT]
    assert (await read(paid, secret, f"/v1/articles/{key_of(ECONOMY)}")).status_code == 404
    assert (await read(paid, secret, f"/v1/articles/{key_of(SPORT)}")).status_code == 200


async def test_a_kill_is_told_to_who_saw_the_story_and_to_nobody_else(paid: Wire) -> None:
    sport, economy = (
        await token(paid, filter={"sections": ["Sport"]}),
        await token(paid, filter={"sections": ["Economy"]}),
    )
    await paid.desk("kill", SPORT)
    await paid.settled()
    assert SPORT in (await read(paid, sport)).text
    assert SPORT not in (await read(paid, economy)).text
    assert (await read(paid, sport, f"/v1/articles/{key_of(SPORT)}")).status_code == 410
    assert (await read(paid, economy, f"/v1/articles/{key_of(SPORT)}")).status_code == 404


@pytest.mark.parametrize("extension", ["rss", "atom", "json", "ninjs", "newsml"])
async def test_rights_decide_what_of_an_article_is_shown(paid: Wire, extension: str) -> None:
    bare, text = await token(paid, rights=[]), await token(paid, rights=["text"])
    shown = {secret: (await read(paid, secret, f"/feeds/paid.{extension}")).text for secret in (bare, text)}
    assert "The whole text of Sport" not in shown[bare]
    assert "In short: Sport" in shown[bare]
    assert "The whole text of Sport" in shown[text]
    assert all("cdn.example" not in each for each in shown.values())
    whole = (await read(paid, await token(paid), f"/feeds/paid.{extension}")).text
    assert "cdn.example" in whole


async def test_without_the_archive_right_there_is_no_way_back(paid: Wire) -> None:
    await paid.http.put("/v1/feeds/paid", json={"title": "Paid", "access": "token", "limit": 1})
    with_archive, without = await token(paid), await token(paid, rights=["text"])
    address = (await read(paid, with_archive)).json()["next_url"]
    assert (await read(paid, with_archive, address)).status_code == 200
    assert "next_url" not in (await read(paid, without)).json()
    assert (await read(paid, without, address)).status_code == 404


async def test_a_revoked_or_expired_token_is_gone_so_that_readers_stop(paid: Wire) -> None:
    secret = await token(paid)
    assert (await read(paid, secret)).status_code == 200
    (made,) = (await paid.http.get("/v1/tokens")).json()["items"]
    assert (await paid.http.delete(f"/v1/tokens/{made['id']}")).status_code == 204
    ended = await read(paid, secret)
    assert ended.status_code == 410
    assert ended.json()["type"].endswith("token-ended")
    assert (await read(paid, secret, "/v1/articles")).status_code == 401
    soon = datetime.now(UTC) + timedelta(milliseconds=1)
    body = {"role": "subscriber", "name": "brief", "expires": soon.isoformat()}
    brief = (await paid.http.post("/v1/tokens", json=body)).json()["token"]
    assert (await read(paid, brief)).status_code == 410
    assert (await read(paid, "nw_never_was_one")).status_code == 404
    assert (await paid.anyone.get("/feeds/paid.rss")).status_code == 404


async def test_only_subscribers_have_entitlements(wire: Wire) -> None:
    body = {"role": "source", "name": "desk", "entitlement": {"feeds": ["all"]}}
    answer = await wire.http.post("/v1/tokens", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/entitlement"


async def test_a_token_is_in_no_log_document_header_or_key(
    paid: Wire, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret, other = await token(paid), await token(paid)
    basic = base64.b64encode(f"x:{secret}".encode()).decode()
    answers = [
        await read(paid, secret),
        await paid.anyone.get("/feeds/paid.atom", params={"token": secret}),
        await paid.anyone.get("/feeds/paid.rss", headers={"authorization": f"Basic {basic}"}),
        await paid.anyone.get("/feeds/paid.nope", params={"token": secret}),
        await read(paid, other, "/feeds/paid.rss"),
        await paid.anyone.get("/metrics"),
        await paid.http.get("/v1/tokens"),
    ]
    for answer in answers:
        assert secret not in answer.text
        assert secret not in json.dumps(dict(answer.headers))
    output = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert secret not in output.out + output.err + "".join(ours)
    for key in await paid.broker.keys("*"):
        assert secret.encode() not in key
        assert secret.encode() not in await paid.broker.dump(key)


async def test_a_limited_token_does_not_open_the_pages_of_a_private_wire(quick: None, redis_url: str) -> None:
    async with running(redis_url, public=False) as wire:
        await wire.submit(story())
        await wire.settled()
        limited, whole = await token(wire, filter={"sections": ["Sport"]}), await token(wire)
        assert (await read(wire, limited, "/", accept="text/html")).status_code == 403
        assert (await read(wire, whole, "/", accept="text/html")).status_code == 200
        assert await ids(wire, limited, "/feeds/all.json") == set()


async def test_the_live_stream_of_a_limited_token_shows_no_more_than_its_feeds(quick: None, redis_url: str) -> None:
    async with running(redis_url, public=False) as wire:
        sport, bare = await token(wire, filter={"sections": ["Sport"]}), await token(wire, rights=[])
        assert (await read(wire, await token(wire, feeds=["all"]), "/v1/live")).status_code == 403
        assert (await read(wire, bare, "/v1/live")).status_code == 403
        headers = {"authorization": f"Bearer {sport}"}
        async with wire.anyone.stream("GET", "/v1/live", headers=headers) as stream:
            assert stream.status_code == 200
            lines = stream.aiter_lines()
            await wire.submit(story(ECONOMY, section="Economy"))
            await wire.submit(story(SPORT, section="Sport"))
            async for line in lines:
                assert ECONOMY not in line
                if SPORT in line:
                    break
