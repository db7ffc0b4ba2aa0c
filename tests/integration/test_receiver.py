"""The demo receiver, behind a real server, against the real sender and the reference library."""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from ipaddress import ip_network

import httpx
import pytest
import uvicorn
from standardwebhooks.webhooks import Webhook

from newswire_cli.receiver import MAX_BODY, Delivery, build, verify
from newswire_publisher.articles import message
from newswire_publisher.webhooks import headers as push_headers
from newswire_publisher.webhooks.signing import Secret, sign
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.ssrf import AddressGuard

SECRET = Secret.generate()
BODY = message.build("article.new", datetime(2025, 2, 7, tzinfo=UTC), 1, b'{"uri":"urn:1"}')


def headers(message_id: str = "m1", timestamp: int | None = None, body: bytes = BODY) -> dict[str, str]:
    at = int(time.time()) if timestamp is None else timestamp
    return push_headers.headers(message_id, at, sign([SECRET], message_id, at, body), {})


@pytest.fixture
def events() -> list[Delivery]:
    return []


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.fixture
async def receiver(events: list[Delivery], listening: socket.socket) -> AsyncIterator[str]:
    app = build({"desk": SECRET.reveal(), "deep/er": SECRET.reveal()}, events.append)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture
async def http(receiver: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=receiver, trust_env=False) as client:
        yield client


async def test_a_signed_delivery_of_the_guarded_client_is_taken_and_listed(
    receiver: str, http: httpx.AsyncClient, events: list[Delivery]
) -> None:
    async with GuardedClient(AddressGuard([ip_network("127.0.0.0/8")])) as client:
        outcome = await client.post(f"{receiver}/desk", BODY, headers(), 5)

    listed = (await http.get("/")).json()["items"]
    assert outcome.status == 204
    assert [(e.path, e.id, e.type, e.sequence, e.repeated) for e in events] == [("desk", "m1", "article.new", 1, False)]
    assert listed[0]["body"]["data"] == {"uri": "urn:1"}
    assert abs(listed[0]["received_at"] - time.time()) < 10


async def test_a_repeat_is_taken_and_marked(http: httpx.AsyncClient, events: list[Delivery]) -> None:
    for path in ("/desk", "/desk", "/deep/er"):
        assert (await http.post(path, content=BODY, headers=headers())).status_code == 204

    assert [event.repeated for event in events] == [False, True, False]


async def test_the_newest_is_listed_first(http: httpx.AsyncClient) -> None:
    for number in range(3):
        await http.post("/desk", content=BODY, headers=headers(f"m{number}"))

    assert [item["id"] for item in (await http.get("/")).json()["items"]] == ["m2", "m1", "m0"]


@pytest.mark.parametrize(
    ("path", "changed", "status"),
    [
        ("/desk", {"webhook-id": "other"}, 401),
        ("/desk", {"webhook-signature": "v1,AAAA"}, 401),
        ("/desk", {"webhook-signature": "v2," + "A" * 44}, 401),
        ("/desk", {"webhook-timestamp": "0"}, 401),
        ("/desk", {"webhook-timestamp": "-1"}, 401),
        ("/desk", {"webhook-timestamp": "9" * 400}, 401),
        ("/desk", {"webhook-timestamp": ""}, 401),
        ("/elsewhere", {}, 404),
    ],
)
async def test_what_is_not_signed_by_the_path_is_refused(
    http: httpx.AsyncClient, events: list[Delivery], path: str, changed: dict[str, str], status: int
) -> None:
    answer = await http.post(path, content=BODY, headers=headers() | changed)

    assert answer.status_code == status
    assert events == []


async def test_a_changed_body_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/desk", content=BODY + b" ", headers=headers())).status_code == 401


async def test_a_delivery_without_signature_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/desk", content=BODY)).status_code == 401


async def test_a_signed_body_that_is_no_json_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.post("/desk", content=b"{", headers=headers(body=b"{"))).status_code == 400


async def test_a_body_without_end_is_cut_off(http: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1_000_000 + 2):
            yield b"x" * 1_000_000

    assert (await http.post("/desk", content=endless())).status_code == 413


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (299, True), (-299, True), (302, False), (-302, False)])
def test_a_delivery_is_fresh_for_five_minutes(age: int, fresh: bool) -> None:
    now = time.time()

    problem = verify(SECRET.reveal(), headers(timestamp=int(now) - age), BODY, now)

    assert (problem is None) is fresh


def test_it_verifies_what_the_reference_library_signs() -> None:
    now = datetime.now(UTC)
    signature = Webhook(SECRET.reveal()).sign("m9", now, BODY.decode())
    sent = {"webhook-id": "m9", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}

    assert verify(SECRET.reveal(), sent, BODY, now.timestamp()) is None
    assert verify("whsec_" + base64.b64encode(b"other" * 5).decode(), sent, BODY, now.timestamp()) is not None


def test_any_of_several_signatures_is_enough() -> None:
    now = int(time.time())
    signature = sign([Secret.generate(), SECRET], "m1", now, BODY)
    sent = {"webhook-id": "m1", "webhook-timestamp": str(now), "webhook-signature": f"v1a,AAAA {signature}"}

    assert verify(SECRET.reveal(), sent, BODY, now) is None
    assert json.loads(BODY)["sequence"] == 1
