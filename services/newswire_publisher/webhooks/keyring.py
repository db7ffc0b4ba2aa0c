"""From an endpoint's sealed keys to what signs its pushes; its own headers are sealed with them.

    register, rotate   text or chance ─▶ sealed `SigningKey` ─▶ storage
    sign               keys valid now ─▶ opened once ─▶ signers, kept at hand

Opening a key and loading it take 2 µs for HMAC and 60 µs for ed25519, so what was opened stays in
memory, for `KEPT_SIGNERS` keys.

What may go wrong: the newest key or a header cannot be opened, as the master key is missing or another one. Then
nothing is signed (`VaultError`): a push that its receiver must refuse is worse than one that waits. An
older key that cannot be opened is left out.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from newswire_publisher.webhooks.headers import headers
from newswire_publisher.webhooks.keys import SigningKey, live, new_key_id
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sealed_headers import HeaderSeals
from newswire_publisher.webhooks.signing import KeyPair, Secret, Signature, Signer, generate_secret, parse_secret, sign
from newswire_publisher.webhooks.vault import SET_A_KEY, Vault, VaultError
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.outbound_requests import Body
from newswire_schemas.article import from_ms

KEPT_SIGNERS = 20_000

K = TypeVar("K")
V = TypeVar("V")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Ready:
    """What signs for these very keys before ``until``."""

    keys: tuple[SigningKey, ...]
    until: float
    """By `time.time`."""
    signers: Sequence[Signer]


class Keyring:
    """Makes, opens and seals the keys of all endpoints."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._headers = HeaderSeals(vault)
        self._opened: dict[tuple[str, str], Secret | KeyPair] = {}
        self._ready: dict[str, _Ready] = {}

    def signers(self, hook: Webhook, at: datetime) -> Sequence[Signer]:
        """Return what signs an endpoint's pushes at a moment, newest first.

        Raises:
            VaultError: the newest key or one of its headers cannot be opened.
        """
        self._headers.check(hook)
        signers: list[Signer] = []
        valid = live(hook.keys, at)
        for key in valid:
            signer = self._opened.get((hook.id, key.sealed))
            if signer is None:
                try:
                    signer = self._open(hook.id, key)
                except VaultError as exc:
                    if not signers:
                        raise
                    log.warning("webhook.key_unreadable", webhook=hook.id, key=key.id, error=str(exc))
                    continue
            signers.append(signer)
        until = min((key.expires.timestamp() for key in valid if key.expires), default=math.inf)
        _keep(self._ready, hook.id, _Ready(hook.keys, until, signers))
        return signers

    def signed_headers(self, hook: Webhook, message_id: str, body: Body, wall: float) -> dict[str, str]:
        """Return the headers of one attempt.

        Args:
            hook: Whose endpoint it goes to.
            message_id: The ``webhook-id``.
            body: As it is sent; or its parts.
            wall: When it is made, by `time.time`.

        Raises:
            VaultError: the newest key or a header cannot be opened.
        """
        ready = self._ready.get(hook.id)
        if ready is not None and ready.keys is hook.keys and wall < ready.until:
            signers = ready.signers
        else:
            signers = self.signers(hook, from_ms(wall * 1_000))
        return headers(message_id, int(wall), sign(signers, message_id, int(wall), body), hook.headers)

    def make(
        self, hook_id: str, scheme: Signature, now: datetime, brought: str | None = None, name: str | None = None
    ) -> tuple[SigningKey, str]:
        """Return a new key, and what is shown of it this once: the secret, or of ``v1a`` the public key.

        Args:
            hook_id: Whose key it is.
            scheme: Of a key that is made up; a secret that is ``brought`` names its own.
            now: When it is made.
            brought: The integrator's own secret.
            name: What its id is made of; a random one if it is left out.

        Raises:
            BadSecret: what is brought is no secret.
        """
        secret = generate_secret(scheme) if brought is None else parse_secret(brought)
        key_id = new_key_id(name)
        sealed = self._sealed(hook_id, key_id, secret.reveal())
        key = SigningKey(
            id=key_id, created=now, signature=Signature(secret.label), public_key=secret.public, sealed=sealed
        )
        return key, secret.public or secret.reveal()

    def _sealed(self, hook_id: str, key_id: str, text: str) -> str:
        if self._vault.is_open:
            return self._vault.seal(text, _purpose(hook_id, key_id))
        # Whoever tries a service out must not fail at its first webhook; the first write under a key seals it.
        log.warning("webhook.secret_unencrypted", webhook=hook_id, hint=SET_A_KEY)
        return text

    def shown(self, hook_id: str, key: SigningKey) -> str:
        """Return what `make` showed of a key, so that a call that is repeated gets the same answer.

        Raises:
            VaultError: the key cannot be opened.
        """
        secret = self._open(hook_id, key)
        return secret.public or secret.reveal()

    def has(self, hook: Webhook, text: str, at: datetime, but: str) -> bool:
        """Return whether a secret is one of an endpoint's live keys, other than the key of id ``but``."""
        wanted = parse_secret(text).reveal()
        for key in live(hook.keys, at):
            try:
                if key.id != but and self._open(hook.id, key).reveal() == wanted:
                    return True
            except VaultError:
                continue  # what cannot be opened cannot be compared, and signs nothing
        return False

    def sealed(self, hook: Webhook) -> Webhook:
        """Return the endpoint as it is written: every key and header sealed by the first master key.

        Without a master key they stay as they are, and so does what cannot be opened: `stale` names it.
        """
        hook = self._headers.sealed(hook)
        if not self._vault.is_open:
            return hook
        keys = tuple(self._resealed(hook.id, key) for key in hook.keys)
        return hook if keys == hook.keys else hook.model_copy(update={"keys": keys})

    def opened(self, hook: Webhook) -> Webhook:
        """Return the endpoint, as it was read, with the values of its headers."""
        return self._headers.opened(hook)

    def stale(self, hook: Webhook) -> list[str]:
        """Return the ids of the keys, and the names of the headers, that another master key sealed, or none."""
        keys = [key.id for key in hook.keys if not self._vault.is_current(key.sealed)]
        return keys + [f"header {name}" for name in self._headers.stale(hook)]

    def _resealed(self, hook_id: str, key: SigningKey) -> SigningKey:
        if self._vault.is_current(key.sealed):
            return key
        purpose = _purpose(hook_id, key.id)
        try:
            text = key.sealed if key.is_plain else self._vault.open(key.sealed, purpose)
        except VaultError:
            return key
        return key.model_copy(update={"sealed": self._vault.seal(text, purpose)})

    def _open(self, hook_id: str, key: SigningKey) -> Secret | KeyPair:
        text = key.sealed if key.is_plain else self._vault.open(key.sealed, _purpose(hook_id, key.id))
        secret = parse_secret(text)
        _keep(self._opened, (hook_id, key.sealed), secret)
        return secret


class HookTable(Table[Webhook]):
    """The endpoints, as `Table` keeps them; whatever is written is sealed by the first master key."""

    def __init__(self, client: Client, keyring: Keyring) -> None:
        super().__init__(client, "webhooks", Webhook)
        self._keyring = keyring

    async def put(self, name: str, thing: Webhook) -> bool:
        return await super().put(name, self._keyring.sealed(thing))

    async def create(self, name: str, thing: Webhook) -> bool:
        return await super().create(name, self._keyring.sealed(thing))

    async def update(self, name: str, change: Callable[[Webhook], Webhook]) -> Webhook | None:
        written = await super().update(name, lambda hook: self._keyring.sealed(change(hook)))
        return None if written is None else self._keyring.opened(written)

    def _read(self, body: bytes) -> Webhook:
        return self._keyring.opened(super()._read(body))


def _keep(memory: dict[K, V], key: K, value: V) -> None:
    """Put something into a memory; the oldest leaves when it is full."""
    memory[key] = value
    if len(memory) > KEPT_SIGNERS:
        del memory[next(iter(memory))]


def _purpose(hook_id: str, key_id: str) -> str:
    return f"webhook {hook_id}, {key_id}"
