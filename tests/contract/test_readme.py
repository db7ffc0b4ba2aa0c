"""Whatever the README tells a person to type exists: commands with their options, make targets, settings, code."""

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from newswire_runtime.settings import Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NEWSWIRE = str(Path(sys.executable).with_name("newswire"))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def typed() -> list[str]:
    """Every command line, from indented lines and from inline code."""
    indented = [line.strip() for line in README.splitlines() if line.startswith("    ")]
    return [part.strip() for line in indented + re.findall(r"`([^`\n]+)`", README) for part in line.split(" | ")]


def newswire_calls() -> list[tuple[str, ...]]:
    lines = [line for line in typed() if re.match(r"newswire [a-z]", line)]
    return sorted({tuple(shlex.split(line, comments=True)[1:]) for line in lines})


def make_targets() -> list[str]:
    return sorted({match[1] for line in typed() if (match := re.match(r"make ([a-z]+)", line))})


@pytest.mark.parametrize("call", newswire_calls(), ids=" ".join)
def test_every_newswire_command_exists_with_its_options(call: tuple[str, ...]) -> None:
    words = [word for word in call if not word.startswith("-")]
    options = {word.partition("=")[0] for word in call if re.match(r"--[a-z]", word)}
    groups = ("dlq", "token", "source", "feed", "webhook", "account")
    path = words[: 2 if words[0] in groups else 1]
    done = subprocess.run([NEWSWIRE, *path, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert options <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_commands_are_found() -> None:
    assert len(newswire_calls()) > 20


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_every_setting_is_documented_and_no_other() -> None:
    named = set(re.findall(r"`NEWSWIRE_([A-Z_]+)`", README))
    assert named == {name.upper() for name in Settings.model_fields}


def test_the_code_for_integrators_takes_a_signed_push_and_refuses_a_forged_one() -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert code is not None
    given: dict[str, Any] = {}
    exec(code[1], given)  # noqa: S102 - the README's own code
    body = '{"type":"article.new"}'
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", now, body),
    }
    assert given["on_push"](SECRET, body.encode(), headers) == {"type": "article.new"}
    with pytest.raises(WebhookVerificationError):
        given["on_push"](SECRET, b"{}", headers)


@pytest.mark.parametrize("path", re.findall(r"`((?:deploy|schemas|services)/[\w./-]*|CHANGELOG\.md)`", README))
def test_every_file_that_is_named_exists(path: str) -> None:
    assert (ROOT / path).exists()
