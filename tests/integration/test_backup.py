"""Backup and restore: all configuration comes back on an empty server, and nothing that differs is lost by it."""

import json
from typing import Any

import httpx
import pytest
from support.hooks import integrator, pointers, registered
from support.servers import KillableServer
from support.wire import Hook, Receiver, Wire, running, story

HEADER = b'{"format": "newswire-backup", "version": 1, "created": "2026-01-31T12:00:00Z"}'


async def backup(wire: Wire) -> bytes:
    answer = await wire.http.get("/v1/backup")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


async def restore(wire: Wire, body: bytes, **params: Any) -> httpx.Response:
    return await wire.http.post("/v1/restore", content=body, params=params)


def rows(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.splitlines()]


def rewritten(body: bytes, change: Any) -> bytes:
    """Return a backup with its things changed, and whole."""
    lines = rows(body)
    things = [change(thing) for thing in lines[1:-1]]
    kept = [thing for thing in things if thing is not None]
    lines = [lines[0], *kept, {"end": True, "things": len(kept)}]
    return b"\n".join(json.dumps(line).encode() for line in lines)


async def configure(wire: Wire) -> dict[str, str]:
    """Set up one thing of each kind; return an integrator's headers."""
    for path, body in (
        ("/v1/feeds/sport", {"title": "Sport", "filter": {"sections": ["Sport"]}}),
        ("/v1/sources/north", {"kind": "push", "defaults": {"language": "de"}}),
        ("/v1/social/accounts/m", {"platform": "mastodon", "mode": "manual", "credentials": {"token": "t0ps3cret"}}),
        ("/v1/feeds/old", {"title": "Old"}),
    ):
        assert (await wire.http.put(path, json=body)).status_code == 201
    assert (await wire.http.post("/v1/feeds/old/rename", json={"to": "renamed"})).status_code == 200
    return await integrator(wire, "mine")


async def test_everything_comes_back_on_an_empty_server_and_a_webhook_goes_on_at_the_very_next_number_on_request(
    quick: None, redis_url: str, server: KillableServer, receiver: Receiver
) -> None:
    async with running(redis_url) as wire:
        mine = await configure(wire)
        made = await registered(wire, mine, url=receiver.script("hook"), description="x", headers={"X-A": "1"})
        hook = Hook(wire, made["id"], made["secret"])
        for number in range(3):
            await wire.submit(story(f"urn:test:{number}"))
        await receiver.got("hook", 3)
        await hook.drained()
        shown = await hook.call("GET")
        kept = await backup(wire)
    async with running(server.url) as other:
        done = await restore(other, kept, ahead=0)
        assert done.status_code == 200, done.text
        assert (done.json()["overwritten"], done.json()["unchanged"], done.json()["sequences"]) == (0, 0, 1)
        assert done.json()["created"] == len(rows(kept)) - 2
        again = await restore(other, kept, ahead=0)
        nothing = {"created": 0, "overwritten": 0, "sequences": 0, "ahead": 0, "unreadable": []}
        assert again.json() == {**nothing, "unchanged": done.json()["created"]}
        assert rows(await backup(other))[1:] == rows(kept)[1:]
        answer = await other.anyone.get(f"/v1/webhooks/{hook.id}", headers=mine)
        settings = ("url", "headers", "owner", "created", "description", "last_sequence", "status")
        assert {name: answer.json()[name] for name in settings} == {name: shown[name] for name in settings}
        assert answer.json()["waiting"] == 0
        assert (await other.anyone.get("/feeds/old.rss", follow_redirects=False)).status_code == 301
        await other.submit(story("urn:test:9", section="Sport"))
        push = (await receiver.got("hook", 4))[3]
        assert (push.message["sequence"], push.headers["x-a"]) == (4, "1")
        assert push.id == f"msg_{hook.id}_4"


async def test_what_differs_is_named_and_nothing_changes_without_force(wire: Wire) -> None:
    await configure(wire)
    hook = await wire.hook(description="before")
    kept = await backup(wire)
    await hook.call("PATCH", json={"description": "after"})
    await wire.http.put("/v1/feeds/sport", json={"title": "Changed"})
    await wire.http.delete("/v1/sources/north")
    refused = await restore(wire, kept)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/differing")
    for name in ("feeds/sport", f"webhooks/{hook.id}"):
        assert name in refused.json()["detail"]
    assert refused.json()["differing"] == 2
    assert (await wire.http.get("/v1/sources/north")).status_code == 404
    forced = (await restore(wire, kept, force=True)).json()
    assert (forced["created"], forced["overwritten"]) == (1, 2)
    assert (await hook.call("GET"))["description"] == "before"
    assert (await wire.http.get("/v1/feeds/sport")).json()["title"] == "Sport"
    again = (await restore(wire, kept)).json()
    assert (again["created"], again["overwritten"]) == (0, 0)


async def test_settings_that_are_forced_back_reach_the_queue(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    kept = await backup(wire)
    await hook.call("POST", "/disable")
    await wire.submit(story())
    await hook.logged(1)
    assert (await restore(wire, kept, force=True)).status_code == 200
    await receiver.got("hook", 1)


async def test_a_log_that_has_come_further_keeps_its_numbers(wire: Wire) -> None:
    hook = await wire.hook()
    kept = await backup(wire)
    await wire.submit(story())
    await hook.logged(1)
    ahead = rewritten(kept, lambda thing: thing | {"sequence": 1} if thing["kind"] == "webhooks" else thing)
    assert (await restore(wire, ahead)).json()["sequences"] == 0
    assert (await hook.call("GET"))["last_sequence"] == 1


async def test_a_receiver_that_drops_repeats_by_id_gets_what_comes_after_a_disaster(
    quick: None, redis_url: str, server: KillableServer, receiver: Receiver
) -> None:
    async with running(redis_url) as wire:
        mine = await integrator(wire, "mine")
        made = await registered(wire, mine, url=receiver.script("hook"))
        fresh = await registered(wire, mine, url=receiver.script("fresh"))
        kept = await backup(wire)
        for number in range(3):
            await wire.submit(story(f"urn:test:{number}"))
        await receiver.got("hook", 3)
        await receiver.got("fresh", 3)
    async with running(server.url) as other:
        done = (await restore(other, kept)).json()
        assert (done["sequences"], done["ahead"]) == (2, 1_000_000)
        assert (await restore(other, kept)).json()["sequences"] == 0
        await other.submit(story("urn:test:after"))
        for name, hook_id in (("hook", made["id"]), ("fresh", fresh["id"])):
            pushes = await receiver.got(name, 4)
            assert len({push.id for push in pushes}) == 4
            assert pushes[3].id == f"msg_{hook_id}_1000001"


async def test_a_reader_is_told_which_numbers_have_no_entry_after_a_restore(
    redis_url: str, server: KillableServer
) -> None:
    async with running(redis_url) as wire:
        hook = await wire.hook()
        await wire.submit(story())
        await hook.logged(1)
        assert "left_out" not in await hook.call("GET", "/events?after=0")
        kept = await backup(wire)
    async with running(server.url) as other:
        await restore(other, kept, ahead=100)
        path = f"/v1/webhooks/{hook.id}/events"
        before = (await other.http.get(path, params={"after": 1})).json()
        assert (before["items"], before["left_out"]["from"], before["left_out"]["to"]) == ([], 2, 101)
        assert before["left_out"]["restored"].endswith("Z")
        await other.submit(story("urn:test:2"))
        again = Hook(other, hook.id, hook.secret)
        assert [entry["sequence"] for entry in await again.logged(1)] == [102]
        # Whatever the reader took of what was lost, its number lies in the gap.
        assert "left_out" in (await other.http.get(path, params={"after": 100})).json()
        assert "left_out" not in (await other.http.get(path, params={"after": 101})).json()


async def test_a_webhook_that_is_there_with_an_empty_log_does_not_leap(wire: Wire) -> None:
    await wire.hook()
    assert (await restore(wire, await backup(wire))).json()["sequences"] == 0


async def test_a_webhook_that_was_deleted_comes_back_behind_the_numbers_it_had(wire: Wire) -> None:
    hook = await wire.hook()
    kept = await backup(wire)
    await wire.submit(story())
    await hook.logged(1)
    await hook.call("DELETE")
    assert (await restore(wire, kept)).json()["sequences"] == 1
    await wire.submit(story("urn:test:2"))
    assert [entry["sequence"] for entry in await hook.logged(1)] == [1_000_001]


async def test_as_many_numbers_are_left_out_as_the_caller_says(wire: Wire) -> None:
    hook = await wire.hook()
    kept = rewritten(
        await backup(wire), lambda thing: thing | {"sequence": 7} if thing["kind"] == "webhooks" else thing
    )
    assert (await restore(wire, kept, ahead=100)).json()["sequences"] == 1
    assert (await restore(wire, kept, ahead=100)).json()["sequences"] == 0
    await wire.submit(story())
    assert [entry["sequence"] for entry in await hook.logged(1)] == [108]


async def test_what_waits_in_a_log_whose_numbers_are_raised_is_still_pushed(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await hook.call("POST", "/disable")
    await wire.submit(story())
    await hook.logged(1)
    kept = rewritten(
        await backup(wire), lambda thing: thing | {"sequence": 50} if thing["kind"] == "webhooks" else thing
    )
    await restore(wire, kept, ahead=0)
    await hook.call("POST", "/enable")
    assert (await receiver.got("hook", 1))[0].message["sequence"] == 1
    await hook.drained()
    await wire.submit(story("urn:test:2"))
    assert (await receiver.got("hook", 2))[1].message["sequence"] == 51


async def test_only_an_operator_takes_the_configuration_out_or_puts_it_back(wire: Wire) -> None:
    mine = await integrator(wire, "mine")
    for method, path in (("GET", "/v1/backup"), ("POST", "/v1/restore")):
        assert (await wire.anyone.request(method, path, headers=mine)).status_code == 403
        assert (await wire.anyone.request(method, path)).status_code == 401


async def test_no_webhooks_secret_and_no_token_is_shown_elsewhere_by_a_restore(wire: Wire) -> None:
    hook = await wire.hook()
    answer = await restore(wire, await backup(wire))
    assert hook.secret not in answer.text


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        (b"", "malformed-backup"),
        (b"{}", "malformed-backup"),
        (b'{"format": "newswire-backup", "version": 1}\n{"end": true, "things": 0}', "malformed-backup"),
        (b"\xff\xfe\n\n", "malformed-backup"),
        (HEADER, "malformed-backup"),
        (HEADER + b'\n{"end": true, "things": 1}', "malformed-backup"),
        (HEADER + b'\n{"kind": "feeds"}', "malformed-backup"),
        (
            HEADER.replace(b"1,", b"2,") + b'\n{"new": 1}\n{"end": true, "things": 1}',
            "newer-backup",
        ),
        (
            b'{"format": "other", "version": 1, "created": "2026-01-31T12:00:00Z"}\n{"end": true, "things": 0}',
            "malformed-backup",
        ),
    ],
)
async def test_what_is_no_whole_backup_of_a_known_version_is_refused(wire: Wire, body: bytes, slug: str) -> None:
    answer = await restore(wire, body)
    assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{slug}")


@pytest.mark.parametrize(
    ("thing", "pointer"),
    [
        ({"kind": "feeds", "name": "x", "value": {"title": 1}}, "/2/value/title"),
        ({"kind": "feeds", "name": "x", "value": {"title": "x", "limit": 0}}, "/2/value/limit"),
        ({"kind": "sources", "name": "x", "value": {"kind": "pull"}}, "/2/value/kind"),
        ({"kind": "webhooks", "name": "x", "value": {"id": "x"}}, "/2/value/owner"),
        ({"kind": "webhooks", "name": "x", "value": {}, "sequence": -1}, "/2/sequence"),
        ({"kind": "books", "name": "x", "value": {}}, "/2/kind"),
        ({"kind": "feeds", "value": {}}, "/2/name"),
    ],
)
async def test_a_thing_that_cannot_be_is_refused_with_its_line_and_nothing_is_written(
    wire: Wire, thing: dict[str, Any], pointer: str
) -> None:
    good = {"kind": "feeds", "name": "good", "value": {"title": "Good"}}
    lines = [json.loads(HEADER), thing, good, {"end": True, "things": 2}]
    answer = await restore(wire, b"\n".join(json.dumps(line).encode() for line in lines))
    assert pointers(answer) == [pointer]
    assert (await wire.http.get("/v1/feeds/good")).status_code == 404


async def test_an_empty_backup_restores_nothing(wire: Wire) -> None:
    answer = await restore(wire, HEADER + b'\n{"end": true, "things": 0}\n', ahead=0)
    assert answer.json() == {
        "created": 0,
        "overwritten": 0,
        "unchanged": 0,
        "sequences": 0,
        "ahead": 0,
        "unreadable": [],
    }


async def test_webhooks_whose_secrets_no_key_opens_are_named(
    quick: None, redis_url: str, server: KillableServer
) -> None:
    async with running(redis_url) as wire:
        hook = await wire.hook()
        kept = await backup(wire)
        assert hook.secret.encode() not in kept
    async with running(server.url, secret_key="another-key-" + "x" * 32) as other:
        assert (await restore(other, kept)).json()["unreadable"] == [hook.id]
