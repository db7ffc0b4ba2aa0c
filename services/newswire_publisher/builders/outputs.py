"""Build the webhooks, the social queues and the live stream."""

from typing import Any, NamedTuple

from faststream.redis import RedisBroker

from newswire_publisher.api.tracing import TraceApi
from newswire_publisher.articles.search import ArticleSearch
from newswire_publisher.builders.hook_routes import hook_routes
from newswire_publisher.builders.parts import Parts
from newswire_publisher.live.access import LiveAccess
from newswire_publisher.live.api import LiveApi
from newswire_publisher.live.events import LiveEvents
from newswire_publisher.live.hub import LiveHub
from newswire_publisher.live.log import LiveLog
from newswire_publisher.live.reader import LiveKeeper, LiveReader
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.api import SocialApi
from newswire_publisher.social.posts import shown
from newswire_publisher.social.sink import SocialSinks
from newswire_publisher.webhooks.api import HookApi
from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.health import TELLING_SECONDS, Health
from newswire_publisher.webhooks.keyring import HookTable, Keyring
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.notes import Note
from newswire_publisher.webhooks.notices import Notices
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.receipts import Receipts
from newswire_publisher.webhooks.settling import Settler
from newswire_publisher.webhooks.sink import HookSinks
from newswire_publisher.webhooks.unsigned import Unsigned
from newswire_publisher.webhooks.vault import Vault
from newswire_publisher.webhooks.worker import HookWorker
from newswire_runtime.conf import Table
from newswire_runtime.hop import Hop
from newswire_runtime.service import Loop
from newswire_schemas.article import Article
from newswire_schemas.streams import WEBHOOKS, WireKeys, hook_notes


class Hooks(NamedTuple):
    """The webhooks' parts; a worker for each partition, and what follows up what it notes."""

    sinks: HookSinks
    api: HookApi
    workers: list[HookWorker]
    health: Health
    receipts: Receipts
    unsigned: Unsigned


def build_webhooks(parts: Parts, search: ArticleSearch) -> Hooks:
    """Return the webhooks' parts."""
    partitions, client, settings = parts.settings.partitions, parts.client, parts.settings
    keyring = Keyring(Vault(settings.secret_keys()))
    table = HookTable(client, keyring)
    queues = HookQueues(client, partitions)
    log = HookLog(client, parts.store, parts.base_url, partitions)
    notices = Notices(client, table, queues, partitions)
    keep_ms, patience_ms = (
        int(seconds * 1_000) for seconds in (settings.webhook_attempts_kept, settings.webhook_patience)
    )
    workers, couriers = [], []
    for partition in range(partitions):
        settler = Settler(queues, partition, keep_ms, patience_ms)
        courier = Courier(log_of=log, http=parts.http, keyring=keyring, settler=settler)
        couriers.append(courier)
        workers.append(HookWorker(hooks=table, queues=queues, courier=courier, settler=settler, partition=partition))
    attempts = Attempts(client, log, partitions)
    unsigned = Unsigned(table, keyring)
    api = hook_routes(
        parts,
        search,
        hooks=table,
        queues=queues,
        attempts=attempts,
        log=log,
        notices=notices,
        courier=couriers[0],
        keyring=keyring,
        unsigned=unsigned,
    )
    receipts = Receipts(client, table, log, attempts, partitions)
    health = Health(table, queues, notices, partitions)
    return Hooks(HookSinks(table, queues), api, workers, health, receipts, unsigned)


def build_followers(broker: RedisBroker, parts: Parts, health: Health) -> list[Hop[Note]]:
    """Return what follows up the notes of each partition."""
    settings = parts.settings
    settings = settings.model_copy(update={"claim_idle": max(settings.claim_idle, TELLING_SECONDS)})
    return [
        Hop(
            broker,
            parts.client,
            keys,
            stream=hook_notes(keys.partition),
            group=WEBHOOKS,
            event=Note,
            stage=health.stage,
            settings=settings,
        )
        for keys in map(WireKeys, range(settings.partitions))
    ]


def build_tracing(parts: Parts, receipts: Receipts, posts: SocialSinks) -> TraceApi:
    """Return the routes that tell where an article went."""

    async def posts_of(account: str, key: str) -> list[dict[str, Any]]:
        return [shown(post) for post in await posts.queue.of_article(account, key)]

    return TraceApi(store=parts.store, tokens=parts.tokens, receipts=receipts, posts_of=posts_of)


def build_social(parts: Parts) -> tuple[SocialSinks, SocialApi]:
    """Return the social queues' sink and routes."""
    sinks = SocialSinks(
        parts.client, Table(parts.client, "accounts", Account), parts.base_url, parts.settings.partitions
    )

    async def load(key: str) -> Article | None:
        row = await parts.store.row(key)
        return row.article if row is not None and row.is_public else None

    return sinks, SocialApi(sinks=sinks, tokens=parts.tokens, load_article=load)


def build_live(parts: Parts, log: LiveLog) -> tuple[LiveHub, LiveApi, list[Loop]]:
    """Return the live stream's listeners, routes and loops."""
    events = LiveEvents(parts.store, parts.topics, parts.base_url)
    hub = LiveHub(log, events, parts.topics)
    access = LiveAccess(parts.tokens, public=parts.settings.public)
    return hub, LiveApi(hub, log, access), [LiveReader(log, events, hub), LiveKeeper(hub)]
