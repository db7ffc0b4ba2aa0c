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

ENGLISH, ARABIC, CHINESE = "urn:newsml:test.example:en", "urn:newsml:test.example:ar", "urn:newsml:test.example:zh"
OpenPage = Callable[..., Awaitable[Page]]
