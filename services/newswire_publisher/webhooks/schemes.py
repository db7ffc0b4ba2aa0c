"""The two schemes of Standard Webhooks 1.0: a shared secret, and an ed25519 key pair.

    v1   HMAC-SHA256   whsec_ and base64 of 24 to 64 bytes
    v1a  ed25519       whsk_ and base64 of the private key, whpk_ and base64 of the public one

Both know their text form, and sign. What may go wrong: a text that is no secret of the
standard: `BadSecret` says why, and never repeats the text.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable
from enum import StrEnum
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PREFIX, PRIVATE_PREFIX, PUBLIC_PREFIX = "whsec_", "whsk_", "whpk_"
MIN_BYTES, MAX_BYTES = 24, 64
SEED_BYTES = 32
_BLOCK = 64
"""Bytes of a block of SHA-256, to which HMAC fills its key up."""

RandomBytes = Callable[[int], bytes]


class BadSecret(ValueError):  # noqa: N818 - it names what is bad
    """A text that is no secret of Standard Webhooks; the message says why and never repeats it."""


class Signature(StrEnum):
    """The scheme of Standard Webhooks that signs an endpoint's pushes."""

    V1 = "v1"
    V1A = "v1a"


class Secret:
    """A shared secret of 24 to 64 bytes (scheme ``v1``). Its text form starts with ``whsec_``."""

    __slots__ = ("_inner", "_key", "_outer")
    label = Signature.V1.value

    def __init__(self, key: bytes) -> None:
        if not MIN_BYTES <= len(key) <= MAX_BYTES:
            raise BadSecret(f"webhook secret: has {len(key)} bytes; give {MIN_BYTES} to {MAX_BYTES}")
        self._key = key
        # RFC 2104 section 4: both passes of HMAC begin with a block that only depends on the key, so that they
        # are begun once. With 2 KB, 3.6 µs instead of the 5.7 of `hmac.digest`.
        block = key.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def signature(self, *content: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        for part in content:
            inner.update(part)
        outer.update(inner.digest())
        return outer.digest()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``whsec_`` and base64.

        Raises:
            BadSecret: the prefix, the base64 or the length is not right.
        """
        return cls(_decoded(text, PREFIX))

    @classmethod
    def generate(cls, random_bytes: RandomBytes = secrets.token_bytes) -> Self:
        """Make a new secret of 32 bytes."""
        return cls(random_bytes(32))

    @property
    def public(self) -> str | None:
        """None: whoever verifies needs the secret itself."""
        return None

    def reveal(self) -> str:
        """Return the text form, which receivers configure."""
        return PREFIX + base64.b64encode(self._key).decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._key, other._key)

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return "Secret()"


class KeyPair:
    """An ed25519 key pair (scheme ``v1a``). The private text form starts with ``whsk_``, the public one ``whpk_``."""

    __slots__ = ("_private", "_public", "_seed")
    label = Signature.V1A.value

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise BadSecret(f"webhook secret: an ed25519 key has {SEED_BYTES} bytes, this one {len(seed)}")
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def signature(self, *content: bytes) -> bytes:
        return self._private.sign(b"".join(content))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``whsk_`` and base64 of the seed of 32 bytes, or of the seed with its public key after it.

        Raises:
            BadSecret: the prefix, the base64 or the length is not right, or the public key is another's.
        """
        key = _decoded(text, PRIVATE_PREFIX)
        if len(key) not in (SEED_BYTES, 2 * SEED_BYTES):
            raise BadSecret(f"webhook secret: an ed25519 key has {SEED_BYTES} bytes, this one {len(key)}")
        pair = cls(key[:SEED_BYTES])
        if key[SEED_BYTES:] not in (b"", pair._public):
            raise BadSecret("webhook secret: its second half is not the public key of its first; give the 32-byte seed")
        return pair

    @classmethod
    def generate(cls, random_bytes: RandomBytes = secrets.token_bytes) -> Self:
        """Make a new key pair."""
        return cls(random_bytes(SEED_BYTES))

    @property
    def public(self) -> str | None:
        """The public key as receivers configure it."""
        return PUBLIC_PREFIX + base64.b64encode(self._public).decode()

    def reveal(self) -> str:
        """Return the private text form, which only we need."""
        return PRIVATE_PREFIX + base64.b64encode(self._seed).decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyPair) and secrets.compare_digest(self._seed, other._seed)

    def __hash__(self) -> int:
        return hash(self._public)

    def __repr__(self) -> str:
        return f"KeyPair({self.public})"


def _decoded(text: str, prefix: str) -> bytes:
    if not text.startswith(prefix):
        raise BadSecret(f"webhook secret: must start with {prefix}")
    try:
        return base64.b64decode(text[len(prefix) :], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise BadSecret(f"webhook secret: what follows {prefix} must be padded base64") from exc
