"""A body that is too large is refused while it comes, by every route and before anybody is asked who calls."""

from collections.abc import AsyncIterator

import pytest
from support.wire import Wire, running


@pytest.fixture
async def narrow(quick: None, redis_url: str) -> AsyncIterator[Wire]:
    """A wire that takes 2,000 bytes."""
    async with running(redis_url, max_body=2_000) as started:
        yield started


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/webhooks"),
        ("PATCH", "/v1/webhooks/wh_1"),
        ("POST", "/v1/webhooks/wh_1/replay"),
        ("POST", "/v1/tokens"),
        ("PUT", "/v1/feeds/x"),
        ("POST", "/v1/articles"),
    ],
)
async def test_a_body_over_the_limit_is_refused(narrow: Wire, method: str, path: str) -> None:
    declared = await narrow.http.request(method, path, content=b" " * 2_001)
    assert (declared.status_code, declared.headers["content-type"]) == (413, "application/problem+json")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 1_000

    assert (await narrow.http.request(method, path, content=endless())).status_code == 413


async def test_a_body_within_the_limit_is_read_whole(narrow: Wire) -> None:
    made = await narrow.http.post("/v1/webhooks", json={"description": "x" * 1_500})
    assert made.status_code == 201
    assert made.json()["description"] == "x" * 1_500


async def test_a_restore_takes_more_than_other_calls(narrow: Wire) -> None:
    for number in range(5):
        assert (await narrow.http.post("/v1/webhooks", json={"description": f"{number}" * 900})).status_code == 201
    kept = (await narrow.http.get("/v1/backup")).content
    assert len(kept) > 2_000
    assert (await narrow.http.post("/v1/restore", content=kept)).json()["unchanged"] == 5
