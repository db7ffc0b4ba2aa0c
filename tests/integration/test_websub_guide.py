"""Whatever docs/websub.md tells a person to type works, against a running wire."""

import asyncio
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

from support.subscriber import Subscriber, subscribe
from support.wire import OPERATOR, Wire, story, until

GUIDE = (Path(__file__).parents[2] / "docs" / "websub.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
SHELL = [text for kind, text in BLOCKS if kind == "sh"]
PYTHON = [text for kind, text in BLOCKS if kind == "python"]
SECRET = "the secret of the guide"


def command(*words: str) -> str:
    (found,) = [text for text in SHELL if all(word in text for word in words)]
    return found


async def run(script: str, **environment: str) -> str:
    """Run a block of the guide as a shell does; return what it printed. The `newswire` of this environment is used."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euc", script),
        env={"PATH": path, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out, err)
    return out.decode()


async def listed(wire: Wire) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await wire.http.get("/v1/hub/subscriptions")).json()["items"]
    return items


async def test_the_subscriber_of_the_guide_subscribes_is_sent_the_feed_and_unsubscribes(
    wire: Wire, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    program = tmp_path / "subscriber.py"
    program.write_text("\n\n".join(PYTHON))
    given = {"NEWSWIRE": wire.url, "SECRET": SECRET, "CALLBACK": f"http://127.0.0.1:{port}/wire/7f3a"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program)),
        env={**given, "PORT": port},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: _listens(int(port)))
        assert await run(command("hub.mode=subscribe", "/feeds/all.rss"), **given) == ""
        await until(lambda: listed(wire), what="the subscription is confirmed")
        await wire.submit(story())
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 10)
        size = len((await wire.feed()).content)
        assert line.decode().strip() == f"{size} bytes of application/rss+xml; charset=utf-8"
    finally:
        process.kill()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_the_commands_to_unsubscribe_and_to_list_work(wire: Wire, subscriber: Subscriber) -> None:
    topic = f"{wire.url}/feeds/all.rss"
    await subscribe(wire, subscriber, "wire/7f3a", topic)
    given = {"NEWSWIRE": wire.url, "NEWSWIRE_URL": wire.url, "NEWSWIRE_TOKEN": OPERATOR}
    shown = await run(command("newswire feed subscribers"), **given)
    assert shown.count(f"{subscriber.url}/wire/7f3a") == 2
    callback = subscriber.wants("wire/7f3a", "unsubscribe", topic)
    await run(command("hub.mode=unsubscribe"), **given, CALLBACK=callback)

    async def none() -> bool:
        return not await listed(wire)

    await until(none)


async def test_the_command_for_a_private_feed_works(wire: Wire, subscriber: Subscriber) -> None:
    await wire.http.put("/v1/feeds/inside", json={"title": "Inside", "access": "token"})
    made = await wire.http.post("/v1/tokens", json={"role": "subscriber", "name": "reader"})
    callback = subscriber.wants("cb", "subscribe", f"{wire.url}/feeds/inside.rss")
    given = {"NEWSWIRE": wire.url, "SECRET": SECRET, "CALLBACK": callback, "TOKEN": made.json()["token"]}
    await run(command("$TOKEN"), **given)
    await until(lambda: listed(wire))
    await wire.submit(story())
    (sent,) = await subscriber.got("cb")
    given_code: dict[str, Any] = {}
    exec(PYTHON[0], given_code)  # noqa: S102 - the guide's own code
    assert given_code["is_genuine"](SECRET, sent.body, sent.headers["x-hub-signature"])
    assert not given_code["is_genuine"]("other", sent.body, sent.headers["x-hub-signature"])
    assert not given_code["is_genuine"](SECRET, sent.body + b" ", sent.headers["x-hub-signature"])


def test_the_guide_has_the_blocks_that_are_tested() -> None:
    assert (len(SHELL), len(PYTHON)) == (5, 2)
    assert set(re.findall(r"export ([A-Z]+)=", SHELL[0])) == {"NEWSWIRE", "CALLBACK", "SECRET"}
