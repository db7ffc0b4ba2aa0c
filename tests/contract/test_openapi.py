"""The OpenAPI document beside the wire that it describes."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from support.wire import Wire, running

BODY = {"json": {}}
STREAMS = {"/v1/live"}
"""What answers without end."""


@pytest.fixture
async def wire(redis_url: str) -> AsyncIterator[Wire]:
    async with running(redis_url) as started:
        yield started


async def document(wire: Wire) -> dict[str, Any]:
    found: dict[str, Any] = (await wire.anyone.get("/openapi.json")).json()
    return found


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


async def test_every_operation_names_problems_as_its_errors(wire: Wire) -> None:
    found = await document(wire)
    assert not {"HTTPValidationError", "ValidationError"} & found["components"]["schemas"].keys()
    assert "HTTPValidationError" not in str(found["paths"])
    for method, path, operation in operations(found):
        (kind,) = operation["responses"]["default"]["content"]
        assert kind == "application/problem+json", (method, path)


async def test_what_needs_a_token_says_so_and_what_does_not_is_answered_without(wire: Wire) -> None:
    found = await document(wire)
    assert found["security"] == [{"token": []}]
    assert found["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    for method, path, operation in operations(found):
        if path in STREAMS:
            continue
        address = re.sub(r"\{\w+\}", "x", path)
        answer = await wire.anyone.request(method, address, **({} if method in ("get", "delete") else BODY))
        if "security" in operation:
            assert answer.status_code not in (401, 403), (method, path, answer.text)
        else:
            assert answer.status_code in (401, 422), (method, path, answer.text)


async def test_an_error_is_as_the_document_says(wire: Wire) -> None:
    schema = (await document(wire))["components"]["schemas"]["Problem"]
    answer = await wire.http.post("/v1/webhooks", json={"url": 5, "nope": 1})
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(schema["required"]) <= problem.keys() <= schema["properties"].keys()
    assert {error["pointer"] for error in problem["errors"]} == {"/url", "/nope"}
