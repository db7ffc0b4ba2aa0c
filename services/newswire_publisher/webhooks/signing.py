"""Signatures of Standard Webhooks 1.0.

The content that is signed is ``id.timestamp.body``; the ``webhook-signature``
header holds one ``label,base64`` for each key, separated by spaces, so that a
receiver keeps verifying while a secret is rotated. A scheme is a `Signer`: its
label and how it signs. ``v1`` is HMAC-SHA256 with a shared secret.
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

PREFIX = "whsec_"
MIN_BYTES, MAX_BYTES = 24, 64


class BadSecret(ValueError):  # noqa: N818 - it names what is bad
    """A text that is no secret of Standard Webhooks; the message says why and never repeats it."""


class Signer(Protocol):
    """A key and its scheme."""

    @property
    def label(self) -> str: ...

    def signature(self, content: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Secret:
    """A shared secret of 24 to 64 bytes (scheme ``v1``). Its text form starts with ``whsec_``."""

    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not MIN_BYTES <= len(self.key) <= MAX_BYTES:
            raise BadSecret(f"webhook secret: has {len(self.key)} bytes; give {MIN_BYTES} to {MAX_BYTES}")

    @property
    def label(self) -> str:
        return "v1"

    def signature(self, content: bytes) -> bytes:
        return hmac.digest(self.key, content, "sha256")

    @classmethod
    def parse(cls, text: str) -> "Secret":
        """Read ``whsec_`` and base64.

        Raises:
            BadSecret: the prefix, the base64 or the length is not right.
        """
        if not text.startswith(PREFIX):
            raise BadSecret(f"webhook secret: must start with {PREFIX}")
        try:
            key = base64.b64decode(text[len(PREFIX) :], validate=True)
        except (binascii.Error, ValueError) as exc:
            raise BadSecret(f"webhook secret: what follows {PREFIX} must be padded base64") from exc
        return cls(key)

    @classmethod
    def generate(cls, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> "Secret":
        """Make a new secret of 32 bytes."""
        return cls(random_bytes(32))

    def reveal(self) -> str:
        """Return the text form, which receivers configure."""
        return PREFIX + base64.b64encode(self.key).decode()


def sign(signers: Sequence[Signer], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the ``webhook-signature`` header.

    Args:
        signers: The newest first; those that a rotation has not retired yet after it.
        message_id: The ``webhook-id``, the same for every attempt. Without a full stop,
            which separates the parts of the content.
        timestamp: The ``webhook-timestamp``: when this attempt is made, in seconds since the epoch.
        body: The body, byte for byte.
    """
    if not signers:
        raise ValueError("sign: needs at least one secret")
    if "." in message_id:
        raise ValueError("sign: a webhook-id has no full stop")
    content = b"%b.%d.%b" % (message_id.encode("ascii"), timestamp, body)
    return " ".join(
        f"{signer.label},{binascii.b2a_base64(signer.signature(content), newline=False).decode()}" for signer in signers
    )
