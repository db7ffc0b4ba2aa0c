"""The keys of an endpoint: rotation, what is valid when, rows of earlier releases, and keys that cannot be opened."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as StandardWebhook

from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.keys import MOST_KEYS, SigningKey, TooManyKeysError, live, rotated
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.signing import Secret, Signature, parse_secret
from newswire_publisher.webhooks.vault import UnknownMasterKeyError, Vault

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD, NEW = "old-master-key-of-32-characters-or-more", "new-master-key-of-32-characters-or-more"
PLAIN = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def key(name: str, expires: datetime | None = None) -> SigningKey:
    return SigningKey(id=name, created=NOON, expires=expires, sealed="")


def ids(keys: Any) -> list[str]:
    return [each.id for each in keys]


def hook(*keys: SigningKey) -> Webhook:
    return Webhook(id="wh_1", owner="me", created=NOON, keys=keys)


def test_after_a_rotation_both_sign_until_the_grace_is_over() -> None:
    keys = rotated([key("a")], key("b"), NOON, DAY)

    assert ids(live(keys, NOON)) == ["b", "a"]
    assert ids(live(keys, NOON + DAY - timedelta(microseconds=1))) == ["b", "a"]
    assert ids(live(keys, NOON + DAY)) == ["b"]


def test_without_grace_the_others_end_at_once() -> None:
    keys = rotated([key("b"), key("a", NOON + HOUR)], key("c"), NOON, timedelta())

    assert ids(keys) == ["c"]


def test_a_rotation_never_lengthens_a_life() -> None:
    keys = rotated([key("b"), key("a", NOON + HOUR)], key("c"), NOON, DAY)

    assert [each.expires for each in keys] == [None, NOON + DAY, NOON + HOUR]


def test_a_rotation_shortens_lives_to_its_grace() -> None:
    keys = rotated([key("b"), key("a", NOON + DAY)], key("c"), NOON, HOUR)

    assert [each.expires for each in keys] == [None, NOON + HOUR, NOON + HOUR]


def test_a_sixth_live_key_is_refused_and_says_when_one_ends() -> None:
    keys: tuple[SigningKey, ...] = ()
    for number in range(MOST_KEYS):
        keys = rotated(keys, key(str(number)), NOON + number * HOUR, DAY)

    with pytest.raises(TooManyKeysError) as caught:
        rotated(keys, key("x"), NOON + 5 * HOUR, DAY)

    assert caught.value.free_at == NOON + HOUR + DAY
    assert len(rotated(keys, key("x"), NOON + HOUR + DAY, DAY)) == MOST_KEYS
    assert ids(rotated(keys, key("x"), NOON + 5 * HOUR, timedelta())) == ["x"]


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 604_800)), max_size=30))
def test_any_row_of_rotations_keeps_the_newest_first_and_at_most_five(steps: list[tuple[int, int]]) -> None:
    keys, now = (key("first"),), NOON
    for number, (wait, grace) in enumerate(steps):
        now += timedelta(seconds=wait)
        try:
            keys = rotated(keys, key(str(number)), now, timedelta(seconds=grace))
        except TooManyKeysError as refused:
            assert now < refused.free_at
            continue
        assert keys[0].id == str(number)
        assert keys[0].expires is None
        assert all(each.lives_at(now) for each in keys)
        assert len(keys) <= MOST_KEYS
        assert all(each.expires <= now + timedelta(seconds=grace) for each in keys[1:] if each.expires)


def test_a_row_of_an_earlier_release_is_read_and_sealed_at_the_next_write() -> None:
    row = {"id": "wh_1", "owner": "me", "created": "2026-01-01T12:00:00Z", "secrets": [PLAIN]}
    earlier = Webhook.model_validate_json(json.dumps(row))
    keyring = Keyring(Vault([OLD]))

    assert keyring.signers(earlier, NOON) == [parse_secret(PLAIN)]
    stored = keyring.sealed(earlier).model_dump_json(context={"reveal": True})
    assert PLAIN not in stored
    assert keyring.signers(Webhook.model_validate_json(stored), NOON) == [parse_secret(PLAIN)]


def test_a_row_of_an_earlier_release_signs_without_a_master_key_too() -> None:
    earlier = Webhook.model_validate({"id": "w", "owner": "o", "created": NOON, "secrets": [PLAIN]})

    assert Keyring(Vault([])).signers(earlier, NOON) == [parse_secret(PLAIN)]
    assert Keyring(Vault([])).sealed(earlier) is earlier


def test_neither_what_is_shown_nor_a_plain_dump_has_the_secret() -> None:
    made, secret = Keyring(Vault([OLD])).make("wh_1", Signature.V1, NOON)

    for text in (str(hook(made).shown()), hook(made).model_dump_json(), repr(hook(made))):
        assert secret not in text
        assert made.sealed not in text


def test_of_a_key_pair_the_public_key_is_shown_and_the_private_one_never() -> None:
    made, shown = Keyring(Vault([OLD])).make("wh_1", Signature.V1A, NOON)

    assert shown.startswith("whpk_")
    assert hook(made).shown()["public_key"] == shown
    assert "whsk_" not in str(hook(made).shown())


def test_a_brought_secret_signs_and_names_its_scheme() -> None:
    keyring = Keyring(Vault([OLD]))
    pair = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="

    made, shown = keyring.make("wh_1", Signature.V1, NOON, pair)

    assert made.signature == Signature.V1A
    assert shown == parse_secret(pair).public
    assert keyring.signers(hook(made), NOON) == [parse_secret(pair)]


def test_without_a_master_key_a_secret_is_plain_and_the_log_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    made, shown = Keyring(Vault([])).make("wh_1", Signature.V1, NOON)

    assert (made.is_plain, made.sealed) == (True, shown)
    assert "NEWSWIRE_SECRET_KEY" in capsys.readouterr().out


def test_nothing_is_signed_when_the_newest_key_cannot_be_opened() -> None:
    made, _ = Keyring(Vault([OLD])).make("wh_1", Signature.V1, NOON)
    readable, _ = Keyring(Vault([NEW])).make("wh_1", Signature.V1, NOON)

    with pytest.raises(UnknownMasterKeyError):
        Keyring(Vault([NEW])).signers(hook(made, readable), NOON)


def test_an_older_key_that_cannot_be_opened_is_left_out() -> None:
    made, _ = Keyring(Vault([OLD])).make("wh_1", Signature.V1, NOON)
    readable, secret = Keyring(Vault([NEW])).make("wh_1", Signature.V1, NOON)

    assert Keyring(Vault([NEW])).signers(hook(readable, made), NOON) == [parse_secret(secret)]


def test_a_key_of_another_endpoint_does_not_open() -> None:
    keyring = Keyring(Vault([OLD]))
    made, _ = keyring.make("wh_2", Signature.V1, NOON)

    with pytest.raises(Exception, match="wh_1"):
        keyring.signers(hook(made), NOON)


def test_sealing_anew_leaves_what_it_cannot_open_as_it_is_and_names_it() -> None:
    old, _ = Keyring(Vault([OLD])).make("wh_1", Signature.V1, NOON)
    lost, _ = Keyring(Vault(["a master key that nobody has any more"])).make("wh_1", Signature.V1, NOON)
    keyring = Keyring(Vault([NEW, OLD]))

    anew = keyring.sealed(hook(old, lost))

    assert keyring.stale(anew) == [lost.id]
    assert anew.keys[1] == lost
    assert len(Keyring(Vault([NEW])).signers(anew, NOON)) == 1


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati", "right/Europe/Paris"])
def test_the_time_zone_of_the_host_changes_nothing(zone: str) -> None:
    program = (
        "import json, sys, time; from newswire_publisher.webhooks.keyring import Keyring, Vault, Webhook;"
        "hook = Webhook.model_validate_json(sys.argv[1]);"
        "print(json.dumps(Keyring(Vault([])).signed_headers(hook, 'msg_1', b'{}', time.time())))"
    )
    row = json.dumps({"id": "wh_1", "owner": "me", "created": "2026-01-01T12:00:00Z", "secrets": [PLAIN]})

    done = subprocess.run(
        [sys.executable, "-c", program, row], env=os.environ | {"TZ": zone}, capture_output=True, check=True
    )

    headers = json.loads(done.stdout)
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 10
    StandardWebhook(PLAIN).verify(b"{}", headers)


@pytest.mark.parametrize("scheme", list(Signature))
def test_what_was_shown_of_a_key_can_be_shown_again(scheme: Signature) -> None:
    keyring = Keyring(Vault([OLD]))
    made, shown = keyring.make("wh_1", scheme, NOON)

    assert keyring.shown("wh_1", made) == shown


def test_signers_at_hand_change_when_a_key_ends_and_when_one_comes() -> None:
    keyring = Keyring(Vault([OLD]))
    first, second = (keyring.make("wh_1", Signature.V1, NOON)[0] for _ in range(2))
    before = hook(first)
    after = hook(*rotated(before.keys, second, NOON, HOUR))

    counts = [
        len(keyring.signers(before, NOON)),
        len(keyring.signers(after, NOON)),
        len(keyring.signers(after, NOON + HOUR)),
    ]

    assert counts == [1, 2, 1]


def test_an_opened_key_is_kept_at_hand() -> None:
    keyring = Keyring(Vault([OLD]))
    made, _ = keyring.make("wh_1", Signature.V1, NOON)

    first, second = keyring.signers(hook(made), NOON)[0], keyring.signers(hook(made), NOON)[0]

    assert isinstance(first, Secret)
    assert first is second
