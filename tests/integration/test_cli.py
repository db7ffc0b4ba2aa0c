"""The command line as a person uses it: real processes, real signals, one plain line for each error."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NEWSWIRE = str(Path(sys.executable).with_name("newswire"))
STORY = {"headline": "Ferry resumes service", "language": "en", "body_text": "It sails again.", "uri": "urn:test:1"}


def environment(**given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEWSWIRE_")}
    return kept | given


def newswire(*arguments: str, cwd: Path | None = None, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NEWSWIRE, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=cwd,
        env=environment(**given),
        stdin=subprocess.DEVNULL,
    )


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Up:
    """A running `newswire up`."""

    def __init__(self, data_dir: Path, *arguments: str, port: int = 0) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ready_file = data_dir.parent / "ready"
        self.ready_file.write_text("stale")
        self.process = subprocess.Popen(
            [
                *(NEWSWIRE, "up", "--port", str(self.port), "--data-dir", str(data_dir)),
                *("--ready-file", str(self.ready_file), *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        deadline = time.monotonic() + 30
        while not (self.ready_file.exists() and self.url in self.ready_file.read_text()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "not ready in time"
            time.sleep(0.02)

    @property
    def token(self) -> str:
        return (self.data_dir / "operator.token").read_text().strip()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return newswire(*arguments, NEWSWIRE_URL=self.url, NEWSWIRE_TOKEN=self.token)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextmanager
def up(data_dir: Path, *arguments: str, port: int = 0) -> Iterator[Up]:
    running = Up(data_dir, *arguments, port=port)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.communicate()


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("newswire: ")
    for word in words:
        assert word in done.stderr


def test_help_names_every_command_and_loads_no_framework() -> None:
    done = newswire("--help")
    assert done.returncode == 0
    for word in (
        "up",
        "run",
        "submit",
        "kill",
        "status",
        "dlq",
        "token",
        "source",
        "feed",
        "webhook",
        "account",
        "tail",
        "backup",
        "restore",
    ):
        assert f"\n  {word} " in done.stdout
    heavy = (
        "import sys, newswire_cli.main; print({'fastapi', 'faststream', 'httpx', 'redis', 'rich'} & set(sys.modules))"
    )
    loaded = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() in ("set()", "{'rich'}")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("up", "--nope"), "--nope"),
        (("nope",), "nope"),
        (("run", "everything"), "everything"),
        (("run", "publisher", "--only", "fax"), "fax"),
        (("run", "ingest", "--only", "feeds"), "--only"),
        (("submit", "/does/not/exist.json"), "/does/not/exist.json"),
        (("kill", "some-key"), "--note"),
        (("feed", "set", "x", "--filter", "{"), "--filter"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(arguments: tuple[str, ...], word: str) -> None:
    assert_one_line(newswire(*arguments), 2, word)


def test_a_setting_that_cannot_be_used_is_named() -> None:
    assert_one_line(newswire("run", "ingest", NEWSWIRE_BATCH="many"), 2, "NEWSWIRE_BATCH")


def test_a_service_that_is_down_is_one_line(tmp_path: Path) -> None:
    story = tmp_path / "story.json"
    story.write_text(json.dumps(STORY))
    url = f"http://127.0.0.1:{free_port()}"
    assert_one_line(newswire("submit", str(story), "--url", url), 1, url, "newswire up")


def test_an_answer_that_is_not_newswires_is_one_line() -> None:
    assert_one_line(newswire("status", "--url", "ftp://127.0.0.1"), 2, "ftp")


def test_up_runs_everything_and_ends_cleanly_on_sigterm(tmp_path: Path) -> None:
    with up(tmp_path / "var", "--no-demo") as running:
        with urllib.request.urlopen(f"{running.url}/readyz", timeout=5) as answer:
            assert answer.status == 200
        for name in ("operator.token", "secret.key"):
            assert (running.data_dir / name).stat().st_mode & 0o777 == 0o600
        code, out, err = running.end()
    assert (code, err) == (0, "")
    assert out.endswith("Stopped; everything is kept.\n")
    assert not running.ready_file.exists()
    log = [json.loads(line) for line in (running.data_dir / "newswire.log").read_text().splitlines()]
    stopped = [line["service"] for line in log if line["event"] == "service.stopped"]
    assert stopped == ["publisher", "enrichment", "ingest"]


def test_a_second_start_keeps_articles_token_and_key_and_is_quick(tmp_path: Path) -> None:
    story = tmp_path / "story.json"
    story.write_text(json.dumps(STORY))
    with up(tmp_path / "var", "--no-demo") as running:
        assert running.command("submit", str(story)).stdout == "accepted new urn:test:1 1\n"
        first = running.token
        key = (running.data_dir / "secret.key").read_text()
        assert len(key.strip()) >= 32
        assert running.end(signal.SIGINT)[0] == 0
    began = time.monotonic()
    with up(tmp_path / "var", "--no-demo") as running:
        assert time.monotonic() - began < 10
        assert running.token == first
        assert (running.data_dir / "secret.key").read_text() == key
        assert running.command("submit", str(story)).stdout.startswith("unchanged ")
        killed = running.command("kill", "urn:test:1", "--note", "Wrong harbour.")
        assert killed.stdout.startswith("accepted kill urn:test:1 2")


def test_submit_says_each_item_and_fails_if_one_was_refused(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(STORY))
    bad.write_text("{")
    with up(tmp_path / "var", "--no-demo") as running:
        done = running.command("submit", str(bad), str(good))
        assert done.returncode == 1
        assert done.stdout == "accepted new urn:test:1 1\n"
        assert done.stderr.startswith(f"newswire: {bad}: ")
        letters = json.loads(running.command("dlq", "list", "--json").stdout)["items"]
        assert len(letters) == 1
        assert running.command("dlq", "drop", letters[0]["id"]).returncode == 0
        assert_one_line(running.command("dlq", "drop", letters[0]["id"]), 1, letters[0]["id"])


def test_the_admin_commands_make_list_and_remove(tmp_path: Path) -> None:
    with up(tmp_path / "var", "--no-demo") as running:
        for make, listing, name, remove in (
            (("source", "set", "north"), ("source", "list"), "north", ("source", "rm", "north")),
            (
                ("account", "set", "posts", "--platform", "mastodon"),
                ("account", "list"),
                "posts",
                ("account", "rm", "posts"),
            ),
            (
                ("feed", "set", "sport", "--filter", '{"languages": ["de"]}'),
                ("feed", "list"),
                "sport",
                ("feed", "rm", "sport"),
            ),
        ):
            assert running.command(*make).returncode == 0
            assert name in running.command(*listing).stdout
            assert running.command(*remove).returncode == 0
            assert name not in running.command(*listing).stdout
        made = json.loads(running.command("token", "create", "source", "north", "--json").stdout)
        assert made["id"] in running.command("token", "list").stdout
        assert running.command("token", "revoke", made["id"]).returncode == 0
        hook = json.loads(running.command("webhook", "add", "--description", "to pull", "--json").stdout)
        assert hook["id"] in running.command("webhook", "list").stdout
        assert running.command("webhook", "disable", hook["id"]).returncode == 0
        assert running.command("webhook", "enable", hook["id"]).returncode == 0
        assert running.command("webhook", "rm", hook["id"]).returncode == 0
        assert "enrichment" in running.command("status").stdout
        refused = newswire("status", NEWSWIRE_URL=running.url, NEWSWIRE_TOKEN="nw_wrong")
        assert_one_line(refused, 1, "token")


def test_a_taken_port_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = newswire("up", "--no-demo", "--port", port, "--data-dir", str(tmp_path / "var"))
    assert_one_line(done, 1, port, "--port")
    assert not (tmp_path / "var").exists()


def test_a_data_dir_in_use_is_one_line(tmp_path: Path) -> None:
    with up(tmp_path / "var", "--no-demo"):
        done = newswire("up", "--no-demo", "--port", "0", "--data-dir", str(tmp_path / "var"))
        assert_one_line(done, 1, str(tmp_path / "var"), "--data-dir")


def test_run_waits_for_its_broker_and_says_so(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    process = subprocess.Popen(
        [NEWSWIRE, "run", "enrichment", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(NEWSWIRE_BROKER_URL=url),
    )
    assert process.stderr is not None
    assert json.loads(process.stderr.readline())["event"] == "broker.awaited"
    process.terminate()
    process.communicate(timeout=10)


def test_the_demo_brings_every_story_everywhere_and_runs_again(tmp_path: Path) -> None:
    for ending in ("stories arrived in", "of them earlier)"):
        with up(tmp_path / "var") as running:
            assert running.process.stdout is not None
            lines = []
            for line in running.process.stdout:
                lines.append(line)
                if "stories arrived" in line or "the demo ended" in line:
                    break
            assert ending in lines[-1], "".join(lines)
            assert lines[-1].startswith("13 of 13 "), "".join(lines)
            assert running.end()[0] == 0


def test_three_processes_on_one_broker_carry_a_story_from_submit_to_feed(redis_url: str, tmp_path: Path) -> None:
    ports = {name: free_port() for name in ("publisher", "enrichment", "ingest")}
    settings = environment(NEWSWIRE_BROKER_URL=redis_url, NEWSWIRE_OPERATOR_TOKEN="nw_test")
    processes = [
        subprocess.Popen([NEWSWIRE, "run", name, "--port", str(port)], env=settings, stderr=subprocess.DEVNULL)
        for name, port in ports.items()
    ]
    try:
        for port in ports.values():
            wait_until(lambda port=port: fetch(port, "/readyz") is not None)
        story = tmp_path / "story.json"
        story.write_text(json.dumps(STORY))
        calling = {
            "NEWSWIRE_URL": f"http://127.0.0.1:{ports['publisher']}",
            "NEWSWIRE_INGEST_URL": f"http://127.0.0.1:{ports['ingest']}",
            "NEWSWIRE_TOKEN": "nw_test",
        }
        assert newswire("submit", str(story), **calling).returncode == 0
        wait_until(lambda: "urn:test:1" in (fetch(ports["publisher"], "/feeds/all.rss") or ""))
        for process in processes:
            process.terminate()
        assert [process.wait(30) for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def fetch(port: int, path: str) -> str | None:
    """The body of a 200, or None."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except OSError:
        return None


def wait_until(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def test_tail_goes_on_where_it_was_when_the_wire_was_killed(tmp_path: Path) -> None:
    port = free_port()
    tail: subprocess.Popen[str] | None = None

    def submit(running: Up, uri: str, **fields: str) -> None:
        (tmp_path / "story.json").write_text(json.dumps(STORY | {"uri": uri} | fields))
        done = running.command("submit", str(tmp_path / "story.json"))
        assert done.returncode == 0, done

    def line() -> str:
        assert tail is not None and tail.stdout is not None
        return tail.stdout.readline()

    try:
        with up(tmp_path / "var", "--no-demo", port=port) as running:
            submit(running, "urn:test:before", headline="Before")
            deadline = time.monotonic() + 10
            while "Before" not in urllib.request.urlopen(f"{running.url}/v1/articles").read().decode():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            tail = subprocess.Popen(
                [NEWSWIRE, "tail", "--filter", '{"languages": ["en"]}'],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(NEWSWIRE_URL=running.url, NEWSWIRE_TOKEN=running.token),
            )
            assert "Before" in line()
            submit(running, "urn:test:german", headline="Deutsch", language="de")
            submit(running, "urn:test:first", headline="First")
            assert line().split()[1:] == ["new", "en", "First"]
            running.process.kill()
            running.process.communicate()
        with up(tmp_path / "var", "--no-demo", port=port) as running:
            submit(running, "urn:test:second", headline="Second")
            assert line().split()[1:] == ["new", "en", "Second"]
            done = running.command("kill", "urn:test:first", "--note", "Wrong.")
            assert done.returncode == 0, done
            assert "killed" in line()
            tail.send_signal(signal.SIGINT)
            out, err = tail.communicate(timeout=10)
            assert (tail.returncode, out) == (0, "")
            assert set(err.splitlines()) <= {each for each in err.splitlines() if "trying again" in each}
    finally:
        if tail is not None and tail.poll() is None:
            tail.kill()
            tail.communicate()
