"""Feeds over HTTP as readers poll them."""

import base64
import gzip

import feedparser
import httpx
import pytest
from support.wire import URI, Wire, story


@pytest.fixture
async def filled(wire: Wire) -> Wire:
    await wire.submit(story())
    await wire.out()
    return wire


async def raw(wire: Wire, method: str = "GET", path: str = "/feeds/all.rss", **headers: str) -> httpx.Response:
    """Ask with these headers alone, and leave the body as it came."""
    asked = {"accept-encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with wire.anyone.stream(method, path, headers=asked) as answer:
        answer._content = b"".join([part async for part in answer.aiter_raw()])
    return answer


async def test_an_unchanged_feed_is_304_until_something_changes(filled: Wire) -> None:
    first = await raw(filled)
    etag, modified = first.headers["etag"], first.headers["last-modified"]
    for headers in ({"if_none_match": etag}, {"if_none_match": f"W/{etag}"}, {"if_modified_since": modified}):
        again = await raw(filled, **headers)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert (await raw(filled, if_none_match='"other"', if_modified_since=modified)).status_code == 200

    await filled.submit(story(headline="Ferry returns at last"))
    await filled.out(version=2)
    changed = await raw(filled, if_none_match=etag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    assert b"at last" in changed.content


async def test_gzip_is_the_same_document_under_its_own_etag(filled: Wire) -> None:
    plain, zipped = await raw(filled), await raw(filled, accept_encoding="gzip, br")
    assert zipped.headers["content-encoding"] == "gzip"
    assert gzip.decompress(zipped.content) == plain.content
    assert zipped.headers["etag"] != plain.headers["etag"]
    assert "accept-encoding" in zipped.headers["vary"].lower()
    same = await raw(filled, accept_encoding="gzip", if_none_match=zipped.headers["etag"])
    assert same.status_code == 304
    refused = await raw(filled, accept_encoding="gzip;q=0, identity")
    assert "content-encoding" not in refused.headers


async def test_head_says_what_get_would_without_a_body(filled: Wire) -> None:
    got, head = await raw(filled), await raw(filled, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "last-modified", "content-type", "content-length"):
        assert head.headers[name] == got.headers[name]


async def test_readers_find_a_well_formed_feed(filled: Wire) -> None:
    answer = await filled.feed()
    assert answer.headers["content-type"].startswith("application/rss+xml")
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    assert parsed.version == "rss20"
    assert [entry.id for entry in parsed.entries] == [URI]
    empty = await filled.http.put("/v1/feeds/empty", json={"title": "Empty"})
    assert empty.status_code == 201
    assert await filled.entries("empty") == []


async def test_a_token_feed_does_not_exist_for_who_has_no_token(wire: Wire) -> None:
    feed = {"title": "Paid", "access": "token"}
    assert (await wire.http.put("/v1/feeds/paid", json=feed)).status_code == 201
    made = await wire.http.post("/v1/tokens", json={"role": "subscriber", "name": "reader"})
    token = made.json()["token"]
    await wire.submit(story())
    await wire.out()
    path = "/feeds/paid.rss"
    assert (await wire.anyone.get(path)).status_code == 404
    assert (await wire.anyone.get(path)).json() | {"detail": ""} == (
        await wire.anyone.get("/feeds/nothing.rss")
    ).json() | {"detail": ""}
    basic = base64.b64encode(f"anything:{token}".encode()).decode()
    for answer in (
        await raw(wire, path=path, authorization=f"Bearer {token}"),
        await raw(wire, path=path, authorization=f"Basic {basic}"),
        await raw(wire, path=f"{path}?token={token}"),
    ):
        assert answer.status_code == 200
        assert URI.encode() in answer.content
        assert "private" in answer.headers["cache-control"]
        assert "authorization" in answer.headers["vary"].lower()
    assert (await raw(wire, path=f"{path}?token=nw_wrong")).status_code == 404
    assert (await wire.http.delete(f"/v1/tokens/{made.json()['id']}")).status_code == 204
    assert (await raw(wire, path=f"{path}?token={token}")).status_code == 410


async def test_a_filter_decides_what_is_in_a_feed(wire: Wire) -> None:
    for name, wanted in (("de", {"languages": ["de"]}), ("ferry", {"words": ["ferry"]})):
        answer = await wire.http.put(f"/v1/feeds/{name}", json={"title": name, "filter": wanted})
        assert answer.status_code == 201
    german = "urn:newsml:test.example:de"
    await wire.submit(story())
    await wire.submit(story(german, language="de-AT", headline="Der Hafen ist offen", body_text="Wieder offen."))
    await wire.out()
    await wire.out(german)
    assert await wire.guids("de") == [german]
    assert await wire.guids("ferry") == [URI]
    assert set(await wire.guids()) == {URI, german}


async def test_a_feed_shows_its_limit_newest_first_and_is_gone_when_deleted(wire: Wire) -> None:
    assert (await wire.http.put("/v1/feeds/two", json={"title": "Two", "limit": 2})).status_code == 201
    for number in range(4):
        await wire.submit(story(f"urn:newsml:test.example:{number}"))
        await wire.out(f"urn:newsml:test.example:{number}")
    assert await wire.guids("two") == ["urn:newsml:test.example:3", "urn:newsml:test.example:2"]
    assert (await wire.http.delete("/v1/feeds/two")).status_code == 204
    assert (await wire.anyone.get("/feeds/two.rss")).status_code == 410


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/title"),
        ({"title": "x", "limit": 0}, "/limit"),
        ({"title": "x", "filter": {"tpoics": []}}, "/filter/tpoics"),
    ],
)
async def test_settings_that_make_no_sense_are_named(wire: Wire, body: dict[str, object], pointer: str) -> None:
    answer = await wire.http.put("/v1/feeds/bad", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
