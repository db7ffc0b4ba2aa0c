"""Receipts and traces: who got which version when, and who took the kill."""

from typing import Any

from support.wire import URI, Receiver, Wire, story, until

from newswire_schemas.article import key_of

KEY = key_of(URI)


async def told(wire: Wire, path: str) -> list[dict[str, Any]]:
    answer = await wire.http.get(f"/v1/articles/{KEY}/{path}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def receipt(wire: Wire, hook_id: str) -> dict[str, Any]:
    return next(each for each in await told(wire, "receipts") if each["name"] == hook_id)


async def test_receipts_prove_who_took_the_kill_and_when(wire: Wire, receiver: Receiver) -> None:
    taker = await wire.hook(url=receiver.script("taker"))
    refuser = await wire.hook(url=receiver.script("refuser", 204, *[500] * 50))
    puller = await wire.hook()
    await wire.submit(story())
    await receiver.got("taker", 1)
    await receiver.got("refuser", 1)
    await taker.drained()
    await refuser.drained()
    assert (await wire.http.post(f"/v1/articles/{KEY}/kill", json={"ed_note": "Wrong"})).status_code in (200, 202)
    await receiver.got("taker", 2)
    await receiver.got("refuser", 2)
    await taker.drained()

    taken = await receipt(wire, taker.id)
    assert [(each["version"], each["type"]) for each in taken["taken"]] == [(1, "article.new"), (2, "article.killed")]
    assert taken["kill"] == {"state": "taken", "sequence": 2, "at": taken["taken"][1]["at"]}
    refused = await receipt(wire, refuser.id)
    assert [each["type"] for each in refused["taken"]] == ["article.new"]
    assert refused["kill"] == {"state": "waiting", "sequence": 2}
    assert (await receipt(wire, puller.id))["kill"]["state"] == "kept"
    feeds = [each["name"] for each in await told(wire, "receipts") if each["sink"] == "feed"]
    assert feeds == ["all"]


async def test_a_receipt_says_waiting_only_of_what_is_in_a_queue(wire: Wire, receiver: Receiver) -> None:
    url = receiver.script("hook", 204, 410)
    gone = await wire.hook(url=url)
    stopped = await wire.hook(url=receiver.script("stopped"))
    moved = await wire.hook()
    await wire.submit(story())
    for hook in (gone, stopped, moved):
        await hook.logged(1)
    await gone.drained()
    await stopped.drained()
    await stopped.call("POST", "/disable")
    assert (await wire.http.post(f"/v1/articles/{KEY}/kill")).status_code in (200, 202)
    for hook in (gone, stopped, moved):
        await hook.logged(2)
    await gone.disabled()
    await moved.call("PATCH", json={"url": receiver.script("moved")})

    assert (await receipt(wire, gone.id))["kill"]["state"] == "waiting"
    assert (await receipt(wire, stopped.id))["kill"]["state"] == "waiting"
    assert (await receipt(wire, moved.id))["kill"]["state"] == "kept"  # from when it was pull-only

    await stopped.call("POST", "/enable")
    await stopped.drained()
    assert (await receipt(wire, stopped.id))["kill"]["state"] == "taken"


async def test_a_receipt_outlives_the_webhook_for_as_long_as_attempts_are_kept(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"), description="the desk of north")
    await wire.submit(story())
    await receiver.got("hook", 1)
    assert (await wire.http.post(f"/v1/articles/{KEY}/kill")).status_code in (200, 202)
    await receiver.got("hook", 2)
    await hook.drained()
    before = await receipt(wire, hook.id)

    await hook.call("DELETE")

    after = await receipt(wire, hook.id)
    assert after["deleted"]
    assert {name: after[name] for name in ("owner", "url", "description", "taken", "kill")} == {
        name: before[name] for name in ("owner", "url", "description", "taken", "kill")
    }
    kept = [key async for key in wire.broker.scan_iter(match=f"hook:*{hook.id}*")]
    month = 30 * 86_400
    assert all([month - 60 < await wire.broker.ttl(key) <= month for key in kept])


async def test_a_trace_tells_every_stage_and_delivery_in_the_order_of_time(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[0.05])
    await wire.http.put("/v1/social/accounts/mast", json={"platform": "mastodon", "mode": "manual", "filter": {}})
    await wire.submit(story())
    await receiver.got("hook", 2)
    await hook.drained()
    items = await told(wire, "trace")
    assert [each["stage"] for each in items[:2]] == ["accepted", "published"]
    assert [each["outcome"] for each in items if each["stage"] == "webhook"] == ["retry", "delivered"]
    assert [each["state"] for each in items if each["stage"] == "post"] == ["queued"]
    times = [each["at"] for each in items]
    assert times == sorted(times)
    assert {each["trace_id"] for each in items if "trace_id" in each} == {items[0]["trace_id"]}


async def test_only_operators_are_told_where_an_article_went(wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    made = await wire.http.post("/v1/tokens", json={"role": "integrator", "name": "x"})
    token = {"Authorization": f"Bearer {made.json()['token']}"}
    for path in ("receipts", "trace"):
        assert (await wire.anyone.get(f"/v1/articles/{KEY}/{path}")).status_code == 401
        assert (await wire.anyone.get(f"/v1/articles/{KEY}/{path}", headers=token)).status_code == 403
        assert (await wire.http.get(f"/v1/articles/nothing/{path}")).status_code == 404


async def test_a_kill_that_is_not_taken_is_told_to_who_asked_for_notices(
    wire: Wire, receiver: Receiver, monkeypatch: Any
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.retry.KILL_SCHEDULE", (20, 20, 20, 3_600_000))
    hook = await wire.hook(url=receiver.script("hook", 204, *[503] * 9))
    notices = await wire.hook(url=receiver.script("notices"), events=["webhook.*"])
    await wire.submit(story())
    await receiver.got("hook", 1)
    await hook.drained()
    await wire.http.post(f"/v1/articles/{KEY}/kill", json={"ed_note": "Wrong"})

    async def told_of_it() -> bool:
        return "webhook.kill_untaken" in await notices.types()

    await until(told_of_it, what="the kill that is not taken is told")
    (push,) = await receiver.got("notices", 1)
    assert push.message["data"]["webhook"] == hook.id
    assert push.message["data"]["attempts"] == 3

    async def listed() -> bool:
        shown = (await wire.http.get("/v1/webhooks/notices")).json()["items"]
        return [each["type"] for each in shown] == ["webhook.kill_untaken"]

    await until(listed, what="it is in the list of notices")
