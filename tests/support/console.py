"""What the tests of the webhooks' console share."""

from collections.abc import Awaitable, Callable
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page

from support.pages import SIZES
from support.wire import OPERATOR, Wire

SignIn = Callable[..., Awaitable[Page]]
HEADLINE = "رفع 27 سفينة غارقة من ميناء المدينة"


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
