"""What the tests of the webhooks' API share: tokens of integrators, and an endpoint that answers challenges."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from aiohttp import web

from support.wire import Push, Receiver, Wire


async def integrator(wire: Wire, name: str) -> dict[str, str]:
    """Make an integrator's token; return the headers that carry it."""
    answer = await wire.http.post("/v1/tokens", json={"role": "integrator", "name": name})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def pointers(answer: httpx.Response) -> list[str]:
    """Return the pointers of a 422 problem."""
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: list[str] = [error["pointer"] for error in answer.json()["errors"]]
    return found


async def registered(wire: Wire, whose: Mapping[str, str] | None = None, /, **body: Any) -> dict[str, Any]:
    """Register a webhook, with these headers of the request, that must be taken; return the answer."""
    answer = await wire.http.post("/v1/webhooks", json=body, headers=dict(whose or {}))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def echoing(receiver: Receiver, path: str, *, how: str = "plain") -> str:
    """Let a path answer challenges: `plain`, as `json`, with the request itself (`mirror`), or `never`."""

    async def answer(push: Push) -> web.Response:
        token = push.message["data"].get("challenge", "") if push.message["type"] == "webhook.challenge" else ""
        match how:
            case "plain":
                return web.Response(text=f"{token}\n")
            case "json":
                return web.json_response({"challenge": token})
            case "mirror":
                return web.Response(body=push.body, content_type="application/json")
        return web.Response(text=json.dumps({"challenge": "another"}))

    receiver.answers[path] = answer
    return f"{receiver.url}/{path}"
