"""The pages in a real Chromium: with and without script, by keyboard, on a phone, light and dark."""

import json
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Route, expect
from support.pages import ARABIC, CHINESE, ENGLISH, GERMAN, SIZES, OpenPage
from support.wire import Wire, story

from newswire_schemas.article import key_of

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    "/?language=ar",
    f"/articles/{key_of(ENGLISH)}",
    f"/articles/{key_of(ARABIC)}",
    f"/articles/{key_of(CHINESE)}",
    "/feeds",
    "/feeds?languages=en,ar&days=7",
    "/feeds?languages=no+tag",
    "/nothing",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
async def test_every_page_is_accessible_and_fits_its_screen(
    stories: Wire, open_page: OpenPage, size: str, scheme: str
) -> None:
    page = await open_page("/", size, color_scheme=scheme)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if "olicy" in message.text else None)
    for path in PAGES:
        await page.goto(path)
        found = (await Axe().run(page)).response["violations"]
        assert not [(each["id"], [node["target"] for node in each["nodes"]]) for each in found], path
        assert await page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], path
    assert not complaints


@pytest.mark.parametrize("script", [True, False])
async def test_the_front_page_is_narrowed_by_links(stories: Wire, open_page: OpenPage, script: bool) -> None:
    page = await open_page("/", script=script)
    headlines = page.locator(".story h3")
    await expect(headlines).to_have_count(3)
    await page.get_by_role("link", name="العربية").click()
    await expect(headlines).to_have_text(["رفع 27 سفينة غارقة من ميناء المدينة"])
    await expect(page.get_by_role("link", name="العربية")).to_have_attribute("aria-current", "true")
    await page.get_by_role("navigation", name="Languages and sections").get_by_role("link", name="All").first.click()
    await page.get_by_role("link", name="Transport").click()
    await expect(headlines).to_have_text(["Bridge to reopen on Sunday after two years of repairs"])


@pytest.mark.parametrize("script", [True, False])
async def test_an_article_tells_its_versions(stories: Wire, open_page: OpenPage, script: bool) -> None:
    page = await open_page("/", script=script)
    await page.get_by_role("link", name="Bridge to reopen").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "Bridge to reopen on Sunday after two years of repairs"
    )
    await expect(page.locator("aside.correction")).to_contain_text("Corrects the day and the cost.")
    versions = page.locator(".versions ol > li")
    await expect(versions.filter(has=page.locator("h3"))).to_have_count(2)
    figure = page.locator(".figures li")
    await expect(figure.locator("del")).to_have_text("before: 14")
    await expect(figure.locator("ins")).to_have_text("now: 15")
    headline = page.locator(".diff").first
    await expect(headline.locator("del")).to_have_text(" taken out: Saturday")
    await expect(headline.locator("ins")).to_have_text(" put in: Sunday")
    summary = page.locator(".versions summary")
    await summary.click()
    await expect(headline).to_be_hidden()


async def test_writing_runs_its_own_way(stories: Wire, open_page: OpenPage) -> None:
    page = await open_page(f"/articles/{key_of(ARABIC)}", "phone")
    title = page.get_by_role("heading", level=1)
    assert await title.evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert await title.evaluate(RIGHT_EDGE) < 24
    await page.goto(f"/articles/{key_of(CHINESE)}")
    assert await title.evaluate("element => getComputedStyle(element).direction") == "ltr"


RIGHT_EDGE = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return innerWidth - range.getBoundingClientRect().right;
}"""


async def test_the_builder_is_used_by_keyboard(stories: Wire, open_page: OpenPage) -> None:
    page = await open_page("/feeds")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    field = page.get_by_label("Languages")
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await field.evaluate("element => element === document.activeElement"):
            break
    await expect(field).to_be_focused()
    await page.keyboard.type("zh, ar")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="2 stories in the last day")).to_be_in_viewport()
    await expect(field).to_have_value("zh, ar")
    shown = await page.get_by_role("group", name="The filter").inner_text()
    assert json.loads(shown) == {"languages": ["zh", "ar"]}
    copy = page.get_by_role("button", name="Copy: The filter")
    await copy.focus()
    await page.keyboard.press("Enter")
    await expect(copy).to_have_text("Copied")
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_role("group", name="The filter")).to_be_focused()


async def test_the_builder_works_without_script(stories: Wire, open_page: OpenPage) -> None:
    page = await open_page("/feeds", "phone", script=False)
    await page.get_by_label("Any of these words").fill("bridge")
    await page.get_by_label("Try it on").select_option("7")
    await page.get_by_role("button", name="Try it").click()
    await expect(page.get_by_role("heading", name="1 story in the last 7 days")).to_be_visible()
    await expect(page.locator("#c-live")).to_contain_text(f"{stories.url}/v1/live?filter=")
    await page.get_by_label("Languages").fill("no tag")
    await page.get_by_label("Languages").press("Enter")
    await expect(page.get_by_label("Languages")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Any of these words")).to_have_value("bridge")


async def test_a_killed_story_leaves_a_notice(stories: Wire, open_page: OpenPage) -> None:
    page = await open_page("/", "phone")
    await expect(page.get_by_role("link", name="Bridge to reopen")).to_be_visible()
    await stories.desk("kill", ENGLISH, "The bridge stays closed.")
    await stories.settled()
    await page.goto(f"/articles/{key_of(ENGLISH)}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("This story was killed")
    await expect(page.locator("aside.correction")).to_have_text("The bridge stays closed.")
    assert not (await Axe().run(page)).response["violations"]
    await page.goto("/")
    await expect(page.locator(".story")).to_have_count(2)


async def test_the_front_page_follows_the_stream_without_a_reload(wire: Wire, open_page: OpenPage) -> None:
    await wire.submit(story(ENGLISH, headline="Bridge to reopen"))
    await wire.out(ENGLISH)
    page = await open_page("/?language=en")
    await expect(page.get_by_role("status")).to_have_text("Live")
    await page.evaluate("window.stayed = true")
    items = page.locator(".story")
    await expect(items).to_have_count(1)
    await wire.submit(story(GERMAN, language="de", headline="Nicht auf dieser Seite"))
    new = "urn:newsml:test.example:new"
    fields: dict[str, Any] = {"headline": "<b>Ferry</b> returns & stays", "urgency": 1, "language": "en"}
    await wire.submit({"uri": new, "body_text": "It is back.", "section": "Harbour"} | fields)
    await expect(items.first.locator("h3")).to_have_text("<b>Ferry</b> returns & stays")
    await expect(items.first.locator(".kicker")).to_contain_text("Flash")
    await expect(page.get_by_role("status")).to_have_text("Live, 1 new")
    await wire.submit(
        {"uri": new, "version": 2, "body_text": "It is back.", "ed_note": "It does not stay."}
        | fields
        | {"headline": "Ferry returns"}
    )
    await expect(items.first.locator("h3")).to_have_text("Ferry returns")
    await expect(items.first.locator(".note")).to_have_text("It does not stay.")
    await expect(items).to_have_count(2)
    await wire.desk("kill", ENGLISH)
    await expect(items.last.locator("article")).to_have_text("A story was withdrawn. Do not use it.")
    assert await page.evaluate("window.stayed")
    assert not (await Axe().run(page)).response["violations"]
    await items.first.get_by_role("link").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ferry returns")


async def test_a_private_wire_is_read_and_followed_with_a_token_as_password(browser: Browser, private: Wire) -> None:
    made = await private.http.post("/v1/tokens", json={"role": "subscriber", "name": "reader"})
    credentials: Any = {"username": "anyone", "password": made.json()["token"]}
    page = await (await browser.new_context(base_url=private.url, http_credentials=credentials)).new_page()
    await page.goto("/")
    await expect(page.get_by_role("status")).to_have_text("Live")
    await private.submit(story(ENGLISH, headline="For readers with a token"))
    await page.get_by_role("link", name="For readers with a token").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("For readers with a token")
    assert made.json()["token"] not in page.url


async def test_a_page_without_its_stream_is_as_it_was(stories: Wire, open_page: OpenPage) -> None:
    page = await open_page("about:blank")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503)

    await page.route("**/v1/live*", refuse)
    await page.goto("/")
    await expect(page.locator(".story")).to_have_count(3)
    await expect(page.get_by_role("status")).to_have_text("")
