"""The console's page of one endpoint in a real Chromium, against a real receiver."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from playwright.async_api import expect
from standardwebhooks.webhooks import Webhook
from support.console import HEADLINE, SignIn, act, fits, register
from support.pages import ARABIC, SIZES
from support.wire import Push, Receiver, Wire, story

pytestmark = pytest.mark.browser


async def test_a_test_tells_what_the_endpoint_answered(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    async def answer(_: Push) -> web.Response:
        return web.Response(status=500, text="<b>no database</b>")

    hook = await register(wire, url=f"{receiver.url}/hook")
    receiver.answers["hook"] = answer
    page = await sign_in(path=f"/console/{hook['id']}")
    status = page.locator("#said")
    await act(page, "Send a test").click()
    await expect(status).to_contain_text("Your endpoint answered 500")
    await expect(status.get_by_role("group", name="Body of the response")).to_have_text("<b>no database</b>")
    receiver.script("hook")
    await page.keyboard.press("Enter")
    await expect(status).to_contain_text("The test arrived: your endpoint answered 204")
    assert [push.message["type"] for push in receiver.pushes] == ["webhook.test"] * 2
    await page.get_by_role("button", name="Show request and response").click()
    dialog = page.get_by_role("dialog", name="The test")
    await expect(dialog.get_by_role("region", name="Request")).to_contain_text(receiver.pushes[1].id)
    await expect(dialog.get_by_role("button", name="Send it again")).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Show request and response")).to_be_focused()


async def test_attempts_come_live_and_open_with_request_and_answer(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    async def answer(push: Push) -> web.Response:
        return web.json_response({"taken": push.id})

    receiver.answers["hook"] = answer
    hook = await register(wire, url=f"{receiver.url}/hook", headers={"X-Desk": "7"})
    page = await sign_in(path=f"/console/{hook['id']}")
    await expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
    await page.evaluate("window.stayed = true")
    await wire.submit(story(ARABIC, language="ar", headline=HEADLINE))
    attempt = page.locator(".attempt").first
    await expect(attempt).to_contain_text("Delivered")
    await expect(attempt).to_contain_text("#1 article.new")
    await expect(page.get_by_text("Live, 1 new")).to_be_visible()
    await attempt.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Event 1, attempt 1")
    (push,) = receiver.at("hook")
    await expect(dialog.locator("#a-request-headers")).to_contain_text(push.id)
    await expect(dialog.locator("#a-request-headers")).to_contain_text("X-Desk", ignore_case=True)
    assert await dialog.locator("#a-body").text_content() == push.body.decode()
    await expect(dialog.locator("#a-response")).to_have_text(json.dumps({"taken": push.id}))
    await page.keyboard.press("Escape")
    await expect(attempt).to_be_focused()
    await page.get_by_label("Outcome").select_option("exhausted")
    await expect(page.get_by_text("There is none like that.")).to_be_visible()
    await page.get_by_label("Outcome").select_option("")
    await expect(page.locator(".attempt")).to_have_count(1)
    assert await page.evaluate("window.stayed")


async def test_an_attempt_has_an_address_that_reload_and_the_back_button_obey(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    hook = await register(wire, url=receiver.script("hook"))
    await wire.submit(story())
    await receiver.got("hook", 1)
    page = await sign_in(path=f"/console/{hook['id']}?outcome=delivered")
    await page.locator(".attempt").click()
    dialog = page.get_by_role("dialog", name="Event 1, attempt 1")
    await expect(dialog.get_by_role("heading", level=2)).to_be_focused()
    await page.reload()
    await expect(dialog.get_by_role("region", name="Request")).to_contain_text("POST")
    await expect(dialog.get_by_role("region", name="Response")).to_contain_text("Status 204")
    await page.go_back()
    await expect(dialog).to_be_hidden()
    await page.go_forward()
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page).to_have_url(f"{wire.url}/console/{hook['id']}?outcome=delivered")
    await expect(page.get_by_label("Outcome")).to_have_value("delivered")


async def test_the_headers_of_an_answer_and_what_was_cut_are_shown(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    async def answer(_: Push) -> web.Response:
        more = {f"X-{number}": "y" * 900 for number in range(5)}
        return web.Response(status=503, text="no database, " * 2_000, headers={"X-Why": "<b>upkeep</b>"} | more)

    receiver.answers["hook"] = answer
    hook = await register(wire, url=f"{receiver.url}/hook", retry=[])
    await wire.submit(story())
    await receiver.got("hook", 1)
    page = await sign_in(path=f"/console/{hook['id']}")
    await page.locator(".attempt").click()
    response = page.get_by_role("dialog").get_by_role("region", name="Response")
    await expect(response).to_contain_text("x-why")
    await expect(response).to_contain_text("<b>upkeep</b>")
    await expect(response.get_by_role("group", name="Body of the response")).to_contain_text("no database, no database")
    await expect(response).to_contain_text("There were more headers than are kept.")
    await expect(response).to_contain_text("the wire keeps no more than this")


async def test_request_and_response_stand_side_by_side_and_on_a_phone_one_below_the_other(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    hook = await register(wire, url=receiver.script("hook", 500), retry=[])
    await wire.submit(story())
    await receiver.got("hook", 1)
    page = await sign_in(path=f"/console/{hook['id']}")
    await page.locator(".attempt").click()
    dialog = page.get_by_role("dialog")
    for size, is_beside in (("desktop", True), ("phone", False)):
        await page.set_viewport_size({"width": SIZES[size][0], "height": SIZES[size][1]})
        await fits(page, size, "an attempt")
        request = await dialog.get_by_role("region", name="Request").bounding_box()
        response = await dialog.get_by_role("region", name="Response").bounding_box()
        assert request
        assert response
        assert (response["x"] >= request["x"] + request["width"]) is is_beside
        assert (response["y"] >= request["y"] + request["height"]) is not is_beside


async def test_an_attempt_is_sent_again(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    hook = await register(wire, url=receiver.script("hook"))
    await wire.submit(story())
    await receiver.got("hook", 1)
    page = await sign_in(path=f"/console/{hook['id']}")
    await page.locator(".attempt").click()
    await page.get_by_role("button", name="Send it again").click()
    first, second = await receiver.got("hook", 2)
    assert (first.id, first.body) == (second.id, second.body)
    await expect(page.locator(".attempt")).to_have_count(2)
    await expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("by", ["number", "time"])
async def test_a_range_is_replayed(wire: Wire, receiver: Receiver, sign_in: SignIn, by: str) -> None:
    hook = await register(wire, url=receiver.script("hook"))
    for number in range(3):
        await wire.submit(story(f"urn:newsml:test.example:{number}"))
    await receiver.got("hook", 3)
    page = await sign_in(path=f"/console/{hook['id']}", timezone_id="Asia/Kolkata")
    await act(page, "Replay").click()
    dialog = page.get_by_role("dialog", name="Replay events")
    await dialog.get_by_role("button", name="Replay").click()
    await expect(dialog.get_by_role("alert")).not_to_be_empty()
    if by == "number":
        await dialog.get_by_label("After number").fill("1")
        await dialog.get_by_label("Up to number").fill("2")
        again = [2]
    else:
        await dialog.get_by_label("By time").check()
        since = datetime.now(UTC) - timedelta(minutes=10)
        await dialog.get_by_label("Since (UTC)").fill(f"{since:%Y-%m-%dT%H:%M:%S}")
        again = [1, 2, 3]
    await dialog.get_by_role("button", name="Replay").click()
    said = "Event 2 is sent again." if by == "number" else "Events 1 to 3 are sent again."
    await expect(page.locator("#said")).to_have_text(said)
    pushes = await receiver.got("hook", 3 + len(again))
    assert sorted(push.message["sequence"] for push in pushes[3:]) == again


async def test_only_what_failed_is_replayed_if_asked(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    hook = await register(wire, url=receiver.script("hook", 500), retry=[])
    await wire.submit(story("urn:newsml:test.example:1"))
    await receiver.got("hook", 1)
    page = await sign_in(path=f"/console/{hook['id']}")
    await expect(page.locator(".attempt")).to_contain_text("Given up")
    await wire.submit(story("urn:newsml:test.example:2"))
    await expect(page.locator(".attempt")).to_have_count(2)
    await act(page, "Replay").click()
    dialog = page.get_by_role("dialog", name="Replay events")
    await dialog.get_by_label("After number").fill("0")
    await dialog.get_by_label("Only those that failed for good").check()
    await dialog.get_by_role("button", name="Replay").click()
    await expect(page.locator(".attempt")).to_have_count(3)
    assert [push.message["sequence"] for push in receiver.at("hook")] == [1, 2, 1]


async def test_a_secret_is_rotated_and_the_old_one_signs_for_the_time_of_grace(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    hook = await register(wire, url=receiver.script("hook"))
    page = await sign_in(path=f"/console/{hook['id']}")
    await act(page, "Rotate the secret").click()
    dialog = page.get_by_role("dialog", name="Rotate the secret?")
    await dialog.get_by_label("The old secret ends").select_option("in an hour")
    await dialog.get_by_role("button", name="Rotate").click()
    fresh = page.get_by_role("dialog", name="Keep this secret now")
    secret = await fresh.get_by_role("group", name="Secret").inner_text()
    await expect(fresh).to_contain_text("The old one is good until")
    await fresh.get_by_role("button", name="I have kept it").click()
    await expect(page.locator("#said")).to_contain_text("The secret is rotated")
    await wire.submit(story())
    (push,) = await receiver.got("hook", 1)
    for each in (secret, hook["secret"]):
        Webhook(each).verify(push.body, push.headers)


async def test_an_endpoint_is_disabled_with_a_reason_and_enabled_again(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    hook = await register(wire, url=receiver.script("hook"))
    page = await sign_in(path=f"/console/{hook['id']}")
    await act(page, "Disable").click()
    await page.get_by_label("Reason").fill("Moving house")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("region", name="Notices")).to_contain_text("Moving house")
    await expect(act(page, "Enable")).to_be_focused()
    await wire.submit(story())
    await expect(page.locator("#c-waiting")).to_have_text("1")
    await page.keyboard.press("Enter")
    await expect(page.locator(".health")).to_have_text("Delivering")
    await expect(act(page, "Disable")).to_be_focused()
    await receiver.got("hook", 1)


async def test_deleting_asks_first(wire: Wire, sign_in: SignIn) -> None:
    hook = await register(wire, url="https://receiver.example/")
    page = await sign_in(path=f"/console/{hook['id']}")
    await act(page, "Delete").focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete this endpoint?")
    await expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    await expect(act(page, "Delete")).to_be_focused()
    await page.keyboard.press("Enter")
    await dialog.get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("No endpoint is registered yet.")).to_be_visible()
    await page.goto(f"/console/{hook['id']}")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such endpoint")
    await expect(page.get_by_role("group", name="Acts")).to_be_hidden()


async def test_an_endpoint_without_an_address_shows_nothing_of_pushes(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    pulled, pushed = await register(wire), await register(wire, url=receiver.script("hook"))
    page = await sign_in(path=f"/console/{pulled['id']}")
    names = page.locator("#facts dt")
    await expect(names.filter(has_text="Registered")).to_be_visible()
    for name in ("Signature", "Secret", "Retries", "Rate"):
        await expect(names.filter(has_text=name)).to_have_count(0)
    await expect(act(page, "Rotate the secret")).to_be_hidden()

    await page.goto(f"/console/{pushed['id']}")

    for name in ("Signature", "Secret", "Retries", "Rate"):
        await expect(names.filter(has_text=name)).to_have_count(1)
    await expect(act(page, "Rotate the secret")).to_be_visible()


async def test_the_same_replay_twice_is_told(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    hook = await register(wire, url=receiver.script("hook"))
    await wire.submit(story())
    await receiver.got("hook", 1)
    await wire.http.post(f"/v1/webhooks/{hook['id']}/disable")
    page = await sign_in(path=f"/console/{hook['id']}")
    for words in ("Event 1 is sent again.", "The very same replay waits already"):
        await act(page, "Replay").click()
        await page.get_by_label("After number").fill("0")
        await page.keyboard.press("Enter")
        await expect(page.locator("#said")).to_contain_text(words)
