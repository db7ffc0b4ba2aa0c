"""The social API on a real server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from newswire_publisher.routing.sinks import Dispatch
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.api import SocialApi
from newswire_publisher.social.sink import SocialSinks
from newswire_runtime.auth import Role, Tokens
from newswire_runtime.conf import Table
from newswire_runtime.http import build_app
from newswire_schemas.article import Act, Article

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACCOUNT = {"platform": "bluesky", "mode": "manual", "credentials": {"password": "s3cret"}, "utm": {"source": "bsky"}}


def article(n: int = 1, uri: str = "urn:a") -> Article:
    return Article(uri=uri, version=n, version_created=MOMENT, first_created=MOMENT, headline=f"Version {n}")


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Any]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def sinks(client: Any) -> SocialSinks:
    return SocialSinks(client, Table(client, "accounts", Account), "https://n.example/", 2)


@pytest.fixture
async def http(client: Any, sinks: SocialSinks) -> AsyncIterator[httpx.AsyncClient]:
    async def load(key: str) -> Article | None:
        return article() if key == article().key else None

    app = build_app([])
    SocialApi(sinks=sinks, tokens=Tokens(client, "op-token"), load_article=load).install(app)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://api", headers={"Authorization": "Bearer op-token"}
    ) as http:
        yield http


async def publish(sinks: SocialSinks, n: int = 1, act: Act = Act.NEW, uri: str = "urn:a") -> None:
    await sinks.deliver([Dispatch("acc", act, article(n, uri), MOMENT, MOMENT, MOMENT, "trace-1")])


async def test_an_account_is_put_shown_listed_and_deleted_without_its_secrets(
    http: httpx.AsyncClient, sinks: SocialSinks
) -> None:
    made = await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    assert made.status_code == 201
    assert (await http.put("/v1/social/accounts/acc", json=ACCOUNT)).status_code == 200
    shown = await http.get("/v1/social/accounts/acc")
    listed = await http.get("/v1/social/accounts")
    assert shown.json() == made.json() == listed.json()["items"][0]
    assert "s3cret" not in made.text
    stored = await sinks.accounts.get("acc")
    assert stored is not None
    assert stored.credentials["password"].get_secret_value() == "s3cret"
    assert (await http.delete("/v1/social/accounts/acc")).status_code == 204
    assert (await http.get("/v1/social/accounts/acc")).status_code == 404


@pytest.mark.parametrize(
    ("name", "change", "pointer"),
    [
        ("acc", {"mode": "auto"}, "/mode"),
        ("acc", {"pace": "1/h"}, "/pace"),
        ("acc", {"quiet": ["22:00", "06:00"]}, "/quiet"),
        ("acc", {"template": "{body}"}, "/template"),
        ("acc", {"colour": "red"}, "/colour"),
        ("No~pe", {}, "/path/name"),
    ],
)
async def test_what_cannot_be_honoured_is_422_with_a_pointer(
    http: httpx.AsyncClient, name: str, change: dict[str, Any], pointer: str
) -> None:
    answer = await http.put(f"/v1/social/accounts/{name}", json=ACCOUNT | change)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_a_poster_leases_and_settles(http: httpx.AsyncClient, sinks: SocialSinks) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    await publish(sinks)
    queue = (await http.get("/v1/social/queues/acc")).json()
    assert (queue["counts"], len(queue["next"])) == ({"queued": 1}, 1)
    leased = await http.post("/v1/social/queues/acc/lease", json={"limit": 5, "seconds": 60})
    (item,) = leased.json()["items"]
    link = f"https://n.example/articles/{article().key}?utm_source=bsky"
    assert item["text"] == f"Version 1\n\n{link}"
    assert (item["action"], item["link"], item["attempts"]) == ("post", link, 1)
    assert item["article"] == {"uri": "urn:a", "key": article().key, "version": 1, "headline": "Version 1"}
    assert datetime.fromisoformat(item["lease_until"]) > datetime.now(UTC)
    said = {"id": item["id"], "lease": item["lease"], "outcome": "sent", "remote_id": "r1"}
    for _ in range(2):
        settled = await http.post("/v1/social/queues/acc/settle", json=said)
        assert (settled.status_code, settled.json()) == (200, {"id": item["id"], "state": "sent"})
    outdated = await http.post("/v1/social/queues/acc/settle", json=said | {"lease": "other"})
    assert (outdated.status_code, outdated.json()["type"]) == (409, "/problems/lease-outdated")
    await publish(sinks, 2, Act.KILL)
    (recall,) = (await http.post("/v1/social/queues/acc/lease")).json()["items"]
    assert (recall["action"], recall["remote_id"], recall["of"]) == ("delete", "r1", item["id"])


async def test_a_lease_is_never_shown_in_lists(http: httpx.AsyncClient, sinks: SocialSinks) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    await publish(sinks)
    (item,) = (await http.post("/v1/social/queues/acc/lease")).json()["items"]
    assert item["lease"] not in (await http.get("/v1/social/posts")).text


async def test_posts_are_listed_newest_first_by_pages_and_state(http: httpx.AsyncClient, sinks: SocialSinks) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    for n in range(5):
        await publish(sinks, uri=f"urn:{n}")
    await http.post("/v1/social/queues/acc/lease", json={"limit": 2})
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await http.get("/v1/social/posts", params={"account": "acc", "limit": "2", **cursor})).json()
        found += [post["id"] for post in page["items"]]
        if "cursor" not in page:
            break
        cursor = {"cursor": page["cursor"]}
    everything = (await http.get("/v1/social/posts")).json()["items"]
    assert found == [post["id"] for post in everything]
    assert len(set(found)) == 5
    assert [post["created"] for post in everything] == sorted((post["created"] for post in everything), reverse=True)
    queued = (await http.get("/v1/social/posts", params={"state": "queued"})).json()["items"]
    assert len(queued) == 3


async def test_the_desk_cancels_and_resends(http: httpx.AsyncClient, sinks: SocialSinks) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    await publish(sinks)
    (post,) = (await http.get("/v1/social/posts")).json()["items"]
    address = f"/v1/social/posts/{post['id']}"
    assert (await http.post(f"{address}/cancel")).json()["state"] == "cancelled"
    assert (await http.post(f"{address}/cancel")).status_code == 409
    assert (await http.post(f"{address}/resend")).json()["state"] == "queued"
    assert (await http.get(address)).json()["state"] == "queued"


async def test_a_preview_is_the_text_that_goes_out(http: httpx.AsyncClient, sinks: SocialSinks) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    await publish(sinks)
    (post,) = (await http.get("/v1/social/posts")).json()["items"]
    by_key = await http.post("/v1/social/preview", json={"account": "acc", "key": article().key})
    by_body = await http.post(
        "/v1/social/preview", json={"account": "acc", "article": {"uri": "urn:a", "headline": "Version 1"}}
    )
    assert by_key.json() == by_body.json()
    assert by_key.json()["text"] == post["text"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "accounts/none", None),
        ("DELETE", "accounts/none", None),
        ("GET", "queues/none", None),
        ("POST", "queues/none/lease", {}),
        ("POST", "queues/acc/settle", {"id": "acc~x", "lease": "l", "outcome": "sent"}),
        ("POST", "queues/acc/settle", {"id": "other~x", "lease": "l", "outcome": "sent"}),
        ("GET", "posts?account=none", None),
        ("POST", "posts/acc~x/cancel", None),
        ("POST", "posts/nonsense/resend", None),
        ("POST", "preview", {"account": "none", "key": "x"}),
        ("POST", "preview", {"account": "acc", "key": "x"}),
    ],
)
async def test_what_does_not_exist_is_404(http: httpx.AsyncClient, method: str, path: str, body: Any) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    answer = await http.request(method, f"/v1/social/{path}", json=body)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("queues/acc/lease", {"seconds": 0}),
        ("queues/acc/lease", {"limit": 1000}),
        ("queues/acc/settle", {"id": "acc~x", "lease": "l", "outcome": "sent", "retry_in": 5}),
        ("queues/acc/settle", {"id": "acc~x", "lease": "l", "outcome": "lost"}),
        ("preview", {"account": "acc"}),
    ],
)
async def test_a_body_that_makes_no_sense_is_422(http: httpx.AsyncClient, path: str, body: Any) -> None:
    await http.put("/v1/social/accounts/acc", json=ACCOUNT)
    assert (await http.post(f"/v1/social/{path}", json=body)).status_code == 422


async def test_a_cursor_that_is_not_ours_is_422(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/social/posts", params={"cursor": "%%"})).status_code == 422


async def test_only_operators_may_call(http: httpx.AsyncClient, client: Any) -> None:
    secret, _ = await Tokens(client, None).create(Role.SOURCE, "desk", MOMENT)
    for path in ("accounts", "posts", "queues/acc"):
        assert (await http.get(f"/v1/social/{path}", headers={"Authorization": f"Bearer {secret}"})).status_code == 403
