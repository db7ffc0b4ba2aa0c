"""What an attempt sent, as its owner sees it: method, address, headers and body.

    attempt + webhook ─▶ its settings then ─▶ body (of the log) ─▶ headers, signed again ─▶ request

Nothing of a request is kept. It is made again from what cannot change: the entry gives id and body, the attempt its
second, and the settings, if they are others by now, are those of its revision (`sendings`). The signature is that of
the keys that were live then.

What may be missing, and is left out: the body, when its version is kept no more or was withdrawn; the signature, when a
rotation has thrown the key away or no master key opens it; the address, when it has changed too often since. Values
of headers that look like credentials are hidden.
"""

from contextlib import suppress
from typing import Any

from newswire_publisher.webhooks.headers import headers as headers_of
from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.log import Entry, HookLog, NoBody
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sendings import Sending, masked, sending_of
from newswire_publisher.webhooks.signing import sign
from newswire_publisher.webhooks.vault import VaultError
from newswire_runtime.outbound import GuardedClient
from newswire_schemas.article import from_ms, to_ms


class SentRequests:
    """Makes requests again."""

    def __init__(self, http: GuardedClient, keyring: Keyring, log: HookLog) -> None:
        self._http = http
        self._keyring = keyring
        self._log = log

    async def of_attempt(
        self, hook: Webhook, entry: Entry | None, message_id: str, at_ms: int, revision: int | None
    ) -> dict[str, Any]:
        """Return the request of an attempt.

        Args:
            hook: As it is now.
            entry: What was pushed; None if it is kept no more.
            message_id: The ``webhook-id``.
            at_ms: When the attempt was made, in milliseconds since the epoch.
            revision: That of the settings it was made by, if it is known.
        """
        moment = from_ms(at_ms)
        sending = sending_of(hook.earlier, hook.sending(moment), revision, moment)
        body = None
        if sending is not None and entry is not None:
            (found,) = await self._log.bodies(sending.format, [entry])
            body = None if isinstance(found, NoBody) else found
        return self.of(hook, sending, message_id, at_ms, body)

    def of(
        self, hook: Webhook, sending: Sending | None, message_id: str, at_ms: int, body: bytes | None
    ) -> dict[str, Any]:
        """Return the request that carried a body by these settings: ``method``, ``url``, ``headers`` and ``body``."""
        signature = self._signature(hook, message_id, at_ms, body)
        own = masked(sending.headers) if sending is not None else {}
        headers = headers_of(message_id, at_ms // 1_000, signature or "", own)
        url = sending.url if sending is not None else None
        if url is not None:
            with suppress(ValueError):  # an address that cannot be called: the attempt says so
                headers = self._http.head(url, body or b"", headers)
        unknown = (() if signature else ("webhook-signature",)) + (() if body else ("content-length",))
        return {
            "method": "POST",
            "url": url,
            "headers": {name: value for name, value in headers.items() if name not in unknown},
            "body": None if body is None else body.decode(),
        }

    def _signature(self, hook: Webhook, message_id: str, at_ms: int, body: bytes | None) -> str | None:
        keys = tuple(key for key in hook.keys if to_ms(key.created) <= at_ms)
        try:
            signers = self._keyring.signers(hook.model_copy(update={"keys": keys}), from_ms(at_ms))
        except VaultError:
            return None
        return sign(signers, message_id, at_ms // 1_000, body) if signers and body is not None else None
