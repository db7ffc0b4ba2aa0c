"""What the tests of the pages share: the browser's flags, screens, and the stories' names."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = {"phone": (360, 740), "desktop": (1280, 850)}

ENGLISH, GERMAN, ARABIC, CHINESE = (f"urn:newsml:test.example:{language}" for language in ("en", "de", "ar", "zh"))
OpenPage = Callable[..., Awaitable[Page]]
