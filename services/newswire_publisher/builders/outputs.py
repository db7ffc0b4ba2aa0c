"""Build the webhooks, the social queues and the live stream."""

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
from newswire_publisher.social.sink import SocialSinks
from newswire_publisher.webhooks.api import HookApi
from newswire_publisher.webhooks.attempts import Attempts
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.queue import HookQueues
from newswire_publisher.webhooks.sink import HookSinks
from newswire_publisher.webhooks.worker import HookWorker
from newswire_runtime.conf import Table
from newswire_runtime.service import Loop
from newswire_schemas.article import Article


def build_webhooks(parts: Parts, search: ArticleSearch) -> tuple[HookSinks, HookApi, list[HookWorker]]:
    """Return the webhooks' sink and routes, and a worker for each partition."""
    partitions, client = parts.settings.partitions, parts.client
    table = Table(client, "webhooks", Webhook)
    sinks = HookSinks(client, table, partitions)
    log = HookLog(client, parts.store, parts.base_url, partitions)
    courier = Courier(client=client, hooks=table, log_of=log, http=parts.http, partitions=partitions)
    queues, attempts = HookQueues(client, sinks, partitions), Attempts(client, partitions)
    api = hook_routes(parts, search, hooks=table, queues=queues, attempts=attempts, log=log, courier=courier)
    workers = [
        HookWorker(client=client, hooks=table, courier=courier, partition=partition, partitions=partitions)
        for partition in range(partitions)
    ]
    return sinks, api, workers


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
