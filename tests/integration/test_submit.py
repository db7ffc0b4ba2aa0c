"""Ingest's HTTP routes on a real server: the life-cycle, and what becomes of what is refused."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from support.servers import KillableServer
from support.waiting import until

from newswire_ingest.app import build
from newswire_runtime.auth import Role, Tokens
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client
from newswire_runtime.dead import DeadLetters
from newswire_runtime.http import build_app
from newswire_runtime.settings import Settings
from newswire_schemas.article import MAX_VERSION, key_of
from newswire_schemas.events import ArticleReceived
from newswire_schemas.streams import WireKeys

KEYS = WireKeys(0)
OPERATOR = "an-operator-token"
URI = "urn:test:1"
Answer = tuple[int, list[dict[str, Any]]]


class Desk:
    """The HTTP API, and what came out of it."""

    def __init__(self, http: httpx.AsyncClient, client: Client) -> None:
        self.http = http
        self.client = client
        self.tokens = Tokens(client, None)

    async def submit(self, token: str = OPERATOR, **fields: Any) -> tuple[int, str, str, int | None]:
        """Submit one article; return the status, its outcome, its act and its version."""
        body = {"uri": URI, "headline": "A", **fields}
        answer = await self.http.post("/v1/articles", json=body, headers=bearer(token))
        return self.one(answer)

    async def act(self, word: str, token: str = OPERATOR, uri: str = URI, **note: str) -> httpx.Response:
        path = f"/v1/articles/{key_of(uri)}/{word}"
        return await self.http.post(path, json=note or None, headers=bearer(token))

    @staticmethod
    def one(answer: httpx.Response) -> tuple[int, str, str, int | None]:
        [item] = answer.json()["items"]
        return answer.status_code, item["outcome"], item["act"], item.get("version")

    async def source(self, name: str) -> str:
        secret, _ = await self.tokens.create(Role.SOURCE, name, datetime.now(UTC))
        return secret

    async def received(self) -> list[ArticleReceived]:
        entries = await self.client.xrange(KEYS.received)
        return [ArticleReceived.model_validate_json(fields[b"event"]) for _, fields in entries]

    async def acts(self) -> list[tuple[str, int]]:
        return [(event.act.value, event.article.version) for event in await self.received()]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def running(url: str) -> AsyncIterator[Desk]:
    settings = Settings.model_validate({"broker_url": url, "operator_token": OPERATOR, "max_body": 5_000})
    service = build(settings)
    await service.start()
    transport = httpx.ASGITransport(build_app([service]), raise_app_exceptions=False)
    async with make_client(url) as client, httpx.AsyncClient(transport=transport, base_url="http://i") as http:
        yield Desk(http, client)
    await service.stop()


@pytest.fixture
async def desk(redis_url: str) -> AsyncIterator[Desk]:
    async for each in running(redis_url):
        yield each


async def test_the_life_of_an_article(desk: Desk) -> None:
    assert await desk.submit(version=1) == (202, "accepted", "new", 1)
    assert await desk.submit(version=2, headline="B", ed_note="fixes A") == (202, "accepted", "correction", 2)
    assert await desk.submit(version=2, headline="B", ed_note="fixes A") == (200, "unchanged", "correction", 2)
    assert await desk.submit(version=1) == (200, "stale", "new", 2)
    assert await desk.submit(version=2, headline="C") == (200, "stale", "correction", 2)
    assert await desk.submit(version=3, pub_status="withheld") == (202, "accepted", "withhold", 3)
    assert await desk.submit(version=4, headline="D") == (202, "accepted", "reinstate", 4)
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    assert await desk.submit(version=5, headline="D", expires=past) == (202, "accepted", "expire", 5)
    assert await desk.submit(version=6, pub_status="canceled") == (202, "accepted", "kill", 6)
    assert await desk.submit(version=7, headline="E") == (200, "rejected", "correction", 6)
    acts = ["new", "correction", "withhold", "reinstate", "expire", "kill"]
    assert await desk.acts() == [(act, number) for number, act in enumerate(acts, 1)]


async def test_a_rewrite_is_a_new_article_that_names_its_origin(desk: Desk) -> None:
    await desk.submit()
    assert await desk.submit(uri="urn:test:2", evolved_from=URI) == (202, "accepted", "rewrite", 1)
    assert (await desk.received())[-1].article.evolved_from == URI


async def test_versions_that_arrive_in_reverse_leave_the_newest(desk: Desk) -> None:
    outcomes = [(await desk.submit(version=n, headline=f"v{n}"))[1] for n in (3, 2, 1)]
    assert outcomes == ["accepted", "stale", "stale"]
    assert await desk.acts() == [("new", 3)]


async def test_without_a_version_an_edit_is_the_next_one_and_a_repeat_is_none(desk: Desk) -> None:
    assert await desk.submit() == (202, "accepted", "new", 1)
    assert (await desk.submit())[1] == "unchanged"
    assert await desk.submit(headline="B") == (202, "accepted", "correction", 2)


async def test_a_kill_that_overtakes_the_first_version_wins(desk: Desk) -> None:
    assert await desk.submit(version=2, pub_status="canceled", headline=None) == (202, "accepted", "kill", 2)
    assert (await desk.submit(version=1))[1] == "stale"
    assert (await desk.submit(version=3))[1] == "rejected"
    assert await desk.acts() == [("kill", 2)]


async def test_an_item_with_nothing_to_publish_is_rejected(desk: Desk) -> None:
    assert (await desk.submit(headline=None))[:2] == (200, "rejected")
    assert await desk.received() == []


async def test_items_of_one_call_are_answered_one_by_one(desk: Desk) -> None:
    await desk.submit()
    items = [{"uri": URI, "headline": "A"}, {"uri": "urn:test:2", "headline": "B"}]
    answer = await desk.http.post("/v1/articles", json={"items": items}, headers=bearer(OPERATOR))
    assert answer.status_code == 202
    assert [item["outcome"] for item in answer.json()["items"]] == ["unchanged", "accepted"]


async def test_the_desk_withholds_reinstates_and_kills(desk: Desk) -> None:
    await desk.submit(section="politics")
    assert desk.one(await desk.act("withhold", ed_note="wait")) == (202, "accepted", "withhold", 2)
    assert desk.one(await desk.act("withhold")) == (200, "unchanged", "withhold", 2)
    assert (await desk.submit(section="politics"))[:2] == (200, "unchanged"), (
        "a page that is read again brings nothing back"
    )
    assert desk.one(await desk.act("reinstate")) == (202, "accepted", "reinstate", 3)
    assert (await desk.submit(section="politics"))[1] == "unchanged"
    assert desk.one(await desk.act("kill", ed_note="wrong")) == (202, "accepted", "kill", 4)
    refused = await desk.act("reinstate")
    assert (refused.status_code, refused.headers["content-type"]) == (409, "application/problem+json")
    killed = (await desk.received())[-1].article
    assert (killed.headline, killed.section, killed.ed_note) == ("A", "politics", "wrong")


async def test_only_a_withheld_article_is_reinstated(desk: Desk) -> None:
    await desk.submit()
    assert (await desk.act("reinstate")).status_code == 200  # it is usable already
    assert (await desk.act("kill", uri="urn:test:unknown")).status_code == 404


async def test_an_article_of_the_greatest_version_can_be_killed(desk: Desk) -> None:
    await desk.submit(version=MAX_VERSION)
    assert (await desk.submit(headline="B"))[:2] == (202, "accepted")
    assert desk.one(await desk.act("kill")) == (202, "accepted", "kill", MAX_VERSION)
    ranks = [event.article.rank for event in await desk.received()]
    assert ranks == sorted(set(ranks))


async def test_a_source_changes_its_own_articles_only(desk: Desk) -> None:
    first, second = await desk.source("belta"), await desk.source("tass")
    assert (await desk.submit(first))[1] == "accepted"
    assert (await desk.submit(second, version=9))[1] == "rejected"
    assert (await desk.act("kill", second)).status_code == 404
    assert (await desk.submit(version=2, headline="by the operator"))[1] == "accepted"
    assert (await desk.act("kill", first)).status_code == 202
    assert {event.owner for event in await desk.received()} == {"belta"}


async def test_who_may_not_submit_is_told_so(desk: Desk) -> None:
    reader, _ = await desk.tokens.create(Role.SUBSCRIBER, "reader", datetime.now(UTC))
    codes = [
        (await desk.http.post("/v1/articles", json={}, headers=headers)).status_code
        for headers in ({}, bearer("unknown"), {"Authorization": "Basic eA=="}, bearer(reader))
    ]
    assert codes == [401, 401, 401, 403]


async def test_an_idempotency_key_repeats_the_first_answer(desk: Desk) -> None:
    headers = {**bearer(OPERATOR), "Idempotency-Key": "k1", "Content-Type": "application/json"}
    first = await desk.http.post("/v1/articles", content=b'{"headline": "A"}', headers=headers)
    again = await desk.http.post("/v1/articles", content=b'{"headline": "A"}', headers=headers)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await desk.http.post("/v1/articles", content=b'{"headline": "B"}', headers=headers)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(await desk.received()) == 1


async def test_a_key_whose_first_call_still_runs_is_a_conflict(desk: Desk) -> None:
    headers = {**bearer(OPERATOR), "Idempotency-Key": "k1", "Content-Type": "application/json"}
    await desk.http.post("/v1/articles", content=b'{"headline": "A"}', headers=headers)
    [slot] = await desk.client.keys("wire:*:answer:*")
    kept = (await desk.client.get(slot)).decode()
    await desk.client.set(slot, kept.split(",")[0] + "]")  # as it is while the first call runs
    answer = await desk.http.post("/v1/articles", content=b'{"headline": "A"}', headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/in-progress")


async def test_a_key_of_a_call_that_failed_can_be_used_again(desk: Desk) -> None:
    headers = {**bearer(OPERATOR), "Idempotency-Key": "k1", "Content-Type": "application/json"}
    assert (await desk.http.post("/v1/articles", content=b"{", headers=headers)).status_code == 422
    assert (await desk.http.post("/v1/articles", content=b'{"headline": "A"}', headers=headers)).status_code == 202


@pytest.mark.parametrize(
    ("body", "content_type", "status", "pointers"),
    [
        (b"x" * 5_001, "application/json", 413, None),
        (b"%PDF", "application/pdf", 415, None),
        (b"{", "application/json", 422, None),
        (b'{"headline": "A", "urgency": 12, "hedline": "B"}', "application/json", 422, ["/hedline", "/urgency"]),
        (b'[{"headline": "A"}, {"headline": "B", "version": 0}]', "application/json", 422, ["/1/version"]),
        (b'{"headline": "A", "uri": "plain"}', "application/json", 422, ["/uri"]),
        (b'{"headline": "A", "uri": "urn:a", "evolved_from": "b/c"}', "application/json", 422, ["/evolved_from"]),
        (b'{"headlines": [{"value": "A"}], "uri": "plain"}', "application/ninjs+json", 422, None),
    ],
)
async def test_what_is_refused_is_explained_and_kept(
    desk: Desk, body: bytes, content_type: str, status: int, pointers: list[str] | None
) -> None:
    headers = {**bearer(OPERATOR), "Content-Type": content_type}
    answer = await desk.http.post("/v1/articles", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    if pointers is not None:
        assert sorted(error["pointer"] for error in answer.json()["errors"]) == pointers
    [letter] = await DeadLetters(desk.client, 1).newest()
    assert (letter.reason, letter.stage, letter.replayable) == ("refused", "ingest", status != 413)
    assert await desk.received() == []


async def test_a_refused_submission_is_replayed_for_its_caller_and_kept_again(desk: Desk) -> None:
    token = await desk.source("operator")  # a source of that name has no operator's rights, on a replay neither
    await desk.submit(headline="the operator's own", uri="urn:test:own")
    foreign = b'{"uri": "urn:test:own", "headline": "B", "bad": 1}'
    await desk.http.post("/v1/articles", content=foreign, headers={**bearer(token), "Content-Type": "application/json"})
    dead = DeadLetters(desk.client, 1)
    [first] = await dead.newest()
    assert b'"may_change_all":false' in first.event
    await dead.replay(first.id)

    async def back() -> bool:
        found = await dead.newest()
        return bool(found) and found[0].id != first.id

    await until(back, "the letter to come back: the bytes are still bad")


async def test_a_replay_of_what_can_be_read_now_is_accepted(desk: Desk) -> None:
    headers = {**bearer(await desk.source("belta")), "Content-Type": "text/unknown", "X-Request-ID": "trace-of-mine"}
    body = b'{"headline": "A"}'
    refused = await desk.http.post("/v1/articles", params={"uri": URI}, content=body, headers=headers)
    assert refused.status_code == 415
    dead = DeadLetters(desk.client, 1)
    [letter] = await dead.newest()
    mended = letter.event.replace(b"text/unknown", b"application/json")
    await desk.client.xadd(KEYS.submitted, {"event": mended})

    async def received() -> list[ArticleReceived]:
        return await desk.received()

    [event] = await until(received, "the replayed submission")
    assert (event.owner, event.trace_id, event.article.uri) == ("belta", "trace-of-mine", URI)


async def test_a_request_id_follows_its_article(desk: Desk) -> None:
    for request_id in ("request-1234", "bad id\t!"):
        headers = {**bearer(OPERATOR), "X-Request-ID": request_id}
        await desk.http.post("/v1/articles", json={"headline": request_id}, headers=headers)
    first, second = await desk.received()
    assert first.trace_id == "request-1234"
    assert second.trace_id not in ("", "bad id\t!")


async def test_the_defaults_of_a_source_fill_what_its_submissions_leave_open(desk: Desk) -> None:
    defaults = {"language": "be", "timezone": "Europe/Minsk", "usage_terms": "For subscribers"}
    put = await desk.http.put("/v1/sources/belta", json={"defaults": defaults}, headers=bearer(OPERATOR))
    assert put.status_code == 201
    headers = {**bearer(await desk.source("belta")), "Content-Type": "application/ninjs+json"}
    item = b'{"uri": "urn:test:1", "headline": "A", "versioncreated": "2025-02-07T12:00:00"}'
    answer = await desk.http.post("/v1/articles", content=item, headers=headers)
    assert answer.status_code == 202, answer.text
    [event] = await desk.received()
    assert (event.article.language, event.article.usage_terms) == ("be", "For subscribers")
    assert event.article.version_created == datetime(2025, 2, 7, 9, tzinfo=UTC)


async def test_sources_are_set_up_shown_and_forgotten_by_the_operator(desk: Desk) -> None:
    path, own = "/v1/sources/belta", bearer(OPERATOR)
    wrong = await desk.http.put(path, json={"defaults": {"timezone": "Europe/Nowhere"}}, headers=own)
    assert wrong.status_code == 422
    assert [(await desk.http.put(path, json={}, headers=own)).status_code for _ in range(2)] == [201, 200]
    assert [each["name"] for each in (await desk.http.get("/v1/sources", headers=own)).json()["items"]] == ["belta"]
    assert (await desk.http.get(path, headers=bearer(await desk.source("belta")))).status_code == 403
    assert [(await desk.http.delete(path, headers=own)).status_code for _ in range(2)] == [204, 404]


async def test_without_its_broker_nothing_is_accepted(server: KillableServer) -> None:
    async for desk in running(server.url):
        assert (await desk.submit(version=1))[1] == "accepted"
        await server.kill()
        body = {"uri": URI, "headline": "B", "version": 2}
        answer = await desk.http.post("/v1/articles", json=body, headers=bearer(OPERATOR))
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/broker-unavailable")
        assert answer.headers["retry-after"] == "1"
        await server.restart()
        async with Redis.from_url(server.url) as client:
            assert await client.xlen(KEYS.received) == 1
        assert (await desk.submit(version=2, headline="B"))[1] == "accepted"
