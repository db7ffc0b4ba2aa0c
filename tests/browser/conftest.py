"""A wire with stories in three directions of writing, and a real Chromium to read it with."""

import functools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright
from support.console import SignIn
from support.pages import ARABIC, CHINESE, ENGLISH, FLAGS, SIZES, OpenPage
from support.wire import OPERATOR, Receiver, Wire, receiving, running, story

from newswire_enrichment.steps.language import LanguageStep

one_language_step = functools.cache(LanguageStep)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a wire start and stop without waits that mean nothing here."""
    monkeypatch.setattr("newswire_enrichment.app.LanguageStep", one_language_step)
    monkeypatch.setattr("newswire_runtime.hop.READ_BLOCK_MS", 50)


@pytest.fixture
async def wire(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    async with running(redis_url) as started:
        yield started


@pytest.fixture
async def private(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    async with running(redis_url, public=False) as started:
        yield started


@pytest.fixture
async def stories(wire: Wire) -> Wire:
    """Three stories; the English one is corrected once, has a picture, a table and an older story."""
    picture = {
        "type": "picture",
        "description": "The quay in the evening",
        "credit": "Photo: A. Nobody",
        "renditions": [{"href": f"{wire.url}/favicon.ico", "width": 1600, "height": 900}],
    }
    english = story(
        ENGLISH,
        headline="Bridge to reopen on Saturday after two years of repairs",
        summary="The bridge will reopen to traffic after two years of repairs.",
        body_html="<h1>In short</h1><p>It cost 14 million euros, and was built by "
        + "a-very-long-name-without-any-space-" * 4
        + "</p><table><tr><th>Day</th><th>Cars that may cross it</th></tr><tr><td>1</td><td>1,200</td></tr></table>",
        body_text=None,
        section="Transport",
        urgency=3,
        byline="B. Writer",
        associations=[picture],
    )
    await wire.submit(english)
    await wire.out(ENGLISH)
    corrected = english | {
        "version": 2,
        "headline": "Bridge to reopen on Sunday after two years of repairs",
        "body_html": english["body_html"].replace("14", "15"),
        "ed_note": "Corrects the day and the cost.",
    }
    await wire.submit(corrected)
    await wire.out(ENGLISH, 2)
    await wire.submit(
        story(
            ARABIC,
            language="ar",
            headline="رفع 27 سفينة غارقة من ميناء المدينة",
            body_text="قالت سلطات الميناء إن أعمال الرفع انتهت.",
            section="اقتصاد",
        )
    )
    await wire.out(ARABIC)
    await wire.submit(
        story(
            CHINESE,
            language="zh",
            headline="青少年国际象棋赛吸引六百名选手参加",
            body_text="青少年国际象棋公开赛12日在上海开幕，来自二十个城市的六百名选手参加比赛。",
            section="体育",
        )
    )
    await wire.out(CHINESE)
    return wire


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        await started.close()


@pytest.fixture
def open_page(browser: Browser, wire: Wire) -> OpenPage:
    """Open a page of the wire, in a context of its own."""

    async def opened(path: str, size: str = "desktop", script: bool = True, **context: Any) -> Page:
        width, height = SIZES[size]
        made = await browser.new_context(
            base_url=wire.url, viewport={"width": width, "height": height}, java_script_enabled=script, **context
        )
        made.set_default_timeout(8_000)
        page = await made.new_page()
        await page.goto(path)
        return page

    return opened


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
