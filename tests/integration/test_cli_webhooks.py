"""The webhooks' commands and the backup's, as a person types them, against a running wire and a real receiver."""

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.hooks import echoing
from support.wire import OPERATOR, Hook, Receiver, Wire, running, story, until

from newswire_schemas.streams import ConfKeys

NEWSWIRE = str(Path(sys.executable).with_name("newswire"))
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="


class Shell:
    """Runs commands against a wire."""

    def __init__(self, wire: Wire, cwd: Path) -> None:
        self._options = ["--url", wire.url, "--token", OPERATOR]
        self._cwd = cwd

    async def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            [NEWSWIRE, *words, *self._options],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=self._cwd,
            input=stdin,
        )

    async def say(self, *words: str, stdin: str = "") -> str:
        done = await self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def json(self, *words: str, stdin: str = "") -> Any:
        return json.loads(await self.say(*words, "--json", stdin=stdin))

    async def refused(self, *words: str) -> str:
        """Run a command that must fail, with one line, and return it."""
        done = await self.run(*words)
        assert done.returncode in (1, 2), done
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr


@pytest.fixture
def shell(wire: Wire, tmp_path: Path) -> Shell:
    return Shell(wire, tmp_path)


async def test_add_gives_every_setting_and_show_prints_it(shell: Shell, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    made = await shell.json(
        *("webhook", "add", f"{receiver.url}/hook", "--filter", '{"languages": ["en"]}', "--events", "article.*"),
        *("--format", "thin", "--description", "x", "--rate", "5", "--concurrency", "2", "--ordered"),
        *("--max-age", "600", "--signature", "v1", "--retry", "1,2.5", "--header", "X-A: 1", "--header", "X-B: 2"),
        *("--no-challenge", "--secret", "secret"),
    )
    assert made["secret"] == SECRET
    wanted = {
        "filter": {"languages": ["en"]},
        "events": ["article.*"],
        "format": "thin",
        "description": "x",
        "rate": 5.0,
        "concurrency": 2,
        "ordered": True,
        "max_age": 600,
        "retry": [1.0, 2.5],
        "headers": {"x-a": "1", "x-b": "2"},
        "challenge": False,
    }
    shown = await shell.json("webhook", "show", made["id"])
    assert {name: shown[name] for name in wanted} == wanted
    assert "headers.x-b" in await shell.say("webhook", "show", made["id"])
    assert made["id"] in await shell.say("webhook", "list", "--status", "enabled", "--owner", "operator")
    by_health = ("webhook", "list", "--worst-first", "--search", made["id"])
    assert made["id"] in await shell.say(*by_health, "--health", shown["health"])
    assert made["id"] not in await shell.say(*by_health, "--health", "failing")


async def test_edit_changes_what_it_names_and_resets_the_rest_on_request(shell: Shell) -> None:
    made = await shell.json("webhook", "add", "--rate", "5", "--description", "x", "--header", "X-A: 1")
    edited = await shell.json(
        *("webhook", "edit", made["id"], "--concurrency", "3", "--header", "X-A:", "--reset", "rate"),
        *("--address", "https://receiver.example/", "--filter", '{"urgency": 2}'),
    )
    assert (edited["concurrency"], edited["description"], edited["headers"]) == (3, "x", {})
    assert (edited["url"], edited["filter"], "rate" in edited) == ("https://receiver.example/", {"urgency": 2}, False)
    assert "nothing to change" in await shell.refused("webhook", "edit", made["id"])
    assert "colon" in await shell.refused("webhook", "edit", made["id"], "--header", "X-A")
    assert "/rate" in await shell.refused("webhook", "edit", made["id"], "--rate", "-1")


async def test_what_was_pushed_is_listed_looked_at_replayed_and_sent_again(
    shell: Shell, wire: Wire, receiver: Receiver
) -> None:
    made = await shell.json("webhook", "add", f"{receiver.url}/hook")
    for number in range(3):
        await wire.submit(story(f"urn:test:{number}"))
    await receiver.got("hook", 3)
    assert [each["sequence"] for each in (await shell.json("webhook", "events", made["id"]))["items"]] == [1, 2, 3]
    assert "article.new" in await shell.say("webhook", "events", made["id"], "--after", "2", "--limit", "1")
    items = (await shell.json("webhook", "attempts", made["id"], "--outcome", "delivered", "--limit", "2"))["items"]
    assert len(items) == 2
    assert "> webhook-id: msg_" in await shell.say("webhook", "attempt", made["id"], items[0]["id"])
    assert "goes out again" in await shell.say("webhook", "resend", made["id"], items[0]["id"])
    await receiver.got("hook", 4)
    assert await shell.say("webhook", "replay", made["id"], "--after", "1", "--until", "2") == (
        "1 events from 2 to 2 go out again\n"
    )
    await receiver.got("hook", 5)
    nothing = await shell.json("webhook", "replay", made["id"], "--since", "2020-01-01T00:00:00Z", "--failed")
    assert nothing["entries"] == 0
    assert "after" in await shell.refused("webhook", "replay", made["id"])


async def test_an_attempt_is_printed_as_http_has_it(shell: Shell, wire: Wire, receiver: Receiver) -> None:
    address = receiver.script("hook", 500, **{"X-Why": "closed"})
    made = await shell.json("webhook", "add", address, "--retry", "", "--header", "Authorization: Bearer of-mine")
    await wire.submit(story())
    (push,) = await receiver.got("hook", 1)
    hook = Hook(wire, made["id"], made["secret"])
    (attempt,) = await until(hook.attempts)

    said = await shell.say("webhook", "attempt", made["id"], attempt["id"])

    facts, request, body, response = said.split("\n\n")
    assert "outcome                  exhausted" in facts.splitlines()
    assert request.splitlines()[0] == f"> POST {address}"
    assert {"> authorization: (hidden)", f"> webhook-id: {push.id}"} <= set(request.splitlines())
    assert body.encode() == push.body
    assert response.splitlines()[0] == "< 500"
    assert "< x-why: closed" in response.splitlines()
    assert await shell.say("webhook", "attempts", made["id"], "--full") == said


async def test_a_test_fails_with_what_the_endpoint_said(shell: Shell, receiver: Receiver) -> None:
    made = await shell.json("webhook", "add", receiver.script("hook", 500))
    assert "500" in await shell.refused("webhook", "test", made["id"])
    assert "204" in await shell.say("webhook", "test", made["id"])


async def test_a_pending_webhook_is_verified_from_the_shell(shell: Shell, receiver: Receiver) -> None:
    said = await shell.say("webhook", "add", echoing(receiver, "hook", how="never"), "--challenge")
    assert "pending: the answer is not the challenge" in said
    hook_id = said.split()[1]
    assert "challenge" in await shell.refused("webhook", "verify", hook_id)
    echoing(receiver, "hook")
    assert await shell.say("webhook", "verify", hook_id) == f"verified {hook_id}\n"


async def test_a_webhook_is_disabled_with_a_reason_and_goes_on(shell: Shell) -> None:
    made = await shell.json("webhook", "add")
    assert (await shell.json("webhook", "disable", made["id"], "--reason", "we move"))["disabled_reason"] == "we move"
    assert await shell.say("webhook", "enable", made["id"]) == f"enabled {made['id']}\n"
    assert await shell.say("webhook", "rm", made["id"]) == f"removed {made['id']}\n"
    assert "no webhook" in await shell.refused("webhook", "show", made["id"])
    assert (await shell.json("webhook", "notices")) == {"items": []}


async def test_a_secret_is_rotated_and_the_old_one_signs_for_a_while(shell: Shell, tmp_path: Path) -> None:
    made = await shell.json("webhook", "add")
    rotated = await shell.json("webhook", "rotate", made["id"], "--grace", "60")
    assert rotated["secret"] != made["secret"]
    assert len(rotated["keys"]) == 2
    brought = await shell.say("webhook", "rotate", made["id"], "--grace", "0", "--secret", "-", stdin=SECRET)
    assert brought == f"id      {made['id']}\nsecret  {SECRET}\n"


async def test_status_names_the_webhooks_that_cannot_be_signed(quick: None, redis_url: str, tmp_path: Path) -> None:
    async with running(redis_url) as wire:
        hook = await wire.hook(url="http://127.0.0.1:9/")
        assert "unsigned 0" in await Shell(wire, tmp_path).say("status")
    async with running(redis_url, secret_key="another-key-that-encrypts-secrets-in-tests") as wire:
        said = await Shell(wire, tmp_path).say("status")
    assert "unsigned 1" in said
    assert f"{hook.id}: their pushes wait, as no key of NEWSWIRE_SECRET_KEY opens their secrets" in said


async def test_a_dry_run_prints_days_types_and_headlines(shell: Shell, wire: Wire) -> None:
    await wire.submit(story())
    await wire.out()
    said = await shell.say("webhook", "dry-run", "--filter", '{"languages": ["en"]}', "--days", "1")
    assert "1 of 1 articles match, 1 pushes" in said
    assert "Ferry returns" in said


async def test_a_backup_is_a_file_of_ones_own_that_restores(shell: Shell, tmp_path: Path) -> None:
    made = await shell.json("webhook", "add", "--description", "before")
    assert "wrote 1 things to kept" in await shell.say("backup", "kept")
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o600
    assert await shell.say("backup", "-") != ""
    assert "0 created, 0 overwritten, 1 were there already" in await shell.say("restore", "kept")
    await shell.say("webhook", "edit", made["id"], "--description", "after")
    assert made["id"] in await shell.refused("restore", "kept")
    assert (await shell.json("restore", "kept", "--force"))["overwritten"] == 1
    assert (await shell.json("webhook", "show", made["id"]))["description"] == "before"
    await shell.say("webhook", "rm", made["id"])
    assert "leave out 1000000 numbers, as some may have been used since the backup: 1;" in await shell.say(
        "restore", "kept"
    )
    await shell.say("webhook", "rm", made["id"])
    assert "leave out" not in await shell.say("restore", "kept", "--ahead", "0")
    (tmp_path / "kept").write_text((tmp_path / "kept").read_text()[:-20])
    assert "cut off" in await shell.refused("restore", "kept")
    assert "No such file" in await shell.refused("restore", "missing")
    assert "No such file" in await shell.refused("backup", "no/such/place")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


async def test_rotate_shows_the_new_secret_and_takes_one_that_is_brought(shell: Shell, wire: Wire) -> None:
    hook = await wire.hook()

    first = await shell.json("webhook", "rotate", hook.id, "--grace", "3600")
    brought = await shell.json("webhook", "rotate", hook.id, "--secret", "-", stdin=SECRET)

    assert first["secret"].startswith("whsec_")
    assert (brought["secret"], len(brought["keys"])) == (SECRET, 3)


async def test_rekey_counts_what_it_encrypted_and_names_what_no_key_opens(shell: Shell, wire: Wire) -> None:
    hook = await wire.hook()
    assert await shell.say("webhook", "rekey") == "encrypted anew: 0\n"
    table = ConfKeys.table("webhooks")
    row = json.loads(await wire.broker.hget(table, hook.id))
    row["keys"][0]["sealed"] = "0123456789ab." + row["keys"][0]["sealed"].partition(".")[2]
    await wire.broker.hset(table, hook.id, json.dumps(row))
    await wire.broker.hincrby(ConfKeys.generation, "webhooks", 1)

    done = await shell.run("webhook", "rekey")

    assert done.returncode == 1
    assert f"{hook.id} {row['keys'][0]['id']}" in done.stderr
    assert "NEWSWIRE_SECRET_KEY" in done.stderr
