"""Signing keys from outside: rotation with overlap, both schemes, and secrets that are nowhere in the clear."""

import asyncio
import base64
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from support.hooks import pointers
from support.servers import KillableServer
from support.wire import OPERATOR, SECRET_KEY, Hook, Push, Receiver, Wire, running, story, until

from newswire_runtime.broker import make_client
from newswire_schemas.streams import ConfKeys

OWN = "whsec_" + base64.b64encode(b"a secret that the integrator brought").decode()
NEWSWIRE = str(Path(sys.executable).with_name("newswire"))
MAKE_SECRETS = Path(__file__).parents[2] / "deploy" / "make_secrets.py"
PAIR = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
OTHER_KEY = "another-key-that-encrypts-secrets-in-tests"


def signed_by(push: Push, secret: str) -> bool:
    """Verify as a receiver does that knows one secret, or for v1a one public key."""
    if secret.startswith("whpk_"):
        content = f"{push.id}.{push.headers['webhook-timestamp']}.".encode() + push.body
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.removeprefix("whpk_")))
        for signature in push.headers["webhook-signature"].split(" "):
            label, _, text = signature.partition(",")
            if label == "v1a":
                key.verify(base64.b64decode(text), content)
                return True
        return False
    try:
        Webhook(secret).verify(push.body, push.headers)
    except WebhookVerificationError:
        return False
    return True


async def rotate(hook: Hook, **body: Any) -> str:
    secret: str = (await hook.call("POST", "/rotate-secret", json=body))["secret"]
    return secret


async def sample(hook: Hook, receiver: Receiver) -> Push:
    """Send a test event and return the push."""
    assert (await hook.call("POST", "/test"))["delivered"]
    return receiver.pushes[-1]


async def everything_kept(url: str) -> bytes:
    """Return all values of the server, as it would dump them, and as they read."""
    client = make_client(url)
    found = []
    async for name in client.scan_iter(count=1000):
        found += [name, await client.dump(name) or b""]
        kind = await client.type(name)
        if kind == b"hash":
            found += [repr(await client.hgetall(name)).encode()]
        elif kind == b"string":
            found += [await client.get(name)]
        elif kind == b"stream":
            found += [repr(await client.xrange(name)).encode()]
    await client.aclose()
    return b"\n".join(found)


async def test_after_a_rotation_both_secrets_sign_the_newest_first(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))

    new = await rotate(hook, grace=60)

    push = await sample(hook, receiver)
    assert signed_by(push, hook.secret)
    assert signed_by(push, new)
    first, second = push.headers["webhook-signature"].split(" ")
    assert first == Webhook(new).sign(push.id, timestamp(push), push.body.decode())
    assert second == Webhook(hook.secret).sign(push.id, timestamp(push), push.body.decode())


async def test_without_grace_the_old_secret_ends_at_once(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))

    new = await rotate(hook, grace=0)

    push = await sample(hook, receiver)
    assert signed_by(push, new)
    assert not signed_by(push, hook.secret)
    assert len((await hook.call("GET"))["keys"]) == 1


async def test_when_the_grace_is_over_the_old_secret_signs_no_more(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    new = await rotate(hook, grace=1)
    assert signed_by(await sample(hook, receiver), hook.secret)

    async def over() -> bool:
        return not signed_by(await sample(hook, receiver), hook.secret)

    await until(over, 5, "the old secret is retired")
    assert signed_by(receiver.pushes[-1], new)


async def test_a_retry_is_signed_with_the_keys_that_are_valid_then(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook", 500), retry=[1.0])
    await wire.submit(story())
    first = (await receiver.got("hook", 1))[0]

    new = await rotate(hook, grace=0)

    second = (await receiver.got("hook", 2))[1]
    assert (second.id, second.body) == (first.id, first.body)
    assert (signed_by(first, hook.secret), signed_by(first, new)) == (True, False)
    assert (signed_by(second, hook.secret), signed_by(second, new)) == (False, True)


async def test_a_brought_secret_is_taken(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))

    assert await rotate(hook, secret=OWN) == OWN

    assert signed_by(await sample(hook, receiver), OWN)


async def test_a_brought_secret_that_signs_already_is_refused(wire: Wire) -> None:
    hook = await wire.hook(url="https://receiver.example/")
    assert await rotate(hook, secret=OWN) == OWN
    again = await wire.http.post(f"/v1/webhooks/{hook.id}/rotate-secret", json={"secret": OWN})
    assert (again.status_code, pointers(again)) == (422, ["/secret"])
    assert OWN not in again.text
    await rotate(hook, grace=0)
    assert await rotate(hook, secret=OWN) == OWN  # it had ended


@pytest.mark.parametrize("registration", [{"signature": "v1a"}, {"secret": PAIR}], ids=["made", "brought"])
async def test_v1a_shows_the_public_key_and_signs_with_the_private_one(
    wire: Wire, receiver: Receiver, registration: dict[str, Any]
) -> None:
    hook = await wire.hook(url=receiver.script("hook"), **registration)

    shown = await hook.call("GET")

    assert shown["public_key"] == hook.secret
    assert hook.secret.startswith("whpk_")
    assert shown["signature"] == "v1a"
    assert signed_by(await sample(hook, receiver), hook.secret)


@pytest.mark.parametrize(
    ("signature", "secret", "fits"), [("v1", PAIR, "whsec_"), ("v1a", OWN, "whsk_")], ids=["v1", "v1a"]
)
async def test_a_brought_secret_of_another_scheme_than_the_one_asked_for_is_refused(
    wire: Wire, signature: str, secret: str, fits: str
) -> None:
    refused = await wire.http.post("/v1/webhooks", json={"signature": signature, "secret": secret})

    assert pointers(refused) == ["/secret"]
    assert f"signature {signature} takes" in refused.json()["detail"]
    assert fits in refused.json()["detail"]
    assert secret not in refused.text
    assert (await wire.http.get("/v1/webhooks")).json()["items"] == []


@pytest.mark.parametrize(("signature", "secret"), [("v1", PAIR), ("v1a", OWN)], ids=["v1", "v1a"])
async def test_a_rotation_changes_the_scheme_only_after_the_setting(wire: Wire, signature: str, secret: str) -> None:
    hook = await wire.hook(signature=signature)
    refused = await wire.http.post(f"/v1/webhooks/{hook.id}/rotate-secret", json={"secret": secret})
    assert pointers(refused) == ["/secret"]
    assert (await hook.call("GET"))["signature"] == signature
    other = "v1a" if signature == "v1" else "v1"
    assert f'PATCH {{"signature": "{other}"}}' in refused.json()["detail"]

    await hook.call("PATCH", json={"signature": other})

    assert (await rotate(hook, secret=secret)).startswith("whsec_" if other == "v1" else "whpk_")


async def test_the_scheme_changes_with_a_rotation_and_both_sign(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))
    await hook.call("PATCH", json={"signature": "v1a"})

    public_key = await rotate(hook)

    push = await sample(hook, receiver)
    assert signed_by(push, public_key)
    assert signed_by(push, hook.secret)


async def test_a_sixth_live_secret_is_refused_and_says_what_to_do(wire: Wire) -> None:
    hook = await wire.hook()
    for _ in range(4):
        await rotate(hook)

    refused = await wire.http.post(f"/v1/webhooks/{hook.id}/rotate-secret", json={})

    assert refused.status_code == 409
    assert "grace 0" in refused.json()["detail"]
    assert datetime.fromisoformat(refused.json()["free_at"]) > datetime.now(UTC)
    assert len((await hook.call("GET"))["keys"]) == 5
    await rotate(hook, grace=0)
    assert len((await hook.call("GET"))["keys"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"grace": -1}, "/grace"),
        ({"grace": 604_801}, "/grace"),
        ({"grace": "soon"}, "/grace"),
        ({"secret": "whsec_short"}, "/secret"),
        ({"secret": "whpk_" + "A" * 44}, "/secret"),
        ({"graze": 1}, "/graze"),
    ],
)
async def test_a_rotation_that_cannot_be_is_refused_with_a_pointer(
    wire: Wire, body: dict[str, Any], pointer: str
) -> None:
    hook = await wire.hook()

    refused = await wire.http.post(f"/v1/webhooks/{hook.id}/rotate-secret", json=body)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert str(body.get("secret", "-")) not in refused.text or "secret" not in body


async def test_rotations_at_once_all_count(wire: Wire, receiver: Receiver) -> None:
    hook = await wire.hook(url=receiver.script("hook"))

    secrets = await asyncio.gather(*(rotate(hook) for _ in range(3)))

    push = await sample(hook, receiver)
    assert all(signed_by(push, secret) for secret in [hook.secret, *secrets])


async def test_another_integrator_cannot_rotate(wire: Wire) -> None:
    hook = await wire.hook()
    made = (await wire.http.post("/v1/tokens", json={"role": "integrator", "name": "other"})).json()
    other = {"Authorization": f"Bearer {made['token']}"}

    refused = [
        await wire.anyone.post(f"/v1/webhooks/{hook.id}/rotate-secret", headers=other),
        await wire.anyone.post("/v1/webhooks/rekey", headers=other),
        await wire.anyone.post(f"/v1/webhooks/{hook.id}/rotate-secret"),
    ]

    assert [answer.status_code for answer in refused] == [404, 403, 401]


async def test_no_secret_is_kept_in_the_clear(quick: None, server: KillableServer, receiver: Receiver) -> None:
    async with running(server.url) as wire:
        hook = await wire.hook(url=receiver.script("hook"), secret=OWN)
        pair = await wire.hook(secret=PAIR)
        secrets = [OWN, PAIR, hook.secret, await rotate(hook), await rotate(hook)]
        made = await wire.hook(url=receiver.script("made"))
        await wire.submit(story())
        await receiver.got("hook", 1)
        await pair.call("GET")
        kept = await everything_kept(server.url)
    await server.stop()
    files = [path for path in server.embedded.directory.rglob("*") if path.is_file() and path.stat().st_size]
    assert any(path.name.endswith(".aof") for path in files)
    kept += b"".join(path.read_bytes() for path in files)
    for secret in [*secrets, made.secret]:
        raw = base64.b64decode(secret.partition("_")[2])
        assert secret.encode() not in kept
        assert secret.partition("_")[2].encode() not in kept
        assert raw not in kept


async def test_no_value_of_an_endpoints_headers_is_kept_in_the_clear(
    quick: None, server: KillableServer, receiver: Receiver
) -> None:
    values = {"Authorization": "Bearer the-credential-of-the-receiver", "X-Desk": "sport-desk", "X-Api-Key": "k-1"}
    others = {"authorization": "Bearer another-credential", "x-desk": None}
    async with running(server.url) as wire:
        hook = await wire.hook(url=receiver.script("hook"), headers=values)
        assert (await hook.call("GET"))["headers"] == {name.lower(): value for name, value in values.items()}
        await wire.submit(story())
        (push,) = await receiver.got("hook", 1)
        assert {name: push.headers[name.lower()] for name in values} == values

        changed = await hook.call("PATCH", json={"headers": others})

        assert changed["headers"] == {"authorization": others["authorization"], "x-api-key": "k-1"}
        assert (await sample(hook, receiver)).headers["authorization"] == others["authorization"]
        assert "x-desk" not in receiver.pushes[-1].headers
        assert (await hook.call("GET", f"/attempts/{(await hook.attempts())[0]['id']}"))["request"]["headers"][
            "x-desk"
        ] == "sport-desk"
        for answer in (await wire.http.get("/v1/webhooks"), await wire.http.get(f"/v1/webhooks/{hook.id}")):
            assert "sealed" not in answer.text
        backup = (await wire.http.get("/v1/backup")).content
        kept = await everything_kept(server.url)
    await server.stop()
    files = [path for path in server.embedded.directory.rglob("*") if path.is_file() and path.stat().st_size]
    for value in ["the-credential-of-the-receiver", "another-credential", "sport-desk", '"k-1"']:
        assert value.encode() not in kept
        assert value.encode() not in backup
        assert [path.name for path in files if value.encode() in path.read_bytes()] == []


async def test_headers_in_plain_are_sent_on_and_sealed_by_rekey(
    quick: None, redis_url: str, receiver: Receiver
) -> None:
    async with running(redis_url, secret_key=None) as wire:
        hook = await wire.hook(url=receiver.script("hook"), headers={"X-Desk": "sport-desk"})
        assert b"sport-desk" in await everything_kept(redis_url)
    async with running(redis_url) as wire:
        assert (await sample(Hook(wire, hook.id, ""), receiver)).headers["x-desk"] == "sport-desk"

        assert (await wire.http.post("/v1/webhooks/rekey")).json() == {"webhooks": 1, "unreadable": []}

        assert b"sport-desk" not in await everything_kept(redis_url)
        assert (await sample(Hook(wire, hook.id, ""), receiver)).headers["x-desk"] == "sport-desk"


async def test_without_a_key_secrets_are_plain_until_one_is_set_and_rekey_seals_them(
    quick: None, redis_url: str, receiver: Receiver
) -> None:
    async with running(redis_url, secret_key=None) as wire:
        hook = await wire.hook(url=receiver.script("hook"))
        assert signed_by(await sample(hook, receiver), hook.secret)
        assert hook.secret.encode() in await everything_kept(redis_url)
    async with running(redis_url) as wire:
        assert (await wire.http.post("/v1/webhooks/rekey")).status_code == 200
        assert hook.secret.encode() not in await everything_kept(redis_url)
        assert signed_by(await sample(Hook(wire, hook.id, hook.secret), receiver), hook.secret)


async def test_a_row_of_an_earlier_release_signs_on_and_is_sealed_at_the_next_write(
    quick: None, redis_url: str, receiver: Receiver
) -> None:
    url = receiver.script("hook")
    row = f'{{"id":"wh_1","owner":"operator","created":"2026-01-01T00:00:00Z","url":"{url}","secrets":["{OWN}"]}}'
    client = make_client(redis_url)
    await client.hset(ConfKeys.table("webhooks"), "wh_1", row)
    await client.hincrby(ConfKeys.generation, "webhooks", 1)
    async with running(redis_url) as wire:
        hook = Hook(wire, "wh_1", OWN)
        assert signed_by(await sample(hook, receiver), OWN)
        assert OWN.encode() in await everything_kept(redis_url)

        await hook.call("PATCH", json={"description": "changed"})

        assert OWN.encode() not in await everything_kept(redis_url)
        assert signed_by(await sample(hook, receiver), OWN)
    await client.aclose()


async def test_the_key_is_changed_without_losing_a_secret(quick: None, redis_url: str, receiver: Receiver) -> None:
    async with running(redis_url) as wire:
        hook = await wire.hook(url=receiver.script("hook"), headers={"X-Desk": "sport"})
    async with running(redis_url, secret_key=f"{OTHER_KEY},{SECRET_KEY}") as wire:
        assert signed_by(await sample(Hook(wire, hook.id, ""), receiver), hook.secret)

        done = (await wire.http.post("/v1/webhooks/rekey")).json()

        assert done == {"webhooks": 1, "unreadable": []}
        assert (await wire.http.post("/v1/webhooks/rekey")).json() == {"webhooks": 0, "unreadable": []}
    async with running(redis_url, secret_key=OTHER_KEY) as wire:
        assert signed_by(await sample(Hook(wire, hook.id, ""), receiver), hook.secret)
        assert receiver.pushes[-1].headers["x-desk"] == "sport"


async def test_with_a_wrong_key_nothing_is_sent_or_lost(
    quick: None, redis_url: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newswire_publisher.webhooks.worker.LEASE_MS", 500)
    async with running(redis_url) as wire:
        hook = await wire.hook(url=receiver.script("hook"))
    async with running(redis_url, secret_key=OTHER_KEY) as wire:
        seen = Hook(wire, hook.id, "")
        refused = await wire.http.post(f"/v1/webhooks/{hook.id}/test")
        assert refused.status_code == 503
        assert "another key" in refused.json()["detail"]
        done = (await wire.http.post("/v1/webhooks/rekey")).json()
        assert [each["webhook"] for each in done["unreadable"]] == [hook.id]
        await seen.call("PATCH", json={"description": "changed"})
        await wire.submit(story())
        await seen.logged(1)
        assert receiver.pushes == []
    async with running(redis_url) as wire:
        (push,) = await receiver.got("hook", 1)
        assert signed_by(push, hook.secret)


@pytest.mark.parametrize("given", [{"NEWSWIRE_SECRET_KEY": "short"}, {"NEWSWIRE_SECRET_KEY_FILE": "/nowhere/key"}])
def test_a_key_that_cannot_be_is_told_at_the_start(given: dict[str, str]) -> None:
    environment = {"PATH": "/usr/bin", "NEWSWIRE_OPERATOR_TOKEN": OPERATOR, **given}

    done = subprocess.run([NEWSWIRE, "run", "publisher"], env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith(f"newswire: {next(iter(given))}: ")
    assert done.stderr.count("\n") == 1


def test_the_stack_makes_its_key_once_and_keeps_it_behind_a_new_one(tmp_path: Path) -> None:
    def make(**given: str) -> list[str]:
        command = [sys.executable, str(MAKE_SECRETS), str(tmp_path)]
        subprocess.run(command, env=given, check=True)
        return (tmp_path / "secret.key").read_text().strip().split(",")

    (first,) = make()

    assert len(first) >= 32
    assert make() == [first]
    assert make(NEWSWIRE_SECRET_KEY=OTHER_KEY) == [OTHER_KEY, first]
    assert make(NEWSWIRE_SECRET_KEY=OTHER_KEY) == [OTHER_KEY, first]


def timestamp(push: Push) -> datetime:
    return datetime.fromtimestamp(int(push.headers["webhook-timestamp"]), UTC)
