"""The webhooks' API from outside: every route, for its owner, for others, and for what it refuses."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from support.hooks import integrator, pointers, registered
from support.wire import OPERATOR, Receiver, Wire, running, story

from newswire_schemas.streams import ConfKeys

ROUTES = [
    ("GET", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("POST", "/test"),
    ("POST", "/verify"),
    ("POST", "/enable"),
    ("POST", "/disable"),
    ("POST", "/replay"),
    ("DELETE", "/replays"),
    ("POST", "/rotate-secret"),
    ("GET", "/events"),
    ("GET", "/attempts"),
    ("GET", "/attempts/1-1"),
    ("POST", "/attempts/1-1/resend"),
]


@pytest.fixture
async def small(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    """A wire where an integrator may have two webhooks."""
    async with running(redis_url, webhook_limit=2) as started:
        yield started


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_webhook_is_unknown_to_everybody_but_its_owner_and_operators(
    wire: Wire, method: str, path: str
) -> None:
    mine, other = await integrator(wire, "mine"), await integrator(wire, "other")
    hook = await registered(wire, mine)
    body = {"after": 0} if path == "/replay" else {}
    answer = await wire.anyone.request(method, f"/v1/webhooks/{hook['id']}{path}", headers=other, json=body)
    unknown = await wire.anyone.request(method, f"/v1/webhooks/wh_nothing{path}", headers=other, json=body)
    assert (answer.status_code, unknown.status_code) == (404, 404)
    assert answer.json()["detail"].replace(hook["id"], "") == unknown.json()["detail"].replace("wh_nothing", "")
    assert (await wire.anyone.request(method, f"/v1/webhooks/{hook['id']}{path}", json=body)).status_code == 401


async def test_an_operator_sees_all_webhooks_and_an_integrator_its_own(wire: Wire) -> None:
    mine, other = await integrator(wire, "mine"), await integrator(wire, "other")
    first = await registered(wire, mine)
    second = await registered(wire, other)
    seen = [
        [hook["id"] for hook in (await wire.http.get("/v1/webhooks", headers=headers)).json()["items"]]
        for headers in (mine, other, {})
    ]
    assert seen == [[first["id"]], [second["id"]], [first["id"], second["id"]]]
    of_other = await wire.http.get("/v1/webhooks", params={"owner": "other"})
    assert [hook["id"] for hook in of_other.json()["items"]] == [second["id"]]


async def test_an_operators_webhook_is_not_an_integrators_of_the_same_name(wire: Wire) -> None:
    made = await registered(wire)
    namesake = await integrator(wire, made["owner"])
    assert (await wire.anyone.get(f"/v1/webhooks/{made['id']}", headers=namesake)).status_code == 404
    assert (await wire.anyone.get("/v1/webhooks", headers=namesake)).json()["items"] == []
    rotated = await wire.anyone.post(f"/v1/webhooks/{made['id']}/rotate-secret", headers=namesake)
    assert rotated.status_code == 404


async def test_the_list_pages_without_gap_or_repeat_while_webhooks_come_and_go(wire: Wire) -> None:
    hooks = [(await registered(wire))["id"] for _ in range(5)]
    first = (await wire.http.get("/v1/webhooks", params={"limit": 2})).json()
    await wire.http.delete(f"/v1/webhooks/{hooks[0]}")
    newest = (await registered(wire))["id"]
    seen, cursor = first["items"], first["cursor"]
    while cursor:
        page = (await wire.http.get("/v1/webhooks", params={"limit": 2, "cursor": cursor})).json()
        seen, cursor = seen + page["items"], page.get("cursor")
    assert [hook["id"] for hook in seen] == [*hooks, newest]


async def test_a_cursor_of_another_list_is_refused(wire: Wire) -> None:
    answer = await wire.http.get("/v1/webhooks", params={"cursor": "\u00e9"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/unknown-cursor")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"url": "https://user:pass@receiver.example/"}, "/url"),
        ({"url": "https://receiver.example/#part"}, "/url"),
        ({"url": "https://receiver.example:25/"}, "/url"),
        ({"url": "http://2130706434/"}, "/url"),
        ({"url": "http://169.254.169.254/latest"}, "/url"),
        ({"url": "receiver.example"}, "/url"),
        ({"filter": {"exclude": {}}}, "/filter/exclude"),
        ({"filter": {"all": [{"words": ["!"]}]}}, "/filter/all/0/words"),
        ({"filter": {"langs": ["de"]}}, "/filter/langs"),
        ({"rate": 0}, "/rate"),
        ({"rate": True}, "/rate"),
        ({"rate": "5"}, "/rate"),
        ({"concurrency": True}, "/concurrency"),
        ({"ordered": "yes"}, "/ordered"),
        ({"max_age": 10**30}, "/max_age"),
        ({"max_age": 0}, "/max_age"),
        ({"signature": "v2"}, "/signature"),
        ({"headers": {"X-Bad": "a\r\nb"}}, "/headers"),
        ({"challenge": "perhaps"}, "/challenge"),
    ],
)
async def test_what_cannot_be_is_refused_at_registration_and_at_a_change(
    wire: Wire, body: dict[str, Any], pointer: str
) -> None:
    hook = await wire.hook()
    assert pointers(await wire.http.post("/v1/webhooks", json=body)) == [pointer]
    assert pointers(await wire.http.patch(f"/v1/webhooks/{hook.id}", json=body)) == [pointer]


async def test_a_bad_address_and_a_bad_filter_are_told_together(wire: Wire) -> None:
    body = {"url": "http://10.0.0.1/", "filter": {"exclude": {}}}
    assert pointers(await wire.http.post("/v1/webhooks", json=body)) == ["/url", "/filter/exclude"]


async def test_an_integrator_has_as_many_webhooks_as_the_setting_says(small: Wire) -> None:
    mine = await integrator(small, "mine")
    await registered(small, mine)
    made = await asyncio.gather(*[small.anyone.post("/v1/webhooks", json={}, headers=mine) for _ in range(6)])
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 5
    refused = next(answer for answer in made if answer.status_code == 409)
    assert (refused.json()["type"], refused.json()["limit"]) == ("/problems/too-many-webhooks", 2)
    assert len((await small.anyone.get("/v1/webhooks", headers=mine)).json()["items"]) == 2
    for _ in range(3):
        await registered(small)  # an operator's are not counted


# Idempotency-Key


async def test_a_registration_that_is_repeated_answers_as_the_first_one(wire: Wire) -> None:
    mine = await integrator(wire, "mine") | {"Idempotency-Key": "k1"}
    first = await wire.anyone.post("/v1/webhooks", json={"description": "x"}, headers=mine)
    again = await wire.anyone.post("/v1/webhooks", json={"description": "x"}, headers=mine)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.json()["secret"].startswith("whsec_")
    assert again.headers["idempotent-replayed"] == "true"
    assert len((await wire.anyone.get("/v1/webhooks", headers=mine)).json()["items"]) == 1


async def test_the_answer_that_is_kept_with_a_key_holds_no_secret(wire: Wire) -> None:
    made = await registered(wire, {"Idempotency-Key": "k1"})
    kept = [await wire.broker.get(key) async for key in wire.broker.scan_iter("wire:*:answer:*")]
    assert len(kept) == 1
    assert made["secret"].encode() not in kept[0]


async def test_a_key_with_another_body_is_refused(wire: Wire) -> None:
    await registered(wire, {"Idempotency-Key": "k1"}, description="x")
    answer = await wire.http.post("/v1/webhooks", json={"description": "y"}, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_the_same_key_of_two_owners_makes_two_webhooks(wire: Wire) -> None:
    made = [
        await registered(wire, await integrator(wire, name) | {"Idempotency-Key": "k1"}) for name in ("mine", "other")
    ]
    assert made[0]["id"] != made[1]["id"]


async def test_of_twins_at_once_one_registers_and_the_others_are_told_to_wait(wire: Wire, receiver: Receiver) -> None:
    body = {"url": receiver.hang("slow"), "challenge": True}  # its challenge holds the first call up
    first = asyncio.create_task(wire.http.post("/v1/webhooks", json=body, headers={"Idempotency-Key": "k1"}))
    await receiver.got("slow", 1)
    twin = await wire.http.post("/v1/webhooks", json=body, headers={"Idempotency-Key": "k1"})
    assert (twin.status_code, twin.json()["type"]) == (409, "/problems/in-progress")
    assert twin.headers["retry-after"] == "1"
    receiver.let_go.set()
    assert (await first).status_code == 201
    assert len((await wire.http.get("/v1/webhooks")).json()["items"]) == 1


async def test_a_registration_that_was_refused_leaves_its_key_free(wire: Wire) -> None:
    key = {"Idempotency-Key": "k1"}
    assert (await wire.http.post("/v1/webhooks", json={"rate": -1}, headers=key)).status_code == 422
    await registered(wire, key, rate=1)


async def test_a_key_whose_first_call_died_finds_the_webhook_that_it_made(wire: Wire) -> None:
    made = await registered(wire, {"Idempotency-Key": "k1"}, description="x")
    async for key in wire.broker.scan_iter("wire:*:answer:*"):
        await wire.broker.delete(key)
    again = await registered(wire, {"Idempotency-Key": "k1"}, description="x")
    assert (again["id"], again["secret"]) == (made["id"], made["secret"])
    async for key in wire.broker.scan_iter("wire:*:answer:*"):
        await wire.broker.delete(key)
    other = await registered(wire, {"Idempotency-Key": "k1"}, description="y")
    assert other["id"] != made["id"]


async def test_a_secret_that_was_rotated_away_is_in_no_repeated_answer(wire: Wire) -> None:
    made = await registered(wire, {"Idempotency-Key": "k1"})
    rotated = await wire.http.post(f"/v1/webhooks/{made['id']}/rotate-secret", json={"grace": 0})
    assert rotated.status_code == 200
    again = await registered(wire, {"Idempotency-Key": "k1"})
    assert "secret" not in again
    assert again["id"] == made["id"]


async def test_a_key_whose_webhook_was_deleted_is_refused(wire: Wire) -> None:
    made = await registered(wire, {"Idempotency-Key": "k1"})
    await wire.http.delete(f"/v1/webhooks/{made['id']}")
    answer = await wire.http.post("/v1/webhooks", json={}, headers={"Idempotency-Key": "k1"})
    assert answer.status_code == 409


async def test_a_key_that_is_used_again_after_its_day_makes_another_webhook(wire: Wire) -> None:
    """Under the deleted one's id its numbers would begin anew, and receivers drop the pushes as repeats."""
    made = await registered(wire, {"Idempotency-Key": "k1"})
    await wire.http.delete(f"/v1/webhooks/{made['id']}")
    kept = [key async for key in wire.broker.scan_iter("wire:*") if b":answer:" in key or b":named:" in key]
    assert [0 < await wire.broker.ttl(key) <= 86_400 for key in kept] == [True, True]
    await wire.broker.delete(*kept)  # as its end does
    again = await registered(wire, {"Idempotency-Key": "k1"})
    assert again["id"] != made["id"]


# PATCH


async def test_a_patch_merges_nested_objects_and_null_takes_a_setting_back(wire: Wire) -> None:
    hook = await wire.hook(
        filter={"languages": ["de"], "sections": ["Sport"]}, headers={"X-A": "1", "X-B": "2"}, rate=5, description="x"
    )
    changes = {"filter": {"languages": None, "urgency": 3}, "headers": {"X-A": None, "x-c": "3"}, "rate": None}
    changed = await hook.call("PATCH", json=changes)
    assert changed["filter"] == {"sections": ["Sport"], "urgency": 3}
    assert changed["headers"] == {"x-b": "2", "x-c": "3"}
    assert "rate" not in changed
    assert changed["description"] == "x"
    assert (await hook.call("PATCH", json={"filter": None}))["filter"] == {}


async def test_a_patch_may_come_as_merge_patch_json_and_as_nothing_else(wire: Wire) -> None:
    hook = await wire.hook()
    for kind, status in (("application/merge-patch+json", 200), ("application/json-patch+json", 415)):
        answer = await wire.http.patch(
            f"/v1/webhooks/{hook.id}", content=b'{"rate": 3}', headers={"Content-Type": kind}
        )
        assert answer.status_code == status
    assert "application/merge-patch+json" in answer.headers["accept-patch"]


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"null"])
async def test_a_patch_that_is_no_object_is_refused(wire: Wire, body: bytes) -> None:
    hook = await wire.hook()
    assert (await wire.http.patch(f"/v1/webhooks/{hook.id}", content=body)).status_code == 422


@pytest.mark.parametrize("name", ["secret", "enabled", "status", "id", "owner", "created", "revision", "nope"])
@pytest.mark.parametrize("value", ["x", None])
async def test_a_patch_of_what_is_changed_elsewhere_or_is_no_setting_says_so(
    wire: Wire, name: str, value: str | None
) -> None:
    hook = await wire.hook()
    answer = await wire.http.patch(f"/v1/webhooks/{hook.id}", json={name: value})
    assert pointers(answer) == [f"/{name}"]


async def test_a_patch_raises_the_revision_only_if_it_changes_something(wire: Wire) -> None:
    hook = await wire.hook(rate=5)
    same = await hook.call("PATCH", json={"rate": 5, "filter": {}})
    changed = await hook.call("PATCH", json={"rate": 6})
    assert [same["revision"], changed["revision"]] == [1, 2]


async def test_patches_at_once_all_count(wire: Wire) -> None:
    hook = await wire.hook()
    changes: list[dict[str, Any]] = [{"rate": 5}, {"concurrency": 3}, {"description": "x"}, {"headers": {"X-A": "1"}}]
    await asyncio.gather(*[hook.call("PATCH", json=each) for each in changes])
    shown = await hook.call("GET")
    assert (shown["rate"], shown["concurrency"], shown["description"]) == (5, 3, "x")
    assert (shown["headers"], shown["revision"]) == ({"x-a": "1"}, 5)


async def test_a_patch_keeps_a_pause_that_the_endpoint_asked_for_and_a_new_address_ends_it(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("busy", 429, **{"Retry-After": "3600"}))
    await wire.submit(story())
    await receiver.got("busy", 1)
    await hook.drained_to(waiting=1)
    paused = await hook.call("PATCH", json={"description": "x", "rate": 50})
    assert paused["paused_until"]
    moved = await hook.call("PATCH", json={"url": f"{receiver.url}/other"})
    assert "paused_until" not in moved


async def test_each_push_goes_where_the_webhook_points_at_that_moment(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("first"))
    paths = [f"hook{number}" for number in range(8)]
    for path in paths:
        await hook.call("PATCH", json={"url": receiver.script(path)})
        await wire.submit(story(f"urn:newsml:test.example:{path}"))
        await receiver.got(path, 1)
    assert [len(receiver.at(path)) for path in paths] == [1] * 8
    assert receiver.at("first") == []


async def test_an_endpoint_that_asks_for_twenty_days_gets_them_and_a_kill_all_the_same(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("busy"))
    await wire.submit(story())
    await receiver.got("busy", 1)
    receiver.script("busy", 429, **{"Retry-After": f"{20 * 86_400}"})
    await wire.submit(story("urn:newsml:test.example:2"))
    await receiver.got("busy", 2)
    await hook.drained_to(waiting=1)
    left = datetime.fromisoformat((await hook.call("GET"))["paused_until"]) - datetime.now(UTC)
    assert timedelta(days=19, hours=23) < left <= timedelta(days=20)
    again = (await hook.attempts())[-1]["next_at"]
    assert datetime.fromisoformat(again) - datetime.now(UTC) <= timedelta(days=20)
    receiver.script("busy")
    await wire.submit(story("urn:newsml:test.example:3"))
    await wire.desk("kill", note="Wrong")
    assert (await receiver.got("busy", 3))[-1].message["type"] == "article.killed"
    await hook.drained_to(waiting=2)
    assert len(receiver.at("busy")) == 3


# Enable, disable, test


async def test_a_webhook_is_disabled_with_a_reason_and_enabled_again(wire: Wire) -> None:
    mine = await integrator(wire, "mine")
    hook = await registered(wire, mine, url="https://receiver.example/")
    path = f"/v1/webhooks/{hook['id']}"
    off = (await wire.anyone.post(f"{path}/disable", json={"reason": "we move"}, headers=mine)).json()
    assert (off["status"], off["health"], off["disabled_reason"]) == ("disabled", "disabled", "we move")
    listed = (await wire.http.get("/v1/webhooks", params={"status": "disabled"})).json()["items"]
    assert [each["id"] for each in listed] == [hook["id"]]
    on = (await wire.anyone.post(f"{path}/enable", headers=mine)).json()
    assert (on["status"], on["enabled"], "disabled_reason" in on) == ("enabled", True, False)
    by_owner = (await wire.anyone.post(f"{path}/disable", headers=mine)).json()["disabled_reason"]
    by_operator = (await wire.http.post(f"{path}/disable")).json()["disabled_reason"]
    assert (by_owner, by_operator) == ("disabled by its owner", "disabled by an operator")
    assert pointers(await wire.http.post(f"{path}/disable", json={"why": "x"})) == ["/why"]


async def test_a_pull_only_webhook_has_a_log_and_nothing_that_is_pushed(wire: Wire) -> None:
    hook = await wire.hook()
    await wire.submit(story())
    (entry,) = await hook.logged(1)
    assert entry["payload"].startswith('{"type":"article.new"')
    for path, body in (("/test", None), ("/verify", None), ("/replay", {"after": 0})):
        answer = await wire.http.post(f"/v1/webhooks/{hook.id}{path}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-possible")


# Dry run


async def test_a_dry_run_counts_by_day_and_type_with_samples(wire: Wire) -> None:
    for number in range(3):
        await wire.submit(story(f"urn:test:{number}", language="en" if number else "de"))
    await wire.submit(story("urn:test:1", headline="Corrected", language="en"))
    await wire.out("urn:test:1", version=2)
    answer = await wire.http.post("/v1/webhooks/dry-run", json={"filter": {"languages": ["en"]}, "days": 2})
    found = answer.json()
    assert (found["scanned"], found["matched"], found["pushes"], found["truncated"]) == (3, 2, 3, False)
    assert found["by_type"] == {"article.corrected": 1, "article.new": 2}
    assert len(found["per_day"]) == 3
    assert (found["per_day"][-1]["articles"], found["per_day"][-1]["pushes"]) == (2, 3)
    assert {item["headline"] for item in found["items"]} == {"Ferry returns", "Corrected"}
    only = {"filter": {}, "events": ["article.corrected"]}
    assert (await wire.http.post("/v1/webhooks/dry-run", json=only)).json()["pushes"] == 1


async def test_a_dry_run_is_for_integrators_and_says_what_is_wrong(wire: Wire) -> None:
    assert (await wire.anyone.post("/v1/webhooks/dry-run", json={})).status_code == 401
    assert (
        await wire.anyone.post("/v1/webhooks/dry-run", json={}, headers=await integrator(wire, "mine"))
    ).status_code == 200
    assert pointers(await wire.http.post("/v1/webhooks/dry-run", json={"days": 99})) == ["/days"]
    bad = {"filter": {"urgency": 10}, "events": ["x"]}
    assert pointers(await wire.http.post("/v1/webhooks/dry-run", json=bad)) == ["/filter/urgency", "/events"]


# Events


async def test_events_page_with_a_cursor_until_there_is_no_more(wire: Wire) -> None:
    hook = await wire.hook()
    for number in range(5):
        await wire.submit(story(f"urn:test:{number}"))
    await hook.logged(5)
    first = await hook.call("GET", "/events", params={"limit": 3})
    rest = await hook.call("GET", "/events", params={"limit": 3, "cursor": first["cursor"]})
    assert [entry["sequence"] for entry in first["items"] + rest["items"]] == [1, 2, 3, 4, 5]
    assert "cursor" not in rest


async def test_events_come_as_lines_on_request(wire: Wire) -> None:
    hook = await wire.hook(format="thin")
    for number in range(3):
        await wire.submit(story(f"urn:test:{number}"))
    entries = await hook.logged(3)
    answer = await wire.http.get(
        f"/v1/webhooks/{hook.id}/events", params={"after": 1}, headers={"Accept": "application/x-ndjson"}
    )
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [httpx.Response(200, content=line).json() for line in answer.content.splitlines()]
    assert lines == entries[1:]


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=501", "cursor=x", "aftr=5"])
async def test_a_bad_place_in_the_log_is_refused(wire: Wire, query: str) -> None:
    hook = await wire.hook()
    answer = await wire.http.get(f"/v1/webhooks/{hook.id}/events?{query}")
    assert pointers(answer) == [f"/query/{query.partition('=')[0]}"]


async def test_notices_are_asked_for_by_what_they_know(wire: Wire) -> None:
    assert pointers(await wire.http.get("/v1/webhooks/notices?webhok=wh_1")) == ["/query/webhok"]


async def test_the_openapi_document_names_every_route(wire: Wire) -> None:
    paths = (await wire.anyone.get("/openapi.json", headers={"Authorization": f"Bearer {OPERATOR}"})).json()["paths"]
    for method, path in ROUTES:
        name = f"/v1/webhooks/{{hook_id}}{path}".replace("1-1", "{attempt_id}")
        assert method.lower() in paths[name], name
    assert "post" in paths["/v1/webhooks/dry-run"]


async def test_times_of_a_webhook_and_its_keys_have_milliseconds_as_all_others(wire: Wire) -> None:
    made = await registered(wire)
    rotated = (await wire.http.post(f"/v1/webhooks/{made['id']}/rotate-secret", json={})).json()
    (listed,) = (await wire.http.get("/v1/webhooks")).json()["items"]

    for shown in (made, rotated, listed):
        times = [
            shown["created"],
            *[each[name] for each in shown["keys"] for name in ("created", "expires") if name in each],
        ]
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times), times


async def test_a_rate_below_one_a_day_is_refused_and_one_that_there_is_stays(wire: Wire) -> None:
    slow = await registered(wire, rate=1 / 86_400)
    path = f"/v1/webhooks/{slow['id']}"
    for refused in (
        await wire.http.post("/v1/webhooks", json={"rate": 0.00001}),
        await wire.http.patch(path, json={"rate": 1e-9}),
    ):
        assert pointers(refused) == ["/rate"]
        assert "less than one push a day" in refused.json()["detail"]
    # A row of an earlier release.
    row = json.loads(await wire.broker.hget(ConfKeys.table("webhooks"), slow["id"])) | {"rate": 1e-9}
    await wire.broker.hset(ConfKeys.table("webhooks"), slow["id"], json.dumps(row))
    await wire.broker.hincrby(ConfKeys.generation, "webhooks", 1)

    changed = await wire.http.patch(path, json={"description": "changed"})

    assert (changed.status_code, changed.json()["rate"]) == (200, 1e-9)
