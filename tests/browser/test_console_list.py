"""The console's list in a real Chromium with more endpoints than a window has: searched, narrowed, gone through."""

import asyncio

import pytest
from playwright.async_api import expect
from support.console import SignIn, fits, register, tab_to, token
from support.wire import Receiver, Wire, story

pytestmark = pytest.mark.browser

MANY = 60


@pytest.fixture
async def many(wire: Wire) -> Wire:
    """Endpoints of two owners that are fetched, named Desk 0, 1, …, and one of each owner that is disabled."""
    owners = [await token(wire, name=name) for name in ("north", "south")]
    for start in range(0, MANY, 10):
        numbers = range(start, start + 10)
        await asyncio.gather(*[register(wire, owners[each % 2], description=f"Desk {each}") for each in numbers])
    for owner in owners:
        made = await register(wire, owner, url="https://receiver.example/wire")
        await wire.http.post(f"/v1/webhooks/{made['id']}/disable", json={"reason": "moving house"})
    return wire


async def test_the_list_shows_a_window_that_grows_and_stays_after_a_reload(many: Wire, sign_in: SignIn) -> None:
    page = await sign_in()
    rows = page.locator(".hook")
    await expect(rows).to_have_count(50)
    await expect(rows.first).to_contain_text("moving house")
    await expect(page.get_by_role("status")).to_have_text("62 endpoints · none failing")
    more = page.get_by_role("button", name="Show 12 more")
    await more.focus()
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(MANY + 2)
    await expect(rows.nth(50).get_by_role("link")).to_be_focused()
    await expect(more).to_be_hidden()
    await page.reload()
    await expect(rows).to_have_count(MANY + 2)


async def test_endpoints_are_found_by_words_health_and_owner(many: Wire, sign_in: SignIn) -> None:
    page = await sign_in()
    rows, found = page.locator(".hook"), page.get_by_role("status")
    search = page.get_by_role("searchbox", name="Search")
    await search.fill("desk SOUTH")
    await expect(found).to_have_text("30 of 62 endpoints · none failing")
    await page.get_by_label("Owner").select_option("north")
    await expect(page.get_by_text("No endpoint is like that now.")).to_be_visible()
    await search.fill("receiver.example/WIRE")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Owner: north")
    await page.get_by_label("Owner").select_option("")
    await search.fill("")
    await page.get_by_role("radio", name="Disabled 2").check()
    await expect(rows).to_have_count(2)
    await page.reload()
    await expect(page.get_by_role("radio", name="Disabled 2")).to_be_checked()
    await expect(rows).to_have_count(2)
    await page.get_by_role("radio", name="All 62").check()
    await page.get_by_label("Order").select_option("Oldest first")
    await expect(rows.first).to_contain_text("Desk")


async def test_the_list_is_used_by_keyboard_on_a_phone(many: Wire, sign_in: SignIn) -> None:
    page = await sign_in(size="phone")
    await expect(page.locator(".hook")).to_have_count(50)
    await fits(page, "phone", "the list")
    await tab_to(page, page.get_by_role("radio", name="All 62"))
    await page.keyboard.press("ArrowRight")
    await expect(page.get_by_role("radio", name="Disabled 2")).to_be_focused()
    await expect(page.locator(".hook")).to_have_count(2)
    await tab_to(page, page.get_by_role("searchbox", name="Search"))
    await page.keyboard.type("south")
    await expect(page.locator(".hook")).to_have_count(1)
    await tab_to(page, page.locator(".hook").get_by_role("link"))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("https://receiver.example/wire")


async def test_the_way_back_leads_to_the_place_one_came_from(many: Wire, sign_in: SignIn) -> None:
    page = await sign_in()
    await page.get_by_role("searchbox", name="Search").fill("north")
    await expect(page.get_by_role("status")).to_contain_text("31 of 62")
    link = page.locator(".hook").nth(25).get_by_role("link")
    name = await link.text_content() or ""
    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await page.go_back()
    await expect(page.get_by_role("searchbox", name="Search")).to_have_value("north")
    again = page.get_by_role("link", name=name, exact=True)
    await expect(again).to_be_focused()
    await expect(again).to_be_in_viewport()


async def test_a_count_that_changes_is_shown_and_not_spoken(wire: Wire, receiver: Receiver, sign_in: SignIn) -> None:
    for name in ("one", "two"):
        await register(wire, url=receiver.script(name))
    page = await sign_in()
    await expect(page.locator(".hook")).to_have_count(2)
    await page.evaluate(
        "window.spoken = []; new MutationObserver(() => spoken.push(1))"
        ".observe(document.querySelector('#sum'), { childList: true, characterData: true, subtree: true })"
    )
    await wire.submit(story())
    await expect(page.get_by_role("radio", name="Delivering 2")).to_be_visible()
    await expect(page.locator(".sequence").first).to_have_text("1")
    assert await page.evaluate("spoken") == []
