"""How feeds go over the wire: codings, formats, limits, and answers that are kept ready and never stale."""

import asyncio
import contextlib
import gzip
import shutil
import subprocess
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import brotli
import httpx
import pytest
import zstandard
from support.servers import KillableServer
from support.wire import Wire, running, story, until

from newswire_publisher.app import build as build_publisher
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.shrinker import Shrinker

PATH = "/feeds/all.rss"


@pytest.fixture
async def filled(wire: Wire) -> Wire:
    await wire.submit(story())
    await wire.out()
    return wire


async def raw(wire: Wire, method: str = "GET", path: str = PATH, **headers: str) -> httpx.Response:
    """Ask with these headers alone, and leave the body as it came."""
    asked = {"accept-encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with wire.anyone.stream(method, path, headers=asked) as answer:
        answer._content = b"".join([part async for part in answer.aiter_raw()])
    return answer


class Poller:
    """A client that sends the same bytes each time, over one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        self._reader, self._writer, self._head = reader, writer, head

    async def poll(self) -> tuple[int, dict[str, str], bytes]:
        self._writer.write(self._head)
        async with asyncio.timeout(5):
            lines = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:-2])}
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return int(lines[0].split()[1]), headers, body


@contextlib.asynccontextmanager
async def polling(wire: Wire, path: str = PATH, **headers: str) -> AsyncIterator[Poller]:
    address = urlsplit(wire.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    lines = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    try:
        yield Poller(reader, writer, "\r\n".join(lines).encode() + b"\r\n\r\n")
    finally:
        writer.close()


async def ready(poller: Poller) -> tuple[int, dict[str, str], bytes]:
    """Poll until the answer is one that was kept: it names no request."""

    async def kept() -> tuple[int, dict[str, str], bytes] | None:
        answer = await poller.poll()
        return None if "x-request-id" in answer[1] else answer

    found: tuple[int, dict[str, str], bytes] = await until(kept, what="an answer is kept ready")
    return found


async def test_every_coding_unpacks_to_the_document_under_a_tag_of_its_own(
    filled: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = await raw(filled)
    tags = {plain.headers["etag"]}
    for coding, unpack in (
        ("gzip", gzip.decompress),
        ("br", brotli.decompress),
        ("zstd", zstandard.ZstdDecompressor().decompress),
    ):
        answer = await raw(filled, accept_encoding=f"{coding}, identity;q=0")
        assert answer.headers["content-encoding"] == coding
        assert unpack(answer.content) == plain.content
        again = await raw(filled, accept_encoding=coding, if_none_match=answer.headers["etag"])
        assert (again.status_code, again.headers["etag"]) == (304, answer.headers["etag"])
        tags.add(answer.headers["etag"])
    assert len(tags) == 4


async def test_a_document_that_rests_is_compressed_well_and_its_earlier_tag_still_counts(filled: Wire) -> None:
    first = await raw(filled, accept_encoding="gzip")

    async def smaller() -> httpx.Response | None:
        answer = await raw(filled, accept_encoding="gzip")
        return answer if answer.headers["etag"] != first.headers["etag"] else None

    second: httpx.Response = await until(smaller, what="a small gzip")
    assert gzip.decompress(first.content) == gzip.decompress(second.content)
    assert len(second.content) < len(first.content)
    for tag in (first.headers["etag"], second.headers["etag"]):
        again = await raw(filled, accept_encoding="gzip", if_none_match=tag)
        assert (again.status_code, again.headers["etag"]) == (304, tag)


async def test_who_takes_no_coding_is_told_which_there_are(filled: Wire) -> None:
    answer = await raw(filled, accept_encoding="deflate, identity;q=0")
    assert answer.status_code == 406
    assert answer.headers["content-type"] == "application/problem+json"
    assert "gzip" in answer.json()["detail"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
async def test_curl_unpacks_what_it_asks_for(filled: Wire) -> None:
    plain = await raw(filled)
    asked = ["curl", "-sS", "--compressed", filled.url + PATH]
    got = await asyncio.to_thread(subprocess.run, asked, capture_output=True, check=True)
    assert got.stdout == plain.content


async def test_the_same_request_again_is_answered_from_what_is_kept(filled: Wire) -> None:
    plain = await raw(filled)
    async with polling(filled) as whole, polling(filled, If_None_Match=plain.headers["etag"]) as reader:
        status, headers, body = await ready(whole)
        assert (status, body) == (200, plain.content)
        for name in ("etag", "last-modified", "content-type", "cache-control", "vary", "content-length"):
            assert headers[name] == plain.headers[name]
        assert abs(parsedate_to_datetime(headers["date"]).timestamp() - time.time()) < 3
        status, headers, body = await ready(reader)
        assert (status, body, headers["etag"]) == (304, b"", plain.headers["etag"])
        assert "content-length" not in headers


async def test_a_kill_is_out_of_the_next_answer(filled: Wire) -> None:
    """Each time a reader may say what it has just been told is true: the story is gone for good."""
    async with polling(filled, Accept_Encoding="gzip") as poller:
        _, headers, _ = await ready(poller)
        async with polling(filled, Accept_Encoding="gzip", If_None_Match=headers["etag"]) as reader:
            assert (await ready(reader))[0] == 304
            await filled.desk("kill", note="Wrong ship.")
            began = time.monotonic()

            async def gone() -> bool:
                status, _, body = await reader.poll()
                return status == 200 and b"Ferry returns" not in gzip.decompress(body)

            await until(gone, seconds=2)
            assert time.monotonic() - began < 1.5
        for _ in range(20):
            assert b"Ferry returns" not in gzip.decompress((await poller.poll())[2])


async def test_a_correction_reaches_a_poller_at_once(filled: Wire) -> None:
    async with polling(filled) as poller:
        for number in range(5):
            await ready(poller)
            generation = int(await filled.broker.hget("feed:{0}:all:state", "generation"))
            await filled.submit(story(headline=f"Ferry returns, take {number}"))

            async def changed(before: int = generation) -> bool:
                return int(await filled.broker.hget("feed:{0}:all:state", "generation")) > before

            await until(changed)
            began = time.monotonic()

            async def seen(headline: str = f"take {number}") -> bool:
                return headline.encode() in (await poller.poll())[2]

            await until(seen)
            assert time.monotonic() - began < 0.5


async def test_new_settings_reach_a_poller_at_once(filled: Wire) -> None:
    async def put(**fields: object) -> None:
        answer = await filled.http.put("/v1/feeds/all", json={"title": "All"} | fields)
        assert answer.status_code in (200, 201)

    await put()
    async with polling(filled) as poller:
        await ready(poller)
        await put(title="Everything")
        assert b"Everything" in (await poller.poll())[2]
        await ready(poller)
        await put(access="token")
        assert (await poller.poll())[0] == 404


async def test_the_settings_of_another_process_reach_a_poller_within_a_second(filled: Wire, redis_url: str) -> None:
    async with running(redis_url, [build_publisher]) as other, polling(other) as poller:
        await ready(poller)
        answer = await filled.http.put("/v1/feeds/all", json={"title": "All", "access": "token"})
        assert answer.status_code == 201
        began = time.monotonic()

        async def refused() -> bool:
            return (await poller.poll())[0] == 404

        await until(refused)
        assert time.monotonic() - began < 1


async def test_without_the_broker_nothing_old_is_told(
    quick: None, server: KillableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(server.url) as wire:
        await wire.submit(story())
        await wire.out()
        async with polling(wire) as poller:
            assert (await ready(poller))[0] == 200
            await server.kill()
            began = time.monotonic()

            async def unavailable() -> bool:
                return (await poller.poll())[0] == 503

            await until(unavailable)
            assert time.monotonic() - began < 2
            await server.restart()

            async def back() -> bool:
                return (await poller.poll())[0] == 200

            await until(back)
            await ready(poller)


async def test_answers_to_credentials_are_not_kept(filled: Wire) -> None:
    made = await filled.http.post("/v1/tokens", json={"role": "subscriber", "name": "reader"})
    token = made.json()["token"]
    assert (await filled.http.put("/v1/feeds/paid", json={"title": "Paid", "access": "token"})).status_code == 201
    for path, headers in (
        (PATH, {"Authorization": f"Bearer {token}"}),
        (PATH, {"X_Request_ID": "mine-12345678"}),
        (PATH, {"Cookie": "a=b"}),
        (f"/feeds/paid.rss?token={token}", {}),
    ):
        async with polling(filled, path, **headers) as poller:
            for _ in range(3):
                status, told, _ = await poller.poll()
                assert status == 200
                assert "x-request-id" in told
    assert (await filled.http.delete(f"/v1/tokens/{made.json()['id']}")).status_code == 204
    assert (await raw(filled, path=f"/feeds/paid.rss?token={token}")).status_code == 410


async def test_kept_answers_are_counted(filled: Wire) -> None:
    async def count() -> float:
        text = (await filled.anyone.get("/metrics")).text
        lines = [line for line in text.splitlines() if line.startswith('newswire_feed_requests_total{status="200"}')]
        return float(lines[0].split()[1]) if lines else 0

    before = await count()
    async with polling(filled) as poller:
        for _ in range(50):
            await poller.poll()

    async def counted() -> bool:
        return await count() - before == 50

    await until(counted)


async def test_who_polls_without_validators_is_asked_to_wait(quick: None, redis_url: str) -> None:
    async with running(redis_url, poll_limit=3) as wire:
        await wire.submit(story())
        await wire.out()
        async with polling(wire) as poller:
            answers = [await poller.poll() for _ in range(8)]
            refused = [answer for answer in answers if answer[0] == 429]
            assert 3 <= len(refused) <= 5
            assert answers[0][0] == 200
            assert answers[-1][0] == 429
            assert 1 <= int(refused[0][1]["retry-after"]) <= 60
            assert refused[0][1]["content-type"] == "application/problem+json"
            assert (await poller.poll())[0] == 429
        for headers in ({"If-None-Match": '"other"'}, {"If-Modified-Since": "Fri, 07 Feb 2020 12:00:00 GMT"}):
            async with polling(wire, **headers) as poller:
                assert {(await poller.poll())[0] for _ in range(20)} == {200}
        assert (await raw(wire, "HEAD")).status_code == 200
        await wire.submit(story(headline="Ferry returns at last"))
        await wire.out(version=2)
        assert (await raw(wire)).status_code == 200


async def test_accept_chooses_the_format(filled: Wire) -> None:
    answer = await raw(filled, path="/feeds/all", accept="*/*")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/rss+xml")
    assert answer.headers["content-location"].endswith("/feeds/all.rss")
    assert "Accept" in [name.strip() for name in answer.headers["vary"].split(",")]
    assert answer.content == (await raw(filled)).content
    same = await raw(filled, path="/feeds/all", accept="*/*", if_none_match=answer.headers["etag"])
    assert same.status_code == 304
    for extension, form in FORMATS.items():
        answer = await raw(filled, path="/feeds/all", accept=f"{form.media_type.partition(';')[0]}, */*;q=0.1")
        assert answer.headers["content-type"] == form.media_type
        assert answer.content == (await raw(filled, path=f"/feeds/all.{extension}")).content
    browser = await raw(
        filled, path="/feeds/all", accept="text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    )
    assert browser.status_code == 200
    none = await raw(filled, path="/feeds/all", accept="image/png")
    assert none.status_code == 406
    assert set(none.json()["formats"]) == set(FORMATS)
    assert none.headers["vary"] == "Accept"
    assert (await raw(filled, path="/feeds/nothing", accept="image/png")).status_code == 404


async def test_caches_ask_each_time_and_no_header_tells_of_an_embargo(filled: Wire) -> None:
    before = await raw(filled)
    assert before.headers["cache-control"] == "public, no-cache, max-age=60"
    assert b"<ttl>1</ttl>" in before.content
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 20))
    await filled.submit(story("urn:newsml:test.example:secret", embargoed_until=later))
    await filled.submit(story("urn:newsml:test.example:open"))
    await filled.out("urn:newsml:test.example:open")
    after = await raw(filled)
    assert b"secret" not in after.content
    assert after.headers["cache-control"] == before.headers["cache-control"]
    for answer in (before, after, await raw(filled, "HEAD")):
        assert "set-cookie" not in answer.headers
        assert set(answer.headers) == set(before.headers)


async def test_documents_that_were_replaced_are_not_compressed() -> None:
    from newswire_publisher.feeds.codings import Piece
    from newswire_publisher.feeds.representations import Representations

    done: list[str] = []
    shrinker = Shrinker(done.append, quiet=0)
    old, new = (Representations(f'"{name}"', [Piece(b"x" * 1000)]) for name in ("old", "new"))
    shrinker.want("old", old, "gzip")
    shrinker.want("new", new, "gzip")
    shrinker.want("new", new, "gzip")
    del old
    running_loop = asyncio.create_task(shrinker.run())
    await until(lambda: done)
    running_loop.cancel()
    assert done == ["new"]
