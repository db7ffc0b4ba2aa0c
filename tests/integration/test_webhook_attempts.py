"""What an owner sees of an attempt: the request as the receiver got it, and the answer as it was given."""

import time
from typing import Any

from aiohttp import web
from support.book import Faulty
from support.pushing import faulty_hook
from support.wire import Hook, Push, Receiver, Wire, story, until

BEARER = "Bearer a-token-of-the-receiver"


async def attempts(hook: Hook, count: int) -> list[dict[str, Any]]:
    """Wait for so many attempts, and return them, oldest first."""

    async def enough() -> list[dict[str, Any]] | None:
        found = await hook.attempts()
        return found if len(found) >= count else None

    found: list[dict[str, Any]] = await until(enough, what=f"{count} attempts")
    return found


async def shown(hook: Hook, place: int = 0) -> dict[str, Any]:
    """Wait for an attempt, and return it as its owner looks at it."""
    found: dict[str, Any] = await hook.call("GET", f"/attempts/{(await attempts(hook, place + 1))[place]['id']}")
    return found


async def pushed(wire: Wire, receiver: Receiver, path: str = "hook") -> Push:
    """Push a story, and return what the receiver got first."""
    await wire.submit(story())
    return (await receiver.got(path, 1))[0]


def sent(push: Push) -> dict[str, Any]:
    """Return what the receiver got, as an attempt shows it."""
    url = f"http://{push.headers['host']}/{push.path}"
    return {"method": "POST", "url": url, "headers": push.headers, "body": push.body.decode()}


def unsigned(request: dict[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in request["headers"].items() if name != "webhook-signature"}
    return {**request, "headers": headers}


# The answer


async def test_a_failure_keeps_16_kilobytes_of_its_answer_and_no_half_character(wire: Wire, faulty: Faulty) -> None:
    body = "!" + "Ж" * 10_239
    kind = {"Content-Type": "text/plain; charset=utf-8"}
    hook = await faulty_hook(wire, faulty, "hook", {"status": 500, "body": body, "headers": kind}, retry=[])
    await wire.submit(story())

    attempt = await shown(hook)

    assert attempt["response"]["body"] == "!" + "Ж" * 8_191
    assert (attempt["response"]["status"], attempt["response"]["truncated"]) == (500, True)
    assert attempt["response"]["headers"]["content-type"] == kind["Content-Type"]


async def test_a_list_of_attempts_has_the_start_of_a_long_answer(wire: Wire, faulty: Faulty) -> None:
    hook = await faulty_hook(wire, faulty, "hook", {"status": 500, "body": "ж" * 5_000}, retry=[])
    await wire.submit(story())

    (listed,) = await attempts(hook, 1)

    assert (listed["response"], listed["truncated"]) == ("ж" * 2_000, True)
    whole = (await shown(hook))["response"]
    assert (whole["body"], whole["truncated"]) == ("ж" * 5_000, False)


async def test_the_headers_of_an_answer_are_kept_and_its_cookies_values_are_not(wire: Wire, faulty: Faulty) -> None:
    headers = [
        ("X-Trace", 'a:b; c="d"'),
        ("Via", "1.1 first"),
        ("Set-Cookie", "session=of-the-receiver"),
        ("VIA", "1.1 second"),
        ("X-Ort", "Köln"),
        ("X-Empty", ""),
    ]
    hook = await faulty_hook(wire, faulty, "hook", {"status": 503, "body": "busy", "headers": headers}, retry=[])
    await wire.submit(story())

    attempt = await shown(hook)

    assert attempt["response"] == {
        "status": 503,
        "headers": {
            "x-trace": 'a:b; c="d"',
            "via": "1.1 first, 1.1 second",
            "set-cookie": "(left out)",
            "x-ort": "Köln",
            "x-empty": "",
            "content-length": "4",
        },
        "body": "busy",
        "truncated": False,
    }


async def test_headers_without_end_are_cut_and_said_to_be(wire: Wire, faulty: Faulty) -> None:
    headers = [("X-Long", "a" * 5_000), *[(f"X-{number}", "b" * 400) for number in range(20)]]
    hook = await faulty_hook(wire, faulty, "hook", {"status": 500, "headers": headers}, retry=[])
    await wire.submit(story())

    response = (await shown(hook))["response"]

    assert response["headers_truncated"] is True
    assert response["headers"]["x-long"] == "a" * 1_000 + "…"
    assert response["headers"]["x-0"] == "b" * 400
    assert 3_500 < sum(len(name) + len(value) for name, value in response["headers"].items()) <= 4_096


async def test_of_a_delivery_2000_characters_are_kept_and_the_headers(wire: Wire, faulty: Faulty) -> None:
    answer = {"status": 200, "body": "спасибо " * 1_500, "headers": {"X-Node": "7"}}
    hook = await faulty_hook(wire, faulty, "hook", answer)
    await wire.submit(story())

    attempt = await shown(hook)

    assert attempt["outcome"] == "delivered"
    assert (attempt["response"]["body"], attempt["response"]["truncated"]) == ("спасибо " * 250, True)
    assert attempt["response"]["headers"]["x-node"] == "7"


async def test_an_answer_that_is_no_text_is_kept_without_what_a_terminal_obeys(wire: Wire, receiver: Receiver) -> None:
    async def binary(_: Push) -> web.Response:
        return web.Response(status=500, body=b"\x1b[2Jno\xff\x00\n", content_type="application/octet-stream")

    receiver.answers["hook"] = binary
    hook = await wire.hook(url=f"{receiver.url}/hook", retry=[])
    await wire.submit(story())

    assert (await shown(hook))["response"]["body"] == "\ufffd[2Jno\ufffd\ufffd\n"


async def test_without_an_answer_there_is_a_request_and_no_response(wire: Wire) -> None:
    hook = await wire.hook(url="http://127.0.0.1:9/hook", retry=[])
    await wire.submit(story())

    attempt = await shown(hook)

    assert attempt["error"] == "refused"
    assert (attempt["request"]["url"], attempt["response"]) == ("http://127.0.0.1:9/hook", None)


# The request


async def test_a_delivery_shows_the_request_as_the_receiver_got_it(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"), headers={"X-Desk": "sport"})
    push = await pushed(wire, receiver)

    assert (await shown(hook))["request"] == sent(push)


async def test_a_failure_shows_the_request_as_the_receiver_got_it(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[])
    push = await pushed(wire, receiver)

    assert (await shown(hook))["request"] == sent(push)


async def test_after_a_rotation_an_attempt_shows_the_signature_of_its_time(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[])
    push = await pushed(wire, receiver)
    await shown(hook)

    await hook.call("POST", "/rotate-secret", json={"grace": 60})

    assert (await shown(hook))["request"] == sent(push)


async def test_a_signature_whose_key_is_gone_is_left_out(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    push = await pushed(wire, receiver)
    await shown(hook)

    await hook.call("POST", "/rotate-secret", json={"grace": 0})

    assert (await shown(hook))["request"] == unsigned(sent(push))


async def test_after_a_change_a_failure_shows_the_address_headers_and_format_of_its_time(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[], headers={"X-Desk": "sport"})
    push = await pushed(wire, receiver)
    await shown(hook)

    changes = {"url": receiver.script("other"), "format": "thin", "headers": {"X-Desk": "politics"}}
    await hook.call("PATCH", json=changes)

    assert (await shown(hook))["request"] == sent(push)


async def test_after_a_change_a_delivery_shows_the_address_headers_and_format_of_its_time(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook"), headers={"X-Desk": "sport"})
    push = await pushed(wire, receiver)
    await shown(hook)

    changes = {"url": receiver.script("other"), "format": "thin", "headers": {"X-Desk": "politics"}}
    await hook.call("PATCH", json=changes)

    assert (await shown(hook))["request"] == sent(push)


async def test_an_attempt_after_a_change_shows_the_new_address(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await hook.call("PATCH", json={"url": receiver.script("other")})
    push = await pushed(wire, receiver, "other")

    assert (await shown(hook))["request"] == sent(push)


async def test_credentials_in_an_endpoints_headers_are_hidden_also_after_a_change(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook"), headers={"Authorization": BEARER, "X-Desk": "sport"})
    push = await pushed(wire, receiver)
    before = await shown(hook)

    await hook.call("PATCH", json={"headers": {"Authorization": None}})

    assert push.headers["authorization"] == BEARER
    for attempt in (before, await shown(hook)):
        assert BEARER not in str(attempt)
        assert attempt["request"]["headers"]["authorization"] == "(hidden)"
        assert attempt["request"]["headers"]["x-desk"] == "sport"
    assert "earlier" not in await hook.call("GET")


async def test_a_test_shows_its_request_and_its_answer(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500, **{"X-Why": "closed"}), headers={"Authorization": BEARER})
    await until(lambda: time.time() % 1 < 0.5)

    told = await hook.call("POST", "/test")

    (push,) = receiver.at("hook")
    got = sent(push)
    assert told["request"] == {**got, "headers": {**got["headers"], "authorization": "(hidden)"}}
    assert (told["status"], told["response_headers"]["x-why"]) == (500, "closed")


async def test_what_was_not_sent_has_neither_request_nor_response(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[30])
    await wire.submit(story())
    await attempts(hook, 1)
    await wire.submit(story(version=2, headline="Ferry returns late"))
    (superseded,) = [each for each in await attempts(hook, 3) if each["outcome"] == "superseded"]

    found = await hook.call("GET", f"/attempts/{superseded['id']}")

    assert (found["request"], found["response"]) == (None, None)
    assert "attempt" not in found
