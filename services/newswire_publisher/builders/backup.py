"""Build the backup: which tables are in it, and what follows when a thing is restored."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from newswire_publisher.api.backup import WEBHOOKS, BackupApi, Kind
from newswire_publisher.builders.parts import Parts
from newswire_publisher.feeds.api import FeedApi
from newswire_publisher.feeds.model import Feed, FormerFeed
from newswire_publisher.social.accounts import Account
from newswire_publisher.webhooks.keyring import HookTable, Keyring
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.restoring import HookRestorer
from newswire_publisher.webhooks.vault import Vault
from newswire_runtime.auth import EndedToken, Token
from newswire_runtime.conf import Table


class SourceRow(BaseModel):
    """A source, which is ingest's, as far as a backup must know it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["push"] = "push"
    defaults: dict[str, str | None] = {}


def build_backup(parts: Parts, feeds: FeedApi) -> BackupApi:
    """Return the routes of backup and restore."""
    client, partitions = parts.client, parts.settings.partitions
    keyring = Keyring(Vault(parts.settings.secret_keys()))
    hooks = HookTable(client, keyring)
    restorer = HookRestorer(
        client,
        hooks=hooks,
        queues=HookQueues(client, partitions),
        keyring=keyring,
        partitions=partitions,
    )
    kinds: dict[str, Kind] = {
        "sources": Kind(SourceRow, Table(client, "sources", SourceRow)),
        "former_feeds": Kind(FormerFeed, Table(client, "former_feeds", FormerFeed)),
        "feeds": Kind(Feed, Table(client, "feeds", Feed), feeds.restored),
        "accounts": Kind(Account, Table(client, "accounts", Account)),
        WEBHOOKS: Kind(Webhook, hooks, restorer.restored),
        "tokens": Kind(Token, Table(client, "tokens", Token)),
        "ended_tokens": Kind(EndedToken, Table(client, "ended_tokens", EndedToken)),
    }
    return BackupApi(kinds=kinds, hooks=restorer, tokens=parts.tokens)
