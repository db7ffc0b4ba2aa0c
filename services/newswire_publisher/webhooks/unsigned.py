"""Which webhooks cannot be signed: no master key opens their newest secret or a header, so that their pushes wait.

    table, keyring ─▶ their ids ─▶ /readyz, newswire_webhooks_unsigned, GET /v1/status
    webhook ─▶ why ─▶ GET /v1/webhooks/{id}

It is one process's answer: another publisher may have been started with other keys.
"""

import asyncio

from newswire_publisher.webhooks.keyring import Keyring
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.signing import BadSecret
from newswire_publisher.webhooks.vault import VaultError
from newswire_runtime import metrics
from newswire_runtime.conf import Table
from newswire_runtime.http import now

_REMEDY = (
    "no key of NEWSWIRE_SECRET_KEY opens their secrets; set the key that encrypted them, the same in every publisher, "
    "or rotate them (headers: set them anew); newswire status names them"
)

_AT_ONCE = 50


class Unsigned:
    """Finds the webhooks that cannot be signed. ``hooks`` is the workers' table: its keys are opened already."""

    def __init__(self, hooks: Table[Webhook], keyring: Keyring) -> None:
        self._hooks = hooks
        self._keyring = keyring
        self._signed: dict[str, tuple[Webhook, bool]] = {}

    async def ids(self) -> list[str]:
        """Return the ids of those that have an address and are not disabled."""
        signed: dict[str, tuple[Webhook, bool]] = {}
        asked = 0
        for name, hook in (await self._hooks.all()).items():
            before = self._signed.get(name)
            if before is None or before[0] is not hook:
                before = hook, self.why(hook) is None
                asked += 1
                if asked % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # opening ten thousand keys takes a second
            signed[name] = before
        self._signed = signed
        return [name for name, (hook, is_signed) in signed.items() if hook.enabled and not is_signed]

    def why(self, hook: Webhook) -> str | None:
        """Return why a webhook's pushes cannot be signed and what to do; None if they can, or if it has no address."""
        return why_unsigned(self._keyring, hook) if hook.pushes else None

    async def degraded(self) -> list[str]:
        """Say how many there are and what to do, and bring the gauge up to date."""
        found = await self.ids()
        metrics.WEBHOOKS_UNSIGNED.set(len(found))
        count = f"{len(found)} of {len(self._signed)} webhooks cannot be signed, and their pushes wait"
        return [f"{count}: {_REMEDY}"] if found else []


def why_unsigned(keyring: Keyring, hook: Webhook) -> str | None:
    """Return why no key of this server signs for a webhook, None if one does."""
    try:
        return None if keyring.signers(hook, now()) else "it has no secret; rotate it"
    except VaultError as exc:
        return exc.detail
    except BadSecret as exc:
        return f"{exc}; rotate it"
