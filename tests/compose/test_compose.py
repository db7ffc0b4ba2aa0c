"""The stack as an operator runs it: built, started, used, and each of its containers' processes killed.

Every request goes to ports that the engine publishes on 127.0.0.1; the
publisher's pushes go to a receiver in the stack's own network.
"""

import asyncio
import json
import os
import re
import secrets
import subprocess
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook
from testcontainers.compose import DockerCompose

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "newswire:test"
# The engine may keep a subnet reserved after a network is gone; another run takes another one.
SUBNET = f"172.29.{1 + secrets.randbelow(250)}.0/24"
ACCOUNT = {"platform": "generic", "mode": "manual", "credentials": {}, "filter": {}}

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("docker")]

KILL_NEWSWIRE = """
import os, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\\0") if pid not in ("1", str(os.getpid())) else []
    if b"run" in words or any(w.endswith(b"/newswire") for w in words):
        os.kill(int(pid), signal.SIGKILL)
"""


class Stack:
    """The running stack: where it listens, and how a process in it is killed."""

    def __init__(self, compose: DockerCompose, token: str) -> None:
        self._compose = compose
        self.token = token

    def url(self, service: str) -> str:
        """The service's published address, looked up each time: a container made anew gets another port."""
        deadline = time.monotonic() + 60
        while True:
            try:
                return f"http://127.0.0.1:{self._compose.get_service_port(service, 8080)}"
            except TypeError:  # while a container is being restarted it has no port, and testcontainers reads int(None)
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def kill(self, service: str) -> None:
        """End the service's process as a crash would. Not `docker kill`: nothing restarts after that."""
        if service == "redis":
            self.run("exec", "-T", service, "sh", "-c", "kill -9 $(pidof redis-server)")
        else:
            self.run("exec", "-T", service, "python3", "-c", KILL_NEWSWIRE)

    def inspect(self, service: str) -> dict[str, Any]:
        ids = self.run("ps", "-a", "-q", service).split()
        found = subprocess.run(["docker", "inspect", ids[0]], check=True, capture_output=True).stdout
        return dict(json.loads(found)[0])

    def run(self, *arguments: str) -> str:
        command = [*self._compose.compose_command_property, *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done.stdout


def remove_leftovers() -> None:
    """Take down what runs of this test have left that were killed: those whose process is gone."""
    listed = subprocess.run(["docker", "network", "ls", "--format", "{{.Name}}"], check=True, capture_output=True)
    projects = {name.rpartition("_")[0] for name in listed.stdout.decode().split() if "newswire-test-" in name}
    for project in projects:
        pid = project.split("-")[2]
        if pid.isdigit() and Path(f"/proc/{pid}").exists():
            continue
        command = ["docker", "compose", "-p", project, "down", "--volumes", "--remove-orphans"]
        subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    remove_leftovers()
    token = secrets.token_urlsafe(16)
    settings = {
        "COMPOSE_PROJECT_NAME": f"newswire-test-{os.getpid()}-{secrets.token_hex(3)}",
        "NEWSWIRE_IMAGE": IMAGE,
        "NEWSWIRE_OPERATOR_TOKEN": token,
        "TEST_SUBNET": SUBNET,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        build = ["docker", "build", "-q", "-f", "deploy/Dockerfile", "-t", IMAGE, "."]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        compose = DockerCompose(
            ROOT, ["docker-compose.yml", "tests/compose/overlay.yml"], wait=True, env_file=os.devnull
        )
        try:
            compose.start()
        except subprocess.CalledProcessError as exc:
            out, err = compose.get_logs()
            compose.stop()
            pytest.fail(f"the stack did not become ready: {exc.stderr!r}\n{out}\n{err}")
        yield Stack(compose, token)
        compose.stop()


async def test_a_story_comes_out_of_feed_webhook_and_queue(stack: Stack) -> None:
    async with client(stack) as http:
        subscription = await subscribe(http, stack)
        await account(http, stack, "desk")
        uri = await submit(http, stack, "One story, three ways out", name="first")

        await until(lambda: in_feed(http, stack, uri), "the story in the feed")
        await until(lambda: pushed(http, stack, uri), "the story at the receiver")
        await until(lambda: queued(http, stack, "desk", uri), "the story in the queue")

        for push in await pushes(http, stack, uri):
            Webhook(subscription["secret"]).verify(push["body"], push["headers"])


@pytest.mark.parametrize("service", ["ingest", "enrichment", "publisher", "redis"])
async def test_a_killed_process_loses_nothing_and_doubles_nothing(stack: Stack, service: str) -> None:
    async with client(stack) as http:
        await subscribe(http, stack)
        await account(http, stack, f"kill-{service}")
        killed: asyncio.Future[None] | None = None
        uris = []
        for n in range(60):
            if n == 20:
                killed = asyncio.ensure_future(asyncio.to_thread(stack.kill, service))
            uris.append(await submit(http, stack, f"Story {n} while {service} dies", name=f"{service}-{n}"))
        assert killed is not None
        await killed

        feed = await until(lambda: all_in_feed(http, stack, uris[-50:]), "the last 50 stories in the feed")
        assert [count for uri, count in Counter(feed).items() if uri in uris and count > 1] == []
        await until(lambda: all_pushed(http, stack, uris), "every story at the receiver")
        await until(lambda: all_queued(http, stack, f"kill-{service}", uris), "every story in the queue")
        for uri in uris:
            assert len({push["headers"]["webhook-id"] for push in await pushes(http, stack, uri)}) <= await hooks(
                http, stack
            ), "a push was repeated under another webhook-id"
        await until(lambda: nothing_pending(http, stack), "nothing pending and nothing in the dead letters")


def test_enrichment_scales_and_every_worker_is_ready(stack: Stack) -> None:
    stack.run("up", "-d", "--wait", "--no-recreate", "--scale", "enrichment=3", "enrichment")
    try:
        states = [json.loads(line) for line in stack.run("ps", "--format", "json", "enrichment").splitlines()]
        assert [state["Health"] for state in states] == ["healthy"] * 3
    finally:
        stack.run("up", "-d", "--wait", "--no-recreate", "--scale", "enrichment=1", "enrichment")


@pytest.mark.parametrize("service", ["redis", "ingest", "enrichment", "publisher"])
def test_every_container_is_hardened(stack: Stack, service: str) -> None:
    found = stack.inspect(service)
    host = found["HostConfig"]
    assert found["Config"]["User"] not in ("", "0", "root", "0:0")
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_redis_is_published_nowhere_and_wants_a_password(stack: Stack) -> None:
    assert not any(stack.inspect("redis")["NetworkSettings"]["Ports"].values())
    assert "NOAUTH" in stack.run("exec", "-T", "redis", "sh", "-c", "redis-cli ping 2>&1")


def test_no_secret_stands_in_a_container_s_settings(stack: Stack) -> None:
    password = stack.run("exec", "-T", "redis", "cat", "/run/newswire/redis.password").strip()
    for service in ("redis", "ingest", "enrichment", "publisher"):
        described = json.dumps(stack.inspect(service)["Config"])
        assert password not in described
        assert stack.token not in described


def client(stack: Stack) -> httpx.AsyncClient:
    return httpx.AsyncClient(headers={"Authorization": f"Bearer {stack.token}"}, timeout=10)


async def until(condition: Callable[[], Awaitable[Any]], what: str, seconds: float = 90) -> Any:
    """Wait for a condition that may fail while a container is down, and return what it found."""
    deadline = time.monotonic() + seconds
    last: object = None
    while time.monotonic() < deadline:
        try:
            if last := await condition():
                return last
        except (httpx.TransportError, httpx.HTTPStatusError) as exc:
            last = exc
        await asyncio.sleep(0.2)
    pytest.fail(f"not within {seconds:.0f} s: {what} (last: {last!r})")


async def submit(http: httpx.AsyncClient, stack: Stack, headline: str, *, name: str) -> str:
    """Submit as a careful client does: the same submission again, under one key, until it is accepted."""
    uri = f"urn:newswire-test:{name}"
    story = {"uri": uri, "version": 1, "headline": headline, "language": "en", "body_text": f"{headline}. Text."}

    async def attempt() -> bool:
        headers = {"Idempotency-Key": uri}
        answer = await http.post(f"{stack.url('ingest')}/v1/articles", json=story, headers=headers)
        if answer.status_code in (200, 202):
            return True
        assert answer.status_code in (409, 502, 503), answer.text  # 409: a call that died still holds the key
        return False

    await until(attempt, f"{uri} accepted")
    return uri


async def subscribe(http: httpx.AsyncClient, stack: Stack) -> dict[str, Any]:
    """Register the receiver and return what the publisher answered, the secret among it."""
    body = {"url": "http://receiver:8080/", "filter": {}}
    answer = await http.post(f"{stack.url('publisher')}/v1/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def hooks(http: httpx.AsyncClient, stack: Stack) -> int:
    return len((await get(http, f"{stack.url('publisher')}/v1/webhooks")).json()["items"])


async def account(http: httpx.AsyncClient, stack: Stack, name: str) -> None:
    answer = await http.put(f"{stack.url('publisher')}/v1/social/accounts/{name}", json=ACCOUNT)
    assert answer.status_code in (200, 201), answer.text


async def get(http: httpx.AsyncClient, url: str, **parameters: str) -> httpx.Response:
    return (await http.get(url, params=parameters)).raise_for_status()


async def guids(http: httpx.AsyncClient, stack: Stack) -> list[str]:
    document = ET.fromstring((await get(http, f"{stack.url('publisher')}/feeds/all.rss")).content)  # noqa: S314 - ours
    return [guid.text or "" for guid in document.iter("guid")]


async def in_feed(http: httpx.AsyncClient, stack: Stack, uri: str) -> bool:
    return uri in await guids(http, stack)


async def all_in_feed(http: httpx.AsyncClient, stack: Stack, uris: list[str]) -> list[str]:
    found = await guids(http, stack)
    return found if set(uris) <= set(found) else []


async def pushes(http: httpx.AsyncClient, stack: Stack, uri: str) -> list[dict[str, Any]]:
    kept = (await get(http, stack.url("receiver"))).json()
    return [push for push in kept if json.loads(push["body"])["data"].get("uri") == uri]


async def pushed(http: httpx.AsyncClient, stack: Stack, uri: str) -> bool:
    return bool(await pushes(http, stack, uri))


async def all_pushed(http: httpx.AsyncClient, stack: Stack, uris: list[str]) -> bool:
    kept = (await get(http, stack.url("receiver"))).json()
    return set(uris) <= {json.loads(push["body"])["data"].get("uri") for push in kept}


async def posts(http: httpx.AsyncClient, stack: Stack, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    parameters = {"account": name, "limit": "100"}
    while True:
        page = (await get(http, f"{stack.url('publisher')}/v1/social/posts", **parameters)).json()
        found += page["items"]
        if not page.get("cursor"):
            return found
        parameters["cursor"] = page["cursor"]


async def queued(http: httpx.AsyncClient, stack: Stack, name: str, uri: str) -> bool:
    return any(post["article"]["uri"] == uri for post in await posts(http, stack, name))


async def all_queued(http: httpx.AsyncClient, stack: Stack, name: str, uris: list[str]) -> bool:
    counts = Counter(post["article"]["uri"] for post in await posts(http, stack, name))
    assert [uri for uri in uris if counts[uri] > 1] == [], "a story was queued twice"
    return all(counts[uri] == 1 for uri in uris)


async def nothing_pending(http: httpx.AsyncClient, stack: Stack) -> bool:
    status = (await get(http, f"{stack.url('publisher')}/v1/status")).json()
    pending = sum(group["pending"] for stream in status["streams"] for group in stream["groups"])
    dead = status["dead_letters"]
    count = dead if isinstance(dead, int) else sum(int(n) for n in re.findall(r"\d+", json.dumps(dead)))
    return pending == 0 and count == 0
