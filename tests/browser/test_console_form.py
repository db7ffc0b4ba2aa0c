"""The console's form in a real Chromium: registering an endpoint, and changing its settings."""

from typing import Any

import pytest
from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route, expect
from standardwebhooks.webhooks import Webhook
from support.console import HEADLINE, SignIn, act, register, shown, tab_to, token
from support.pages import ENGLISH
from support.wire import Push, Receiver, Wire, story, until

pytestmark = pytest.mark.browser


async def test_an_endpoint_is_registered_by_keyboard_after_a_dry_run(
    stories: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    page = await sign_in(await token(stories), permissions=["clipboard-read", "clipboard-write"])
    await tab_to(page, page.get_by_role("link", name="Register an endpoint"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Address")).to_be_focused()
    await page.keyboard.type(f"{receiver.url}/hook")
    await tab_to(page, page.get_by_label("Languages"))
    await page.keyboard.type("en, ar")
    await tab_to(page, page.get_by_role("button", name="Try the filter"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="3 events in the last 7 days")).to_be_focused()
    samples = page.get_by_role("list", name="The newest of them").get_by_role("listitem")
    await expect(samples).to_have_count(2)
    await expect(samples.filter(has_text="Transport")).to_contain_text("Bridge to reopen on Sunday")
    await expect(samples.get_by_text(HEADLINE).locator("..")).to_have_attribute("dir", "rtl")
    counts = page.get_by_role("list", name="By type").get_by_role("listitem")
    await expect(counts.filter(has_text="corrected")).to_contain_text("1")
    await tab_to(page, page.get_by_role("button", name="Register"))
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Keep this secret now")
    secret = await dialog.get_by_role("group", name="Secret").inner_text()
    await tab_to(page, dialog.get_by_role("button", name="Copy: Secret"))
    await page.keyboard.press("Enter")
    assert await page.evaluate("navigator.clipboard.readText()") == secret
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_visible()
    await tab_to(page, dialog.get_by_role("button", name="I have kept it"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"{receiver.url}/hook")
    assert secret not in await page.content()
    await stories.submit(story(ENGLISH, version=3, headline="Bridge is open"))
    (push,) = await receiver.got("hook", 1)
    Webhook(secret).verify(push.body, push.headers)


async def test_what_the_api_refuses_stands_beside_its_fields(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    await page.get_by_label("Languages").fill("no tag")
    await page.get_by_text("How it is sent:").click()
    retry, headers = page.get_by_label("Seconds between retries"), page.get_by_label("Headers of your own")
    await retry.fill("5, soon")
    await headers.fill("Host: x")
    await page.get_by_text("How it is sent:").click()
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_role("alert").last).to_have_text("See what is said beside 3 of the fields.")
    await expect(page.get_by_label("Languages")).to_be_focused()
    for field, said in ((page.get_by_label("Languages"), "language tag"), (retry, "number"), (headers, "Host")):
        await expect(field).to_have_attribute("aria-invalid", "true")
        ids = (await field.get_attribute("aria-describedby") or "").split()
        await expect(page.locator(f"#{ids[-1]}")).to_contain_text(said)
        await expect(page.locator(f"#{ids[-1]}")).to_be_visible()
    assert not (await Axe().run(page)).response["violations"]
    await page.get_by_label("Languages").fill("de")
    await retry.fill("5, 60")
    await headers.fill("X-Desk: 7")
    await page.get_by_label("Address").fill("http://169.254.169.254/")
    await page.get_by_role("button", name="Register").click()
    await expect(page.get_by_label("Address")).to_be_focused()
    await expect(page.locator("[aria-invalid]")).to_have_count(1)
    await page.get_by_role("checkbox", name="new", exact=True).uncheck()
    await page.get_by_label("Address").fill("")
    await page.get_by_role("button", name="Register").click()
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.get_by_text("Pull only")).to_be_visible()
    (hook,) = (await wire.http.get("/v1/webhooks")).json()["items"]
    assert hook["retry"] == [5, 60]
    assert {name.lower(): value for name, value in hook["headers"].items()} == {"x-desk": "7"}
    assert hook["filter"] == {"languages": ["de"]}
    assert "article.new" not in hook["events"]
    assert "article.killed" in hook["events"]


async def test_settings_are_changed_and_the_rest_stays(wire: Wire, sign_in: SignIn) -> None:
    nested = {
        "languages": ["de", "en"],
        "places": ["Halle, Saale"],
        "any": [{"sections": ["Sport"]}, {"urgency": 2}],
        "exclude": {"words": ["x"]},
    }
    hook = await register(
        wire, url="https://receiver.example/", filter=nested, headers={"X-Desk": "7"}, rate=5, events=["article.*"]
    )
    page = await sign_in(path=f"/console/{hook['id']}")
    await page.get_by_role("link", name="Settings").click()
    await expect(page.get_by_label("Languages")).to_have_value("de, en")
    await expect(page.get_by_text("parts that the fields here do not show")).to_be_visible()
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request.post_data_json) if request.method == "PATCH" else None)
    await page.get_by_label("Languages").fill("de")
    await page.get_by_label("None of these words").fill("")
    await page.get_by_label("Pushes a second, at most").fill("")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("https://receiver.example/")
    assert sent == [{"filter": {"languages": ["de"], "exclude": None}, "rate": None}]
    changed = await shown(wire, hook["id"])
    assert changed["filter"] == {"languages": ["de"], "places": nested["places"], "any": nested["any"]}
    assert "rate" not in changed
    assert changed["headers"] == hook["headers"]


async def test_of_an_ed25519_endpoint_the_public_key_is_shown(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    await page.get_by_label("Address").fill(f"{receiver.url}/hook")
    await page.get_by_text("How it is sent:").click()
    await page.get_by_label("Signature").select_option("v1a")
    await page.get_by_role("checkbox", name="recovered").check()
    await page.get_by_role("button", name="Register").click()
    dialog = page.get_by_role("dialog", name="Give this key to your endpoint")
    key = await dialog.get_by_role("group", name="Public key").inner_text()
    assert key.startswith("whpk_")
    await dialog.get_by_role("button", name="Done").click()
    await expect(page.locator("#facts")).to_contain_text(key)
    (hook,) = (await wire.http.get("/v1/webhooks")).json()["items"]
    assert {"article.new", "webhook.recovered"} <= set(hook["events"])
    assert "webhook.failing" not in hook["events"]


async def test_an_endpoint_that_must_be_proven_is_proven(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    async def echo(push: Push) -> web.Response:
        return web.json_response({"challenge": push.message["data"].get("challenge")})

    receiver.script("hook")
    page = await sign_in(path="/console/new")
    await page.get_by_label("Address").fill(f"{receiver.url}/hook")
    await page.get_by_text("How it is sent:").click()
    await page.get_by_label("Send nothing until the endpoint has echoed").check()
    await page.get_by_role("button", name="Register").click()
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.locator(".health")).to_have_text("Pending")
    await act(page, "Send the challenge").click()
    await expect(page.locator("#said")).to_contain_text("did not echo the challenge")
    receiver.answers["hook"] = echo
    await page.keyboard.press("Enter")
    await expect(page.locator(".health")).to_have_text("Quiet")
    await until(lambda: receiver.at("hook"))


async def register_and_lose_the_answer(page: Page) -> None:
    """Register an endpoint called Once; the wire takes it, but its answer never comes."""

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.get_by_label("Description").fill("Once")
    await page.route("**/v1/webhooks", lose_the_answer)
    await page.get_by_label("Description").press("Enter")
    await expect(page.get_by_role("alert").last).to_contain_text("The wire does not answer.")
    await page.unroute("**/v1/webhooks")


async def test_a_registration_that_got_no_answer_registers_nothing_twice(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    await register_and_lose_the_answer(page)
    await page.get_by_label("Description").press("Enter")
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Once")
    assert len((await wire.http.get("/v1/webhooks")).json()["items"]) == 1


async def test_what_was_typed_outlives_a_reload_but_for_the_secret(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    await page.get_by_label("Description").fill("Draft")
    await page.get_by_label("Languages").fill("de, en")
    await page.get_by_role("checkbox", name="new", exact=True).uncheck()
    await page.get_by_text("How it is sent:").click()
    await page.get_by_label("Pushes a second").fill("7")
    await page.get_by_role("textbox", name="Secret").fill("whsec_notforkeeping")
    await page.reload()
    await expect(page.get_by_label("Pushes a second")).to_have_value("7")
    await expect(page.get_by_role("textbox", name="Secret")).to_have_value("")
    await expect(page.get_by_role("checkbox", name="new", exact=True)).not_to_be_checked()
    await page.get_by_role("button", name="Register").click()
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Draft")
    (hook,) = (await wire.http.get("/v1/webhooks")).json()["items"]
    assert (hook["filter"], hook["rate"]) == ({"languages": ["de", "en"]}, 7)
    await page.goto("/console/new")
    await expect(page.get_by_label("Description")).to_have_value("")


async def test_a_registration_whose_answer_was_lost_is_found_again_after_a_reload(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    await register_and_lose_the_answer(page)
    await page.reload()
    await page.get_by_label("Description").press("Enter")
    await page.get_by_role("button", name="I have kept it").click()
    assert len((await wire.http.get("/v1/webhooks")).json()["items"]) == 1


async def test_who_unticks_killed_is_told_that_kills_come_all_the_same(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    told = page.get_by_text("Kills and withdrawals of stories that your endpoint has come all the same.")
    await expect(told).to_be_hidden()
    await page.get_by_label("killed", exact=True).uncheck()
    await expect(told).to_be_visible()
    await page.get_by_label("killed", exact=True).check()
    await expect(told).to_be_hidden()
    hook = await register(wire, events=["article.new"])

    await page.goto(f"/console/{hook['id']}/edit")

    await expect(told).to_be_visible()


async def test_a_dry_run_that_saw_only_a_part_says_so_in_numbers_of_one_form(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    found = {
        "days": 7,
        "scanned": 2000,
        "matched": 1500,
        "pushes": 1500,
        "per_day": [],
        "by_type": {},
        "items": [],
        "truncated": True,
    }
    await page.route("**/v1/webhooks/dry-run", lambda route: route.fulfill(json=found))

    await page.get_by_role("button", name="Try the filter").click()

    note = "From 1,500 stories of the newest 2,000 that came over the wire; older ones were not looked at."
    await expect(page.locator("#found-note")).to_have_text(note)
