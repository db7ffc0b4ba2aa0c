"""No call of a webhook reaches a guarded address: not by its spelling, its name, a redirect, a test or a challenge.

Every look-up is answered here and every socket is asked for here (`Net`): one to anything but the
receiver is noted and refused, so that nothing leaves the machine even where a test fails.
"""

import functools
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from support.book import Faulty
from support.pushing import done, faulty_hook, numbered, submit
from support.wire import Wire, running

from newswire_runtime.outbound import GuardedClient
from newswire_runtime.outbound_dial import Target

LITERALS = [
    "http://127.0.0.2/",
    "http://2130706434/",
    "http://0x7f000002/",
    "http://017700000002/",
    "http://0177.0.0.2/",
    "http://127.2/",
    "http://10.0.0.1/",
    "http://10.1/",
    "http://172.16.0.1:8080/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://0.0.0.0/",
    "http://255.255.255.255/",
    "http://224.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::ffff:a00:1]/",
    "http://[::10.0.0.1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:a00:1::]/",
    "http://[2001:0:0:0:0:0:f5ff:fffe]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://１０.0.0.1/",
    "http://10。0。0。1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://[::ffff:169.254.169.254]/",
    "http://metadata.google.internal/",
    "http://user:secret@10.0.0.1/",
    "http://receiver.example:25/",
]
METADATA = [
    "http://169.254.169.254/latest/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[fd00:ec2::254]/",
    "http://169.254.170.2/",
    "http://100.100.100.200/",
    "http://metadata.google.internal/",
    "http://metadata.google.internal./",
]
LOOPBACK_NAMES = ["http://localhost/", "http://localhost./", "http://LOCALHOST:8080/", "http://x.localhost/"]
OPEN = "127.0.0.1/32,10.0.0.0/8,169.254.0.0/16,100.64.0.0/10,fd00::/8,::1/128"


class Net:
    """The names there are, and every socket that was asked for."""

    def __init__(self) -> None:
        self.names: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        self.opened: list[str] = []

    def lookup(self, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        self.asked.append(host)
        answers = self.names.get(host.rstrip("."))
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    def open(self, target: Target) -> socket.socket:
        self.opened.append(target.address)
        if target.address != "127.0.0.1":
            raise ConnectionRefusedError(111, "nothing listens: this is a test")
        return socket.socket(target.family, socket.SOCK_STREAM)


@pytest.fixture
def net(monkeypatch: pytest.MonkeyPatch) -> Net:
    found = Net()
    client = functools.partial(GuardedClient, lookup=found.lookup, open_socket=found.open, dns_seconds=0)
    monkeypatch.setattr("newswire_publisher.app.GuardedClient", client)
    return found


@pytest.fixture
async def guarded(net: Net, quick: None, redis_url: str) -> AsyncIterator[Wire]:
    """A wire that may call nothing inside."""
    async with running(redis_url, ssrf_allow="") as started:
        yield started
    assert net.opened == [], "a socket was asked for"


@pytest.fixture
async def opened(net: Net, quick: None, redis_url: str) -> AsyncIterator[Wire]:
    """A wire that may call the receiver and much that is inside, as an operator's own network is."""
    async with running(redis_url, ssrf_allow=OPEN) as started:
        yield started


async def test_every_spelling_of_a_guarded_host_is_refused_at_registration_and_in_a_change(guarded: Wire) -> None:
    hook = await guarded.hook()
    for url in [*LITERALS, *LOOPBACK_NAMES]:
        for answer in (
            await guarded.http.post("/v1/webhooks", json={"url": url}),
            await guarded.http.post("/v1/webhooks", json={"url": url, "challenge": True}),
            await guarded.http.patch(f"/v1/webhooks/{hook.id}", json={"url": url}),
        ):
            assert answer.status_code == 422, url
            (error,) = answer.json()["errors"]
            assert error["pointer"] == "/url"
            assert error["detail"]
    assert (await guarded.http.get("/v1/webhooks")).json()["items"][0].get("url") is None
    assert len((await guarded.http.get("/v1/webhooks")).json()["items"]) == 1


@pytest.mark.parametrize("url", METADATA)
async def test_a_metadata_service_stays_refused_inside_an_allow_list(opened: Wire, net: Net, url: str) -> None:
    answer = await opened.http.post("/v1/webhooks", json={"url": url})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/url"
    assert net.opened == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["fd00::1", "192.168.0.1"],
        ["0.0.0.0"],
    ],
    ids=",".join,
)
async def test_a_name_that_means_a_guarded_address_is_never_connected(
    guarded: Wire, net: Net, addresses: list[str]
) -> None:
    net.names["receiver.example"] = [addresses]
    hook = await guarded.hook(url="http://receiver.example/hook", retry=[0.05])
    told = await hook.call("POST", "/test")
    assert (told["delivered"], told["error"]) == (False, "guarded")
    assert not any(address in told["detail"] for address in addresses)
    await submit(guarded, [numbered(1)])
    await done(hook, 1)
    attempts = await hook.attempts()
    assert [(each["outcome"], each["error"]) for each in attempts] == [("retry", "guarded"), ("exhausted", "guarded")]
    challenged = await guarded.http.post(
        "/v1/webhooks", json={"url": "http://receiver.example/other", "challenge": True}
    )
    assert challenged.status_code == 201
    assert challenged.json()["status"] == "pending"
    verified = await guarded.http.post(f"/v1/webhooks/{challenged.json()['id']}/verify")
    assert verified.status_code != 200 or verified.json().get("status") == "pending"
    assert "receiver.example" in net.asked


async def test_a_name_that_changes_to_a_guarded_address_between_two_calls_is_not_followed(
    opened: Wire, net: Net, faulty: Faulty
) -> None:
    """The first look-up names the receiver, each later one the metadata service: a kept connection or none."""
    net.names["rebinding.example"] = [["127.0.0.1"], ["169.254.169.254"]]
    await faulty.plan("hook")
    hook = await opened.hook(url=f"http://rebinding.example:{faulty.port}/hook", secret=None, retry=[])
    assert (await hook.call("POST", "/test"))["delivered"] is True
    second = await hook.call("POST", "/test")
    assert (second["delivered"], second["error"]) == (False, "guarded")
    await submit(opened, [numbered(1)])
    await done(hook, 1)
    assert [each["error"] for each in await hook.attempts()] == ["guarded"]
    assert net.opened == ["127.0.0.1"]
    assert len(faulty.book.at("hook")) == 1


async def test_of_a_names_mixed_addresses_none_that_is_guarded_is_tried(guarded: Wire, net: Net) -> None:
    net.names["mixed.example"] = [["10.0.0.1", "93.184.216.34", "::1"]]
    hook = await guarded.hook(url="http://mixed.example/hook", retry=[])
    told = await hook.call("POST", "/test")
    assert (told["delivered"], told["error"]) == (False, "refused")
    assert net.opened == ["93.184.216.34"]
    net.opened.clear()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["http://169.254.169.254/", "http://10.0.0.1/", "/followed"])
async def test_a_redirect_is_not_followed_by_a_push_a_test_or_a_challenge(
    opened: Wire, net: Net, faulty: Faulty, status: int, where: str
) -> None:
    answer = {"status": status, "headers": {"Location": where}}
    hook = await faulty_hook(opened, faulty, "hook", plan={"then": answer}, retry=[])
    told = await hook.call("POST", "/test")
    assert (told["delivered"], told["status"]) == (False, status)
    await submit(opened, [numbered(1)])
    await done(hook, 1)
    assert [(each["outcome"], each["status"]) for each in await hook.attempts()] == [("exhausted", status)]
    challenged = await opened.http.post("/v1/webhooks", json={"url": faulty.url("hook"), "challenge": True})
    assert challenged.json()["status"] == "pending"
    assert set(net.opened) == {"127.0.0.1"}
    assert {each.path for each in faulty.book.read()} == {"hook"}


async def test_a_hook_that_was_registered_under_a_wider_allow_list_is_judged_again_at_each_call(
    net: Net, quick: None, redis_url: str, faulty: Faulty
) -> None:
    async with running(redis_url, ssrf_allow=OPEN) as wide:
        hook = await faulty_hook(wide, faulty, "hook", retry=[])
    async with running(redis_url, ssrf_allow="") as narrow:
        kept = type(hook)(narrow, hook.id, hook.secret)
        assert (await kept.call("POST", "/test"))["error"] == "guarded"
        await submit(narrow, [numbered(1)])
        await done(kept, 1)
        assert [each["error"] for each in await kept.attempts()] == ["guarded"]
    assert net.opened == []
    assert not faulty.book.read()
