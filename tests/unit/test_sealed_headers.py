"""The headers of an endpoint at rest: sealed where they are written, and as they were where they are read."""

from datetime import UTC, datetime

import pytest

from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sealed_headers import UNREADABLE
from newswire_publisher.webhooks.sendings import Sending
from newswire_publisher.webhooks.signing import Signature
from newswire_publisher.webhooks.vault import UnknownMasterKeyError, Vault

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = "old-master-key-of-32-characters-or-more", "new-master-key-of-32-characters-or-more"
HEADERS = {"authorization": "Bearer the-credential", "x-desk": "sport"}


def ring(*keys: str) -> Keyring:
    return Keyring(Vault(keys))


def hook(**fields: object) -> Webhook:
    return Webhook.model_validate({"id": "wh_1", "owner": "me", "created": NOON, "headers": HEADERS} | fields)


def row(hook: Webhook, keyring: Keyring) -> str:
    """Return an endpoint as it is stored."""
    return keyring.sealed(hook).model_dump_json(context={"reveal": True})


def read(row: str, keyring: Keyring) -> Webhook:
    return keyring.opened(Webhook.model_validate_json(row))


def test_what_is_written_has_no_value_and_what_is_read_has_all() -> None:
    earlier = (Sending(until=NOON, revision=1, headers={"x-desk": "politics"}),)
    written = row(hook(earlier=earlier), ring(OLD))

    assert not [value for value in (*HEADERS.values(), "politics") if value in written]
    found = read(written, ring(OLD))
    assert (found.headers, found.earlier[0].headers) == (HEADERS, {"x-desk": "politics"})
    assert "sealed" not in str(found.shown())


def test_without_a_master_key_values_are_plain_and_the_next_write_under_one_seals_them() -> None:
    plain = row(hook(), ring())

    assert read(plain, ring()).headers == HEADERS
    assert ring(OLD).stale(read(plain, ring(OLD))) == ["header authorization", "header x-desk"]
    anew = row(read(plain, ring(OLD)), ring(OLD))
    assert "sport" not in anew
    assert ring(OLD).stale(read(anew, ring(OLD))) == []


def test_a_write_that_changes_no_header_changes_no_sealed_text() -> None:
    written = row(hook(), ring(OLD))

    assert row(read(written, ring(OLD)), ring(OLD)) == written


def test_a_new_master_key_seals_anew_what_the_old_one_opens() -> None:
    both = ring(NEW, OLD)
    before = read(row(hook(), ring(OLD)), both)

    assert both.stale(before) == ["header authorization", "header x-desk"]
    assert read(row(before, both), ring(NEW)).headers == HEADERS


@pytest.mark.parametrize("keys", [(), (NEW,)], ids=["none", "another"])
def test_what_cannot_be_opened_stays_through_a_write_and_signs_nothing(keys: tuple[str, ...]) -> None:
    before = read(row(hook(), ring(OLD)), ring(*keys))
    key, _ = ring().make("wh_1", Signature.V1, NOON)
    signed = before.model_copy(update={"keys": (key,)})

    assert before.headers == dict.fromkeys(HEADERS, UNREADABLE)
    with pytest.raises(Exception, match="wh_1, header authorization"):
        ring(*keys).signers(signed, NOON)
    assert read(row(signed, ring(*keys)), ring(NEW, OLD)).headers == HEADERS


def test_an_unreadable_header_is_set_anew_or_removed() -> None:
    before = read(row(hook(), ring(OLD)), ring(NEW))

    after = read(row(before.model_copy(update={"headers": {"authorization": "Basic x"}}), ring(NEW)), ring(NEW))

    assert after.headers == {"authorization": "Basic x"}


def test_a_value_moved_to_another_endpoint_or_header_does_not_open() -> None:
    sealed = ring(OLD).sealed(hook()).sealed_headers

    moved = ring(OLD).opened(hook(id="wh_2", headers={}, sealed_headers=sealed))
    renamed = ring(OLD).opened(hook(headers={}, sealed_headers={"x-desk": sealed["authorization"]}))

    assert {*moved.headers.values(), *renamed.headers.values()} == {UNREADABLE}


def test_a_header_that_reads_like_the_word_for_unreadable_is_just_a_header() -> None:
    key, _ = ring().make("wh_1", Signature.V1, NOON)
    before = read(row(hook(), ring(OLD)), ring(OLD))
    after = before.model_copy(update={"headers": {"x-desk": UNREADABLE}, "keys": (key,)})

    found = read(row(after, ring(OLD)), ring(OLD))

    assert found.headers == {"x-desk": UNREADABLE}
    assert len(ring(OLD).signers(found, NOON)) == 1


def test_a_wrong_master_key_is_told_by_its_own_error() -> None:
    with pytest.raises(UnknownMasterKeyError):
        ring(NEW).signers(read(row(hook(), ring(OLD)), ring(NEW)), NOON)
