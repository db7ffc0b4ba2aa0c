"""Signatures, against a fixed vector and the reference library."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from newswire_publisher.webhooks.signing import BadSecret, Secret, sign

BODY = b'{"test": 2432232314}'


def headers(message_id: str, timestamp: int, signature: str) -> dict[str, str]:
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signature}


def test_the_published_vector_is_met() -> None:
    secret = Secret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_reference_library_verifies_it() -> None:
    secret, now = Secret.generate(), int(time.time())

    Webhook(secret.reveal()).verify(BODY, headers("msg_1", now, sign([secret], "msg_1", now, BODY)))


@pytest.mark.parametrize("position", [0, 1, 2])
def test_during_a_rotation_each_secret_verifies(position: int) -> None:
    secrets, now = [Secret.generate() for _ in range(3)], int(time.time())
    signature = sign(secrets, "msg_1", now, BODY)

    Webhook(secrets[position].reveal()).verify(BODY, headers("msg_1", now, signature))


def test_the_newest_secret_signs_first() -> None:
    old, new = Secret.generate(), Secret.generate()

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
    assert Secret.parse(Secret(key).reveal()) == Secret(key)


def test_a_generated_secret_has_32_bytes_of_the_given_randomness() -> None:
    assert Secret.generate(lambda n: b"\x07" * n) == Secret(b"\x07" * 32)


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
    ],
)
def test_a_bad_secret_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadSecret, match=reason):
        Secret.parse(text)


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret(b"very-secret-key-of-24-bytes!")

    assert "secret-key" not in f"{secret!r} {secret}"


def test_an_id_with_a_full_stop_is_refused() -> None:
    with pytest.raises(ValueError, match="full stop"):
        sign([Secret.generate()], "msg.1", 1, BODY)


def test_nothing_is_signed_without_a_secret() -> None:
    with pytest.raises(ValueError, match="at least one secret"):
        sign([], "msg_1", 1, BODY)
