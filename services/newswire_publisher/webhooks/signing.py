"""Signatures of Standard Webhooks 1.0.

    secret text ─▶ Secret (v1) or KeyPair (v1a) ─┐
    id.timestamp.body ───────────────────────────┴▶ "v1,base64 v1a,base64 …"

The ``webhook-signature`` header holds one ``label,base64`` for each key, separated by
spaces, so that a receiver keeps verifying while a secret is rotated. A scheme is a
`Signer`: its label and how it signs.
"""

import binascii
import secrets
from collections.abc import Sequence
from typing import Protocol

from newswire_publisher.webhooks.schemes import (
    PRIVATE_PREFIX,
    PUBLIC_PREFIX,
    BadSecret,
    KeyPair,
    RandomBytes,
    Secret,
    Signature,
)
from newswire_runtime.outbound_requests import Body

__all__ = ["BadSecret", "KeyPair", "Secret", "Signature", "Signer", "generate_secret", "parse_secret", "sign"]


class Signer(Protocol):
    """A key and its scheme."""

    @property
    def label(self) -> str: ...

    def signature(self, *content: bytes) -> bytes:
        """Return the signature of these bytes, one part after the other."""
        ...


_SCHEMES: dict[str, type[Secret] | type[KeyPair]] = {Signature.V1: Secret, Signature.V1A: KeyPair}


def parse_secret(text: str) -> Secret | KeyPair:
    """Read a secret of either scheme, which its prefix names.

    Raises:
        BadSecret: it is none of Standard Webhooks.
    """
    if text.startswith(PUBLIC_PREFIX):
        raise BadSecret(f"webhook secret: {PUBLIC_PREFIX} is a public key; give the private one, {PRIVATE_PREFIX}")
    return KeyPair.parse(text) if text.startswith(PRIVATE_PREFIX) else Secret.parse(text)


def generate_secret(scheme: Signature, random_bytes: RandomBytes = secrets.token_bytes) -> Secret | KeyPair:
    """Make a new secret of a scheme."""
    return _SCHEMES[scheme].generate(random_bytes)


def sign(signers: Sequence[Signer], message_id: str, timestamp: int, body: Body) -> str:
    """Return the ``webhook-signature`` header.

    Args:
        signers: The newest first; those that a rotation has not retired yet after it.
        message_id: The ``webhook-id``, the same for every attempt. Without a full stop,
            which separates the parts of the content.
        timestamp: The ``webhook-timestamp``: when this attempt is made, in seconds since the epoch.
        body: The body, byte for byte; or its parts.
    """
    if not signers:
        raise ValueError("sign: needs at least one secret")
    if "." in message_id:
        raise ValueError("sign: a webhook-id has no full stop")
    parts = (body,) if isinstance(body, bytes) else body
    head = f"{message_id}.{timestamp}.".encode("ascii")
    if len(signers) == 1:
        return _signed(signers[0], head, parts)
    return " ".join([_signed(signer, head, parts) for signer in signers])


def _signed(signer: Signer, head: bytes, parts: Sequence[bytes]) -> str:
    return f"{signer.label},{binascii.b2a_base64(signer.signature(head, *parts), newline=False).decode()}"
