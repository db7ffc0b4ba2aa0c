"""Secrets at rest: AES-256-GCM under a master key from the settings.

    seal   secret, what it is for ─▶ "mark.base64(nonce, ciphertext, tag)"    with the first master key
    open   that text ─▶ the master key that its mark names ─▶ secret

``NEWSWIRE_SECRET_KEY`` holds one master key or several: the first encrypts, all decrypt, so that a
new one is put in front of the old and everything is sealed anew (`newswire webhook rekey`) before
the old one goes. What a secret is for (its webhook and key) is bound into it, so that one row's
secret cannot be moved to another.

What may go wrong, as a tree, and nothing is lost by any of them:

    VaultError
    ├── NoMasterKeyError         there is no master key, and a secret is to be sealed or opened
    ├── UnknownMasterKeyError    it was sealed with a master key that we do not have
    └── DamagedSecretError       it was changed, cut or moved since it was sealed
"""

import base64
import binascii
import os
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from newswire_runtime.problems import Problem

NONCE_BYTES = 12
MARK_BYTES = 6
SET_A_KEY = (
    "set NEWSWIRE_SECRET_KEY to 32 or more random characters, such as `openssl rand -base64 32` prints, "
    "or NEWSWIRE_SECRET_KEY_FILE to a file that holds them; the same in every publisher"
)


class VaultError(Problem):
    """A secret cannot be sealed or opened; the message says what to do, and names no secret. To a caller, a 503."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, "no-secret-key", detail)


class NoMasterKeyError(VaultError):
    """There is no master key."""


class UnknownMasterKeyError(VaultError):
    """The secret was sealed with a master key that we do not have."""


class DamagedSecretError(VaultError):
    """The sealed text was changed, cut or moved."""


class Vault:
    """Seals and opens secrets with master keys; the first seals."""

    def __init__(self, master_keys: Sequence[str], random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        derived = [
            (_derive(text, b"mark", MARK_BYTES).hex(), AESGCM(_derive(text, b"seal", 32))) for text in master_keys
        ]
        self._ciphers = dict(derived)
        self._mark = derived[0][0] if derived else None
        self._random_bytes = random_bytes

    @property
    def is_open(self) -> bool:
        """Whether there is a master key."""
        return self._mark is not None

    def seal(self, secret: str, purpose: str) -> str:
        """Encrypt a secret; ``purpose`` must be the same when it is opened.

        Raises:
            NoMasterKeyError: there is none.
        """
        if self._mark is None:
            raise NoMasterKeyError(f"there is no key to encrypt secrets with; {SET_A_KEY}")
        nonce = self._random_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._mark].encrypt(nonce, secret.encode(), purpose.encode())
        return f"{self._mark}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, purpose: str) -> str:
        """Decrypt what `seal` returned.

        Raises:
            VaultError: there is no key, not the right one, or the text is not as it was sealed.
        """
        mark, _, text = sealed.partition(".")
        if self._mark is None:
            raise NoMasterKeyError(f"{purpose}: there is no key to decrypt the secret with; {SET_A_KEY}")
        cipher = self._ciphers.get(mark)
        if cipher is None:
            raise UnknownMasterKeyError(
                f"{purpose}: the secret was encrypted with another key (mark {mark}) than NEWSWIRE_SECRET_KEY has; "
                "add that key after a comma, or rotate the secret (a header: set it anew)"
            )
        try:
            raw = base64.b64decode(text, validate=True)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as exc:
            raise DamagedSecretError(
                f"{purpose}: the secret is not as it was encrypted; restore it from a backup, or rotate it "
                "(a header: set it anew)"
            ) from exc

    def is_current(self, sealed: str) -> bool:
        """Return whether it is sealed with the first master key."""
        return self._mark is not None and sealed.startswith(f"{self._mark}.")


def _derive(text: str, use: bytes, length: int) -> bytes:
    """Return key material for one use (RFC 5869): the settings hold text of any alphabet and length."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=b"newswire secrets " + use).derive(text.encode())
