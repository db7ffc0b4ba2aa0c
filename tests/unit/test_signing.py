"""Signatures, against the published vectors and the reference library."""

import base64
import os
import time

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from newswire_publisher.webhooks.signing import (
    BadSecret,
    KeyPair,
    Secret,
    Signature,
    generate_secret,
    parse_secret,
    sign,
)

BODY = b'{"test": 2432232314}'
ID, TIME = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
SEED = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
PAIR = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="


def headers(message_id: str, timestamp: int, signature: str) -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def verified(public_key: str | None, content: bytes, signature: str) -> bool:
    """Check a signature of v1a as a receiver does that has the public key alone."""
    assert public_key is not None
    raw = base64.b64decode(public_key.removeprefix("whpk_"))
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signature.removeprefix("v1a,")), content)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (SEED, "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="),
        (PAIR, "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="),
    ],
    ids=["v1", "v1a, seed", "v1a, seed and public key"],
)
def test_the_published_vectors_are_met(secret: str, signature: str) -> None:
    assert sign([parse_secret(secret)], ID, TIME, BODY) == signature


def test_the_public_key_is_the_published_one() -> None:
    assert parse_secret(PAIR).public == "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="


@pytest.mark.parametrize("length", [24, 32, 63, 64])
def test_the_reference_library_verifies_v1(length: int) -> None:
    secret, now = Secret(os.urandom(length)), int(time.time())

    Webhook(secret.reveal()).verify(BODY, headers("msg_1", now, sign([secret], "msg_1", now, BODY)))


def test_the_public_key_alone_verifies_v1a() -> None:
    pair = KeyPair.generate()

    signature = sign([pair], "msg_1", 7, BODY)

    assert verified(pair.public, b"msg_1.7." + BODY, signature)
    assert not verified(pair.public, b"msg_1.8." + BODY, signature)
    assert not verified(KeyPair.generate().public, b"msg_1.7." + BODY, signature)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_during_a_rotation_each_secret_verifies(position: int) -> None:
    secrets, now = [Secret.generate() for _ in range(3)], int(time.time())
    signature = sign([KeyPair.generate(), *secrets], "msg_1", now, BODY)

    Webhook(secrets[position].reveal()).verify(BODY, headers("msg_1", now, signature))


def test_the_newest_secret_signs_first() -> None:
    old, new = Secret.generate(), KeyPair.generate()

    first, second = sign([new, old], "msg_1", 1, BODY).split(" ")

    assert first == sign([new], "msg_1", 1, BODY)
    assert second == sign([old], "msg_1", 1, BODY)


@pytest.mark.parametrize("change", ["id", "timestamp", "body", "secret"])
def test_whatever_is_changed_breaks_the_signature(change: str) -> None:
    secret, now = Secret.generate(), int(time.time())
    signature = sign([secret], "msg_1", now, BODY)
    reader = Webhook((Secret.generate() if change == "secret" else secret).reveal())
    changed = headers("msg_2" if change == "id" else "msg_1", now - (change == "timestamp"), signature)

    with pytest.raises(WebhookVerificationError):
        reader.verify(BODY + b" " * (change == "body"), changed)


@given(st.binary(min_size=24, max_size=64), st.text(max_size=200))
def test_any_secret_and_utf8_body_verify(key: bytes, text: str) -> None:
    secret, now, body = Secret(key), int(time.time()), text.encode()

    Webhook(secret.reveal()).verify(body, headers("m", now, sign([secret], "m", now, body)), json_parse=False)


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_survives_its_text_form(key: bytes) -> None:
    assert parse_secret(Secret(key).reveal()) == Secret(key)


@given(st.binary(min_size=32, max_size=32))
def test_a_key_pair_survives_its_text_form(seed: bytes) -> None:
    assert parse_secret(KeyPair(seed).reveal()) == KeyPair(seed)


@pytest.mark.parametrize("scheme", list(Signature))
def test_a_generated_secret_has_32_bytes_of_the_given_randomness(scheme: Signature) -> None:
    made = generate_secret(scheme, lambda n: b"\x07" * n)

    assert made == {Signature.V1: Secret, Signature.V1A: KeyPair}[scheme](b"\x07" * 32)
    assert made.label == scheme


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must start with whsec_"),
        (base64.b64encode(b"x" * 32).decode(), "must start with whsec_"),
        ("WHSEC_" + base64.b64encode(b"x" * 32).decode(), "must start with whsec_"),
        ("whsec_", "has 0 bytes"),
        ("whsec_" + base64.b64encode(b"x" * 23).decode(), "has 23 bytes"),
        ("whsec_" + base64.b64encode(b"x" * 65).decode(), "has 65 bytes"),
        ("whsec_not base64!", "padded base64"),
        ("whsec_" + base64.b64encode(b"x" * 32).decode().rstrip("="), "padded base64"),
        ("whsec_" + "ä" * 44, "padded base64"),
        ("whsk_" + base64.b64encode(b"x" * 31).decode(), "has 32 bytes, this one 31"),
        ("whsk_" + base64.b64encode(b"x" * 64).decode(), "not the public key of its first"),
        ("whsk_!", "padded base64"),
        ("whpk_" + base64.b64encode(b"x" * 32).decode(), "is a public key"),
    ],
)
def test_a_bad_secret_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadSecret, match=reason):
        parse_secret(text)


def test_a_secret_does_not_show_itself() -> None:
    secret, pair = Secret(b"very-secret-key-of-24-bytes!"), KeyPair(b"very-secret-key-of-32-bytes-long")

    assert "secret-key" not in f"{secret!r} {secret} {pair!r} {pair}"
    assert pair.reveal().removeprefix("whsk_") not in f"{pair!r} {pair}"


def test_an_id_with_a_full_stop_is_refused() -> None:
    with pytest.raises(ValueError, match="full stop"):
        sign([Secret.generate()], "msg.1", 1, BODY)


def test_nothing_is_signed_without_a_secret() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        sign([], "msg_1", 1, BODY)


@pytest.mark.parametrize("signer", [Secret.generate(), KeyPair.generate()])
def test_a_body_in_parts_has_the_signature_of_the_whole(signer: Secret | KeyPair) -> None:
    assert sign([signer], "msg_1", 7, (b"{", b'"a":', b"1}")) == sign([signer], "msg_1", 7, b'{"a":1}')
