"""The values of endpoints' own headers at rest: sealed like signing secrets, as many of them are credentials.

    written   headers ─▶ sealed_headers, nothing in plain        with the first master key
    read      sealed_headers ─▶ headers                          once for each version of a row

So in memory ``headers`` has the values, and a push costs nothing more. A value that no master key opens reads as
`UNREADABLE`: nothing is signed then (`check`), it stays as it is when the row is written, and goes when its owner sets
or removes it. Rows of an earlier release have ``headers`` in plain, and are sealed at their next write.
"""

from typing import TypeVar

from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sendings import Sending
from newswire_publisher.webhooks.vault import Vault, VaultError

UNREADABLE = "(unreadable)"

T = TypeVar("T", Webhook, Sending)


class HeaderSeals:
    """Seals and opens the headers of endpoints, those of earlier settings too."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def opened(self, hook: Webhook) -> Webhook:
        """Return an endpoint, as it was read, with the values of its headers."""
        earlier = tuple(self._opened(hook.id, each) for each in hook.earlier)
        found = self._opened(hook.id, hook)
        return found if earlier == hook.earlier else found.model_copy(update={"earlier": earlier})

    def sealed(self, hook: Webhook) -> Webhook:
        """Return an endpoint as it is written; without a master key values stay in plain."""
        earlier = tuple(self._sealed(hook.id, each) for each in hook.earlier)
        found = self._sealed(hook.id, hook)
        return found if earlier == hook.earlier else found.model_copy(update={"earlier": earlier})

    def stale(self, hook: Webhook) -> list[str]:
        """Return the names of the headers that are plain, or sealed by another master key than the first."""
        every: tuple[Webhook | Sending, ...] = (hook, *hook.earlier)
        return sorted({name for each in every for name in each.headers if not self._is_current(each, name)})

    def check(self, hook: Webhook) -> None:
        """Raise a `VaultError` if a header of an endpoint's pushes cannot be opened."""
        for name, sealed in hook.sealed_headers.items():
            if hook.headers.get(name) == UNREADABLE:
                self._vault.open(sealed, _purpose(hook.id, name))

    def _opened(self, hook_id: str, of: T) -> T:
        if not of.sealed_headers:
            return of
        values = {name: self._open(hook_id, name, sealed) for name, sealed in of.sealed_headers.items()}
        found = of.headers | {name: UNREADABLE if value is None else value for name, value in values.items()}
        return of.model_copy(update={"headers": found})

    def _sealed(self, hook_id: str, of: T) -> T:
        if not of.headers and not of.sealed_headers:
            return of
        plain, sealed = {}, {}
        for name, value in of.headers.items():
            before = of.sealed_headers.get(name)
            known = None if before is None else self._open(hook_id, name, before)
            if before is not None and known is None and value == UNREADABLE:
                sealed[name] = before
            elif not self._vault.is_open:
                plain[name] = value
            elif before is not None and known == value and self._vault.is_current(before):
                sealed[name] = before
            else:
                sealed[name] = self._vault.seal(value, _purpose(hook_id, name))
        return of.model_copy(update={"headers": plain, "sealed_headers": sealed})

    def _open(self, hook_id: str, name: str, sealed: str) -> str | None:
        try:
            return self._vault.open(sealed, _purpose(hook_id, name))
        except VaultError:
            return None

    def _is_current(self, of: Webhook | Sending, name: str) -> bool:
        return self._vault.is_current(of.sealed_headers.get(name, ""))


def _purpose(hook_id: str, name: str) -> str:
    return f"webhook {hook_id}, header {name}"
