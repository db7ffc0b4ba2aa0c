"""The webhooks' console in a real Chromium, against a real wire and a real receiver."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Locator, Page, Route, expect
from standardwebhooks.webhooks import Webhook
from support.pages import ARABIC, ENGLISH, GERMAN, SIZES, OpenPage
from support.wire import OPERATOR, Push, Receiver, Wire, receiving, story, until

pytestmark = pytest.mark.browser

SignIn = Callable[..., Awaitable[Page]]
HEADLINE = "رفع 27 سفينة غارقة من ميناء المدينة"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as started:
        yield started


@pytest.fixture
def sign_in(open_page: OpenPage) -> SignIn:
    """Open a page of the console and sign in there."""

    async def signed_in(token: str = OPERATOR, path: str = "/console", size: str = "desktop", **context: Any) -> Page:
        page = await open_page(path, size, **context)
        await page.get_by_label("Token").fill(token)
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Sign out").wait_for()
        return page

    return signed_in


async def token(wire: Wire, role: str = "integrator", name: str = "north") -> str:
    answer = await wire.http.post("/v1/tokens", json={"role": role, "name": name})
    found: str = answer.json()["token"]
    return found


async def register(wire: Wire, owner: str = OPERATOR, **settings: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {owner}"}
    answer = await wire.anyone.post("/v1/webhooks", json=settings, headers=headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def shown(wire: Wire, hook_id: str) -> dict[str, Any]:
    answer = await wire.http.get(f"/v1/webhooks/{hook_id}")
    found: dict[str, Any] = answer.json()
    return found


async def fits(page: Page, size: str, what: str) -> None:
    """Check what stands on the screen by axe, and that nothing is wider than it."""
    found = (await Axe().run(page)).response["violations"]
    assert not [(each["id"], [node["target"] for node in each["nodes"]]) for each in found], what
    assert await page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], what


async def tab_to(page: Page, wanted: Locator, most: int = 60) -> None:
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("the keyboard does not reach it")


def act(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="Acts").get_by_role("button", name=name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_every_view_is_accessible_and_fits_its_screen(
    stories: Wire, receiver: Receiver, open_page: OpenPage, size: str, scheme: str
) -> None:
    path = "long/" * 20
    hook = await register(stories, url=receiver.script(path, 500), description="ميناء", headers={"X-Desk": "7"})
    await stories.submit(story(GERMAN))
    await receiver.got(path, 1)
    page = await open_page("/console", size, color_scheme=scheme)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "olicy" in message.text else None)
    await page.get_by_label("Token").wait_for()
    await fits(page, size, "sign in")
    await page.get_by_label("Token").fill(OPERATOR)
    await page.keyboard.press("Enter")
    await page.locator(".hook").wait_for()
    await fits(page, size, "the list")
    await page.goto("/console/new")
    await page.get_by_text("How it is sent:").click()
    await page.get_by_role("button", name="Try the filter").click()
    await page.locator("#found").wait_for()
    await fits(page, size, "the form")
    await page.goto(f"/console/{hook['id']}")
    await act(page, "Send a test").click()
    await page.get_by_text("The test arrived").wait_for()
    await fits(page, size, "the endpoint")
    await page.locator(".attempt").first.click()
    await page.get_by_text("webhook-id").wait_for()
    await fits(page, size, "an attempt")
    await page.keyboard.press("Escape")
    for name in ("Disable", "Replay", "Rotate", "Delete"):
        await act(page, name).click()
        await page.get_by_role("dialog").wait_for()
        await fits(page, size, name)
        await page.keyboard.press("Escape")
    assert not complaints


async def test_without_script_the_page_says_what_to_use_instead(wire: Wire, open_page: OpenPage) -> None:
    page = await open_page("/", script=False)
    await page.get_by_role("link", name="console").click()
    main = page.get_by_role("main")
    await expect(main).to_contain_text("newswire webhook add URL")
    await expect(main.get_by_role("link", name="API")).to_be_visible()
    await expect(page.get_by_label("Token")).to_be_hidden()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nw_nobody", "This token is not known here."),
        ("two words", "without spaces"),
        ("reader", "This is a subscriber’s token."),
    ],
)
async def test_a_token_that_does_not_open_it_is_told_why(
    wire: Wire, open_page: OpenPage, typed: str, said: str
) -> None:
    page = await open_page("/console")
    field = page.get_by_label("Token")
    await expect(field).to_be_focused()
    await field.fill(await token(wire, "subscriber") if typed == "reader" else typed)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text(said)
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "")
    await expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


async def test_the_token_stays_in_the_tab_and_goes_with_signing_out(wire: Wire, sign_in: SignIn) -> None:
    mine = await token(wire)
    page = await sign_in(mine)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await expect(page.get_by_text("Signed in as north, integrator")).to_be_visible()
    assert await page.context.cookies() == []
    assert await page.evaluate("localStorage.length") == 0
    await page.get_by_role("link", name="Register an endpoint").click()
    await page.get_by_label("Description").fill("Mine")
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Token").wait_for()
    assert await page.evaluate("sessionStorage.length") == 0
    await page.go_back()
    await page.get_by_label("Token").wait_for()
    await expect(page.get_by_label("Description")).to_be_hidden()
    assert not any(mine in url for url in asked)


async def test_a_token_that_ends_while_one_looks_leads_back_to_the_sign_in(wire: Wire, sign_in: SignIn) -> None:
    made = (await wire.http.post("/v1/tokens", json={"role": "integrator", "name": "north"})).json()
    await register(wire, made["token"], url="https://receiver.example/", description="Mine")
    page = await sign_in(made["token"])
    await page.locator(".hook").wait_for()
    await wire.http.delete(f"/v1/tokens/{made['id']}")
    await expect(page.get_by_role("alert")).to_contain_text("no longer good")
    await expect(page.locator(".hook")).to_be_hidden()


async def test_a_private_wire_has_its_console_too(browser: Browser, private: Wire) -> None:
    page = await (await browser.new_context(base_url=private.url)).new_page()
    await page.goto("/console")
    await page.get_by_label("Token").fill(await token(private))
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("No endpoint is registered yet.")).to_be_visible()


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


async def test_an_operator_sees_all_endpoints_the_failing_first(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    north, south = await token(wire, name="north"), await token(wire, name="south")
    await register(wire, north, url=receiver.script("good"), description="Good")
    await register(wire, south, url=receiver.script("bad", *[503] * 50), description="Bad")
    await register(wire, south, description="Fetched")
    await wire.submit(story())
    await receiver.got("bad", 1)
    page = await sign_in()
    rows = page.locator(".hook")
    await expect(rows).to_have_count(3)
    await expect(rows.nth(0)).to_contain_text(f"{receiver.url}/bad")
    await expect(rows.nth(0)).to_contain_text("Failing")
    await expect(rows.nth(0)).to_contain_text("last: 503")
    await expect(rows.nth(0)).to_contain_text("Owner: south")
    await expect(rows.nth(0).locator(".waiting")).to_have_text("1")
    await page.get_by_label("Owner").select_option("north")
    await expect(rows).to_have_count(1)
    await page.reload()
    await expect(page.get_by_label("Owner")).to_have_value("north")
    await expect(rows).to_have_count(1)
    await page.get_by_label("Owner").select_option("")
    await page.get_by_label("Health").select_option("Pull only")
    await expect(rows).to_contain_text("Fetched")
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Token").fill(north)
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await expect(rows).not_to_contain_text("Owner")


async def test_what_happened_to_endpoints_is_read_on_their_pages_and_the_list(
    wire: Wire, receiver: Receiver, sign_in: SignIn
) -> None:
    mine = await token(wire)
    hook = await register(wire, mine, url=receiver.script("hook", 410))
    other = await register(wire, url=receiver.script("other", 500), retry=[])
    await wire.submit(story())
    page = await sign_in(mine)
    told = page.get_by_role("list", name="What happened").get_by_role("listitem")
    await expect(told).to_contain_text("It was disabled: the receiver answered 410 Gone.")
    await told.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(hook["url"])
    await expect(page.get_by_role("region", name="Notices")).to_contain_text("410 Gone")
    await expect(told).to_have_count(1)
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Token").fill(OPERATOR)
    await page.keyboard.press("Enter")
    await expect(told).to_have_count(2)
    await page.goto(f"/console/{other['id']}")
    await expect(told).to_contain_text("Given up after 1 attempt (500)")
    await expect(page.locator("#c-given-up")).to_have_text("1")


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


async def test_the_list_follows_the_wire_and_keeps_the_focus(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    for name in ("one", "two"):
        await register(wire, url=receiver.script(name), description=name)
    page = await sign_in()
    link = page.get_by_role("link", name=f"{receiver.url}/two")
    await link.focus()
    receiver.script("two", 503)
    await wire.submit(story())
    await expect(page.locator(".hook").first).to_contain_text("last: 503")
    await expect(page.locator(".hook").first).to_contain_text("two")
    await expect(link).to_be_focused()


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


async def test_a_wire_that_goes_away_is_told_and_comes_back(wire: Wire, sign_in: SignIn) -> None:
    await register(wire, url="https://receiver.example/")
    page = await sign_in()
    await page.locator(".hook").wait_for()
    await page.context.set_offline(True)
    await expect(page.get_by_role("alert")).to_contain_text("The wire does not answer.")
    await expect(page.locator(".hook")).to_have_count(1)
    await page.context.set_offline(False)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_a_registration_that_got_no_answer_registers_nothing_twice(wire: Wire, sign_in: SignIn) -> None:
    page = await sign_in(path="/console/new")
    await page.get_by_label("Description").fill("Once")

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/v1/webhooks", lose_the_answer)
    await page.get_by_label("Description").press("Enter")
    await expect(page.get_by_role("alert").last).to_contain_text("The wire does not answer.")
    await page.unroute("**/v1/webhooks")
    await page.get_by_label("Description").press("Enter")
    await page.get_by_role("button", name="I have kept it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Once")
    assert len((await wire.http.get("/v1/webhooks")).json()["items"]) == 1
