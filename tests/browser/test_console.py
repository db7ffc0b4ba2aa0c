"""The webhooks' console in a real Chromium: signing in, the list, and every view on every screen."""

import pytest
from playwright.async_api import Browser, expect
from support.console import SignIn, act, fits, register, token
from support.pages import GERMAN, SIZES, OpenPage
from support.wire import OPERATOR, Receiver, Wire, running, story

pytestmark = pytest.mark.browser


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
    await page.get_by_role("radio", name="Pull only").check()
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Fetched")
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_label("Token").fill(north)
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await expect(rows).not_to_contain_text("Owner")


async def test_an_endpoint_that_cannot_be_signed_stands_first_and_says_why(
    quick: None, redis_url: str, browser: Browser
) -> None:
    async with running(redis_url) as wire:
        await register(wire, url="http://127.0.0.1:9/", description="Waits")
        await register(wire, description="Fetched")
    async with running(redis_url, secret_key="another-key-that-encrypts-secrets-in-tests") as wire:
        context = await browser.new_context(base_url=wire.url)
        page = await context.new_page()
        await page.goto("/console")
        await page.get_by_label("Token").fill(OPERATOR)
        await page.keyboard.press("Enter")
        rows = page.locator(".hook")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(0)).to_contain_text("Not signed")
        await expect(rows.nth(0)).to_contain_text("its pushes wait")
        await expect(rows.nth(0)).to_contain_text("NEWSWIRE_SECRET_KEY")
        await context.close()


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


async def test_a_wire_that_goes_away_is_told_and_comes_back(wire: Wire, sign_in: SignIn) -> None:
    await register(wire, url="https://receiver.example/")
    page = await sign_in()
    await page.locator(".hook").wait_for()
    await page.context.set_offline(True)
    await expect(page.get_by_role("alert")).to_contain_text("The wire does not answer.")
    await expect(page.locator(".hook")).to_have_count(1)
    await page.context.set_offline(False)
    await expect(page.get_by_role("alert")).to_have_count(0)
