"""A body that is too large is refused while it comes, by every route and before anybody is asked who calls."""

import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from support.hooks import pointers
from support.wire import Wire, running

from newswire_publisher.webhooks.challenge import is_echo
from newswire_runtime.http import build_app


@pytest.fixture
async def narrow(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    """A wire that takes 2,000 bytes."""
    async with running(redis_url, max_body=2_000) as started:
        yield started


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/webhooks"),
        ("PATCH", "/v1/webhooks/wh_1"),
        ("POST", "/v1/webhooks/wh_1/replay"),
        ("POST", "/v1/tokens"),
        ("PUT", "/v1/feeds/x"),
        ("POST", "/v1/articles"),
    ],
)
async def test_a_body_over_the_limit_is_refused(narrow: Wire, method: str, path: str) -> None:
    declared = await narrow.http.request(method, path, content=b" " * 2_001)
    assert (declared.status_code, declared.headers["content-type"]) == (413, "application/problem+json")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 1_000

    assert (await narrow.http.request(method, path, content=endless())).status_code == 413


async def test_a_body_within_the_limit_is_read_whole(narrow: Wire) -> None:
    made = await narrow.http.post("/v1/webhooks", json={"description": "x" * 1_500})
    assert made.status_code == 201
    assert made.json()["description"] == "x" * 1_500


async def test_a_restore_takes_more_than_other_calls(narrow: Wire) -> None:
    for number in range(5):
        assert (await narrow.http.post("/v1/webhooks", json={"description": f"{number}" * 900})).status_code == 201
    kept = (await narrow.http.get("/v1/backup")).content
    assert len(kept) > 2_000
    assert (await narrow.http.post("/v1/restore", content=kept)).json()["unchanged"] == 5


@pytest.mark.parametrize(
    "body", ['{"retry": ' + "[" * 5_000 + "]" * 5_000 + "}", "[" * 100_000, '{"rate": 1', "\u2028", ""]
)
async def test_json_that_cannot_be_read_is_refused_by_every_route_alike(wire: Wire, body: str) -> None:
    made = await wire.hook()
    json = {"Content-Type": "application/json"}
    patched = await wire.http.patch(f"/v1/webhooks/{made.id}", content=body, headers=json)
    assert (patched.status_code, patched.json()["type"]) == (422, "/problems/malformed-input")
    for method, path in (("POST", "/v1/webhooks"), ("POST", "/v1/tokens"), ("PUT", "/v1/feeds/x")):
        answer = await wire.http.request(method, path, content=body, headers=json)
        assert pointers(answer) == [""], path
        assert body == "" or "Invalid JSON: " in answer.json()["detail"]


async def test_a_cursor_of_deep_json_is_an_unknown_one(wire: Wire) -> None:
    answer = await wire.http.get("/v1/webhooks", params={"cursor": base64.urlsafe_b64encode(b"[" * 6_000).decode()})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unknown-cursor")


async def test_an_answer_of_deep_json_is_no_echo() -> None:
    assert not is_echo(b'{"challenge": ' + b"[" * 16_000, "tok")


async def test_a_fault_of_ours_is_answered_with_the_id_that_the_log_has() -> None:
    app: FastAPI = build_app([])

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError("of ours")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://newswire") as http:
        named = await http.get("/breaks", headers={"X-Request-ID": "0123456789"})
        assert (named.status_code, named.headers["x-request-id"]) == (500, "0123456789")
        assert len((await http.get("/breaks")).headers["x-request-id"]) == 32
