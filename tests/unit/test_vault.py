"""Secrets at rest: what was sealed is opened by its key for its purpose, and by nothing else."""

import pytest

from newswire_publisher.webhooks.vault import (
    DamagedSecretError,
    NoMasterKeyError,
    UnknownMasterKeyError,
    Vault,
    VaultError,
)

OLD, NEW = "old-master-key-of-32-characters-or-more", "new-master-key-of-32-characters-or-more"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_what_was_sealed_is_opened() -> None:
    sealed = Vault([OLD]).seal(SECRET, "hook 1")

    assert SECRET not in sealed
    assert Vault([OLD]).open(sealed, "hook 1") == SECRET


def test_the_same_secret_is_never_sealed_to_the_same_text() -> None:
    vault = Vault([OLD])

    assert vault.seal(SECRET, "hook 1") != vault.seal(SECRET, "hook 1")


def test_the_first_key_seals_and_every_key_opens() -> None:
    sealed = Vault([OLD]).seal(SECRET, "hook 1")
    both = Vault([NEW, OLD])

    assert both.open(sealed, "hook 1") == SECRET
    assert not both.is_current(sealed)
    anew = both.seal(SECRET, "hook 1")
    assert both.is_current(anew)
    assert Vault([NEW]).open(anew, "hook 1") == SECRET


def test_another_key_is_told_from_damage_and_says_what_to_do() -> None:
    sealed = Vault([OLD]).seal(SECRET, "hook 1")

    with pytest.raises(UnknownMasterKeyError, match=r"hook 1: .* another key .* add that key"):
        Vault([NEW]).open(sealed, "hook 1")


@pytest.mark.parametrize("damage", ["cut", "changed", "not base64", "empty", "moved"])
def test_damage_is_found(damage: str) -> None:
    sealed = Vault([OLD]).seal(SECRET, "hook 1")
    last = "A" if sealed[-6] != "A" else "B"
    text = {
        "cut": sealed[:-8],
        "changed": sealed[:-6] + last + sealed[-5:],
        "not base64": sealed[:-8] + "!!!!!!!!",
        "empty": sealed.partition(".")[0] + ".",
        "moved": sealed,
    }[damage]

    with pytest.raises(DamagedSecretError):
        Vault([OLD]).open(text, "hook 2" if damage == "moved" else "hook 1")


def test_without_a_key_both_ways_say_what_to_set() -> None:
    sealed = Vault([OLD]).seal(SECRET, "hook 1")

    for call in (lambda: Vault([]).seal(SECRET, "hook 1"), lambda: Vault([]).open(sealed, "hook 1")):
        with pytest.raises(NoMasterKeyError, match="NEWSWIRE_SECRET_KEY"):
            call()
    assert not Vault([]).is_open


@pytest.mark.parametrize("text", ["", "nothing", "a.b", "whsec_x", "...."])
def test_any_text_is_refused_as_an_expected_failure(text: str) -> None:
    with pytest.raises(VaultError):
        Vault([OLD]).open(text, "hook 1")
