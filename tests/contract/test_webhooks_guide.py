"""Whatever docs/webhooks.md tells an integrator to type or to run works, against a running wire and real pushes."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from standardwebhooks.webhooks import Webhook
from support.formats import FORMATS
from support.wire import OPERATOR, Hook, Push, Receiver, Wire, receiving, running, story, until

from newswire_publisher.articles.ninjs import SCHEMA as NINJS_SCHEMA
from newswire_publisher.webhooks.delivery import DEADLINE_SECONDS
from newswire_publisher.webhooks.settling import LEASE_MS

DATA = Path(__file__).parents[1] / "data"
GUIDE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


WHERE, REGISTER, TEST, OPENSSL, OPENSSL_V1A, ROTATE, EVENTS, REPLAY, LOOK, TYPES, NOTICES = blocks("sh")
RECEIVER, V1A, FILL = blocks("python")
NODE_VERIFY, NODE_RECEIVER, NODE_LIBRARY = blocks("js")

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no Node here: the node command is not installed")


@pytest.fixture
async def wire(redis_url: str) -> AsyncIterator[Wire]:
    async with running(redis_url) as started:
        yield started


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as server:
        yield server


async def run(folder: Path, *command: str, **variables: str) -> str:
    """Run a command in a folder and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=folder, env=os.environ | variables, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, printed
    return printed.decode()


async def shell(script: str, wire: Wire, folder: Path, **variables: str) -> str:
    """Run blocks of the guide as a shell does."""
    return await run(folder, "bash", "-euc", script, NEWSWIRE=wire.url, TOKEN=OPERATOR, **variables)


async def register(wire: Wire, folder: Path, address: str) -> dict[str, str]:
    """Register as the guide says; return the variables that it sets."""
    script = (
        (WHERE + REGISTER).replace("http://127.0.0.1:8080", wire.url).replace("https://receiver.example/wire", address)
    )
    script = re.sub(r"export TOKEN=\S+", f"export TOKEN={OPERATOR}", script)
    id_, secret = (await shell(f'{script}\nprintf "%s\\n" "$WEBHOOK" "$WEBHOOK_SECRET"', wire, folder)).split()
    return {"WEBHOOK": id_, "WEBHOOK_SECRET": secret}


@contextlib.asynccontextmanager
async def served(folder: Path, *command: str, **variables: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Run a receiver of the guide on a free port; yield its address and, as they come, the lines that it prints."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | variables | {"PORT": str(port)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    lines: list[str] = []

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            lines.append(line.decode().rstrip())

    async def answers() -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return True
        return False

    reading = asyncio.create_task(read())
    try:
        await until(answers, 20, "the receiver of the guide listens")
        yield f"http://127.0.0.1:{port}/wire", lines
    finally:
        process.kill()
        await process.wait()
        await reading


async def attach(wire: Wire, variables: dict[str, str], address: str) -> None:
    """Point a registered webhook to a receiver that was started with its secret."""
    answer = await wire.http.patch(f"/v1/webhooks/{variables['WEBHOOK']}", json={"url": address})
    assert answer.status_code == 200, answer.text


def kept(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what the Python receiver has: version and whether it is shown, by uri."""
    with contextlib.closing(sqlite3.connect(folder / "wire.db", timeout=10)) as store:
        rows = store.execute("SELECT uri, version, shown FROM articles").fetchall()
    return {uri: (version, shown) for uri, version, shown in rows}


async def in_the_end(folder: Path, expected: dict[str, tuple[int, int]]) -> None:
    def same() -> bool:
        with contextlib.suppress(sqlite3.OperationalError):
            return kept(folder) == expected
        return False

    await until(same, 20, f"the receiver has {expected}")


def variables_of(push: Push) -> dict[str, str]:
    names = {"ID": "webhook-id", "TIMESTAMP": "webhook-timestamp", "SIGNATURE": "webhook-signature"}
    return {name: push.headers[header] for name, header in names.items()}


async def test_the_first_steps_register_and_send_a_test(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    variables = await register(wire, tmp_path, receiver.script("wire"))

    said = json.loads(await shell(TEST, wire, tmp_path, **variables))

    assert said["delivered"] is True
    assert receiver.pushes[0].message["type"] == "webhook.test"
    Webhook(variables["WEBHOOK_SECRET"]).verify(receiver.pushes[0].body, receiver.pushes[0].headers)


async def test_the_python_receiver_keeps_the_newest_and_obeys_a_kill(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(RECEIVER)
    variables = await register(wire, tmp_path, "http://127.0.0.1:9/wire")
    async with served(tmp_path, sys.executable, "receiver.py", **variables) as (address, _):
        await attach(wire, variables, address)
        assert json.loads(await shell(TEST, wire, tmp_path, **variables))["status"] == 204
        await wire.submit(story("urn:a:1"))
        await wire.submit(story("urn:a:2"))
        await in_the_end(tmp_path, {"urn:a:1": (1, 1), "urn:a:2": (1, 1)})

        await wire.submit(story("urn:a:2", version=2, headline="Ferry returns at last"))
        await wire.desk("kill", "urn:a:1", note="Wrong harbour.")

        await in_the_end(tmp_path, {"urn:a:1": (2, 0), "urn:a:2": (2, 1)})


async def test_the_python_receiver_refuses_a_forgery_and_takes_a_repeat_once(
    wire: Wire, receiver: Receiver, tmp_path: Path
) -> None:
    (tmp_path / "receiver.py").write_text(RECEIVER)
    variables = await register(wire, tmp_path, receiver.script("wire"))
    await wire.submit(story("urn:a:1"))
    (push,) = await receiver.got("wire", 1)
    async with (
        served(tmp_path, sys.executable, "receiver.py", **variables) as (address, _),
        httpx.AsyncClient() as http,
    ):
        answers = [
            await http.post(address, content=body, headers=push.headers)
            for body in (push.body, push.body, push.body.replace(b"urn:a:1", b"urn:a:9"))
        ]

        assert [answer.status_code for answer in answers] == [204, 204, 401]
        assert kept(tmp_path) == {"urn:a:1": (1, 1)}


async def test_the_python_receiver_echoes_a_challenge(tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(RECEIVER)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    async with served(tmp_path, sys.executable, "receiver.py", WEBHOOK_SECRET=secret) as (address, _):
        assert await challenged(address, secret) == "a-token"


@needs_node
async def test_the_node_receiver_echoes_a_challenge_and_refuses_a_forgery(tmp_path: Path) -> None:
    (tmp_path / "verify.mjs").write_text(NODE_VERIFY)
    (tmp_path / "receiver.mjs").write_text(NODE_RECEIVER)
    secret, other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    async with served(tmp_path, "node", "receiver.mjs", WEBHOOK_SECRET=secret) as (address, _):
        assert await challenged(address, secret) == "a-token"
        assert await challenged(address, other) == "401"


async def challenged(address: str, secret: str) -> str:
    """Send the challenge with a signature of the reference library; return the token or the status that came."""
    event = {"type": "webhook.challenge", "timestamp": "2026-01-15T10:12:00.000Z", "sequence": 0}
    body = json.dumps(event | {"data": {"challenge": "a-token"}})
    moment = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", moment, body),
    }
    async with httpx.AsyncClient() as http:
        answer = await http.post(address, content=body, headers=headers)
    return answer.text if answer.status_code == 200 else str(answer.status_code)


@pytest.mark.parametrize("program", ["python", pytest.param("node", marks=needs_node)])
async def test_the_receivers_prove_their_address(wire: Wire, tmp_path: Path, program: str) -> None:
    for name, text in (("receiver.py", RECEIVER), ("verify.mjs", NODE_VERIFY), ("receiver.mjs", NODE_RECEIVER)):
        (tmp_path / name).write_text(text)
    command = {"python": (sys.executable, "receiver.py"), "node": ("node", "receiver.mjs")}[program]
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    async with served(tmp_path, *command, WEBHOOK_SECRET=secret) as (address, _):
        right = await wire.http.post("/v1/webhooks", json={"url": address, "secret": secret, "challenge": True})
        other = await wire.http.post("/v1/webhooks", json={"url": address, "challenge": True})

    assert [answer.json()["verification"]["verified"] for answer in (right, other)] == [True, False]
    assert [answer.json()["status"] for answer in (right, other)] == ["enabled", "pending"]


@needs_node
@pytest.mark.parametrize("signature", ["v1", "v1a"])
async def test_the_node_receiver_takes_real_pushes_of_both_schemes(wire: Wire, tmp_path: Path, signature: str) -> None:
    (tmp_path / "verify.mjs").write_text(NODE_VERIFY)
    (tmp_path / "receiver.mjs").write_text(NODE_RECEIVER)
    made = await wire.hook(url="http://127.0.0.1:9/wire", signature=signature)
    async with served(tmp_path, "node", "receiver.mjs", WEBHOOK_SECRET=made.secret) as (address, lines):
        await made.call("PATCH", json={"url": address})

        await wire.submit(story("urn:a:1", headline="Überfahrt – wieder frei"))

        await until(lambda: lines, 20, "the push at the receiver")
        assert lines == [f"msg_{made.id}_1 article.new urn:a:1"]


@needs_node
async def test_the_library_for_node_reads_a_real_push(
    wire: Wire, receiver: Receiver, tmp_path: Path, node_library: Path
) -> None:
    hook = await wire.hook(url=receiver.script("wire"))
    await wire.submit(story("urn:a:1", headline="Überfahrt – wieder frei"))
    (push,) = await receiver.got("wire", 1)
    (node_library / "push.mjs").write_text(NODE_LIBRARY)
    (node_library / "main.mjs").write_text(
        'import { readPush } from "./push.mjs"; import { readFileSync } from "node:fs";'
        "const [secret, headers, file] = process.argv.slice(2);"
        "console.log(readPush(secret, JSON.parse(headers), readFileSync(file)).data.uri);"
    )
    (tmp_path / "body").write_bytes(push.body)

    printed = await run(node_library, "node", "main.mjs", hook.secret, json.dumps(push.headers), str(tmp_path / "body"))

    assert printed == "urn:a:1\n"


@pytest.fixture(scope="session")
def node_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node finds the library `standardwebhooks`."""
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefer-offline", "standardwebhooks@1"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        pytest.skip("npm cannot install standardwebhooks here")
    if done.returncode:
        pytest.skip("npm cannot install standardwebhooks here")
    return folder


async def test_openssl_tells_a_real_push_from_a_forged_one(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    variables = await register(wire, tmp_path, receiver.script("wire"))
    await shell(ROTATE, wire, tmp_path, **variables)
    await wire.submit(story("urn:a:1", headline="Überfahrt – wieder frei"))
    (push,) = await receiver.got("wire", 1)
    said = []
    for body in (push.body, push.body + b" "):
        (tmp_path / "body").write_bytes(body)
        said.append(await shell(OPENSSL, wire, tmp_path, **variables, **variables_of(push)))

    assert said == ["genuine\n", "forged\n"]


async def test_a_public_key_verifies_in_python_and_with_openssl(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    hook = await wire.hook(url=receiver.script("wire"), signature="v1a")
    await wire.submit(story("urn:a:1"))
    (push,) = await receiver.got("wire", 1)
    given: dict[str, Any] = {}
    exec(V1A, given)  # noqa: S102 - the guide's own code
    (tmp_path / "body").write_bytes(push.body)

    said = await shell(OPENSSL_V1A, wire, tmp_path, PUBLIC_KEY=hook.secret, **variables_of(push))

    assert "Verified Successfully" in said
    assert given["is_genuine"](hook.secret, push.headers, push.body)
    assert not given["is_genuine"](hook.secret, push.headers, push.body + b" ")
    assert not given["is_genuine"](hook.secret, push.headers, push.body, now=1)


async def test_after_a_rotation_a_receiver_with_either_secret_takes_a_push(
    wire: Wire, receiver: Receiver, tmp_path: Path
) -> None:
    variables = await register(wire, tmp_path, receiver.script("wire"))

    await shell(ROTATE, wire, tmp_path, **variables)

    await shell(TEST, wire, tmp_path, **variables)
    new = json.loads((tmp_path / "rotated.json").read_text())["secret"]
    for secret in (variables["WEBHOOK_SECRET"], new):
        Webhook(secret).verify(receiver.pushes[-1].body, receiver.pushes[-1].headers)


async def test_the_program_that_fills_a_gap_takes_what_was_missed_once(wire: Wire, tmp_path: Path) -> None:
    (tmp_path / "receiver.py").write_text(RECEIVER)
    (tmp_path / "fill.py").write_text(FILL)
    variables = await register(wire, tmp_path, "http://127.0.0.1:9/wire")
    for number in (1, 2):
        await wire.submit(story(f"urn:a:{number}"))
        await wire.out(f"urn:a:{number}")
    await wire.desk("kill", "urn:a:1")
    await wire.settled()
    shown = json.loads(await shell(EVENTS, wire, tmp_path, **variables))["items"]
    assert [item["sequence"] for item in shown] == [1, 2, 3]
    assert [item["payload"] is None for item in shown] == [True, False, False]  # a killed story's text is not given out

    fill = [sys.executable, "fill.py"]
    given = variables | {"NEWSWIRE": wire.url, "TOKEN": OPERATOR}
    printed = [await run(tmp_path, *fill, **given) for _ in range(2)]

    assert printed == ["took 2 article.new\ntook 3 article.killed\n", ""]
    assert kept(tmp_path) == {"urn:a:1": (2, 0), "urn:a:2": (1, 1)}


async def test_a_replay_brings_the_same_pushes_again(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    variables = await register(wire, tmp_path, receiver.script("wire"))
    await wire.submit(story("urn:a:1"))
    (first,) = await receiver.got("wire", 1)

    await shell(REPLAY, wire, tmp_path, **variables)

    again = (await receiver.got("wire", 2))[1]
    assert (again.id, again.body) == (first.id, first.body)


async def test_an_attempt_shows_what_was_sent_and_answered(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    variables = await register(wire, tmp_path, receiver.script("wire", 500, **{"X-Why": "closed"}))
    await wire.submit(story("urn:a:1"))
    (push,) = await receiver.got("wire", 1)
    await until(Hook(wire, variables["WEBHOOK"], "").attempts)

    attempt = json.loads(await shell(LOOK, wire, tmp_path, **variables))

    assert attempt["request"]["body"].encode() == push.body
    assert (attempt["response"]["status"], attempt["response"]["headers"]["x-why"]) == (500, "closed")


async def test_real_pushes_meet_the_schemas_that_the_guide_points_to(
    wire: Wire, receiver: Receiver, tmp_path: Path
) -> None:
    kinds = {each["type"]: each for each in json.loads(await shell(TYPES, wire, tmp_path))["items"]}
    known = {
        NINJS_SCHEMA: json.loads((DATA / "ninjs-schema_3.1.json").read_text()),
        "https://geojson.org/schema/GeoJSON.json": {},
    }
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    registry: Any = Registry().with_resources(
        [(address, Resource.from_contents(draft | contents)) for address, contents in known.items()]
    )
    for form in ("article", "ninjs", "thin"):
        await wire.hook(url=receiver.script(form), format=form)
    await wire.submit(story("urn:a:1"))
    await wire.out("urn:a:1")
    await wire.submit(story("urn:a:1", version=2, headline="Ferry returns at last", ed_note="Headline."))
    await wire.out("urn:a:1", version=2)
    await wire.desk("kill", "urn:a:1", note="Wrong harbour.")
    for form in ("article", "ninjs", "thin"):
        pushes = await receiver.got(form, 3)
        assert {push.message["type"] for push in pushes} == {"article.new", "article.corrected", "article.killed"}
        for push in pushes:
            address = kinds[push.message["type"]]["formats"][form]["schema"]
            schema = await wire.anyone.get(address)
            assert schema.headers["content-type"].startswith("application/schema+json")
            Draft202012Validator(schema.json(), registry=registry, format_checker=FORMATS).validate(push.message)


async def test_the_notices_are_asked_for_as_the_guide_says(wire: Wire, receiver: Receiver, tmp_path: Path) -> None:
    failing = await wire.hook(url=receiver.script("wire", *[500] * 3), retry=[0.05])
    script = NOTICES.replace("https://pager.example/newswire", receiver.script("pager"))
    await shell(script, wire, tmp_path)

    await wire.submit(story("urn:a:1"))

    (push,) = await receiver.got("pager", 1)
    assert (push.message["type"], push.message["data"]["webhook"]) == ("webhook.exhausted", failing.id)
    schema = (await wire.anyone.get("/v1/webhooks/schemas/webhook-exhausted.schema.json")).json()
    Draft202012Validator(schema).validate(push.message)


def test_the_guide_says_how_long_a_lease_and_an_attempt_last() -> None:
    assert f"{LEASE_MS // 1_000} s after it was taken up" in GUIDE
    assert f"up to the {DEADLINE_SECONDS:.0f} s that an attempt may take" in GUIDE


async def test_a_kill_is_sent_before_the_time_of_retry_after_and_nothing_else_is(
    wire: Wire, receiver: Receiver
) -> None:
    hook = await wire.hook(url=receiver.script("hook", 204, 503, **{"Retry-After": "30"}))
    await wire.submit(story("urn:a:1"))
    await receiver.got("hook", 1)
    await wire.submit(story("urn:a:2"))
    await receiver.got("hook", 2)
    await until(lambda: paused(hook), what="the endpoint is paused")

    await wire.submit(story("urn:a:3"))
    await wire.desk("kill", "urn:a:1")

    assert (await receiver.got("hook", 3))[2].message["type"] == "article.killed"
    await hook.logged(4)
    assert len(receiver.at("hook")) == 3


async def paused(hook: Hook) -> bool:
    return "paused_until" in await hook.call("GET")


async def test_every_address_of_the_guide_is_served(wire: Wire) -> None:
    for path in sorted(set(re.findall(r"`(/v1/[\w./-]*)`", GUIDE))):
        if "ID" not in path:
            assert (await wire.http.get(path)).status_code == 200, path
