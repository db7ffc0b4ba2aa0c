"""Builds the publisher.

    wire:{p}:enriched ─▶ Fanout ─┬─ feeds     sets of article keys, documents made on demand
                                 │    └─▶ hub  WebSub: documents pushed to callbacks when a feed changes
                                 ├─ webhooks  logs and push queues ─▶ workers ─▶ receivers
                                 ├─ live      one log ─▶ open streams (Server-Sent Events)
                                 └─ social    post queues ─▶ outside posters
    schedule mover ─▶ wire:{p}:enriched   embargoes and expiries that fall due

The fan-out always feeds all kinds, whichever roles a process has: what must
not differ between two processes is who gets a story. ``only`` picks what else it does.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import FastAPI

from newswire_publisher.api.articles import ArticleApi
from newswire_publisher.api.operating import OperatingApi
from newswire_publisher.articles import newsml, ninjs
from newswire_publisher.articles.schedule import ScheduleMover
from newswire_publisher.articles.search import ArticleSearch
from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.feeds.answers import FeedAnswers
from newswire_publisher.feeds.api import FeedApi
from newswire_publisher.feeds.directory_api import DirectoryApi
from newswire_publisher.feeds.documents import FeedDocuments
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.limits import RepeatLimit
from newswire_publisher.feeds.model import ALL, DEFAULT_ALL, Feed, FormerFeed
from newswire_publisher.feeds.refill import FeedRefills
from newswire_publisher.feeds.serving import FeedServing
from newswire_publisher.feeds.shrinker import Shrinker
from newswire_publisher.feeds.sink import FeedSinks
from newswire_publisher.feeds.topics import FeedTopics
from newswire_publisher.feeds.watch import watches_of
from newswire_publisher.hub.api import HubApi
from newswire_publisher.hub.checks import Checks
from newswire_publisher.hub.deliveries import Deliveries
from newswire_publisher.hub.queues import HubQueues
from newswire_publisher.hub.store import HubStore
from newswire_publisher.hub.topics import Topics
from newswire_publisher.hub.worker import ROOMS, HubWorker
from newswire_publisher.live.access import LiveAccess
from newswire_publisher.live.api import LiveApi
from newswire_publisher.live.events import LiveEvents
from newswire_publisher.live.hub import LiveHub
from newswire_publisher.live.log import LiveLog
from newswire_publisher.live.reader import LiveKeeper, LiveReader
from newswire_publisher.live.sink import LiveSink
from newswire_publisher.routing.entitlement import Views
from newswire_publisher.routing.fanout import Fanout
from newswire_publisher.routing.topics import TopicTree, load_topic_tree
from newswire_publisher.social.accounts import Account
from newswire_publisher.social.api import SocialApi
from newswire_publisher.social.sink import SocialSinks
from newswire_publisher.web.article import ArticlePage
from newswire_publisher.web.directory import FeedDirectory, FeedLinks, ListedFeed
from newswire_publisher.web.front import FrontPage
from newswire_publisher.web.pages import WebPages
from newswire_publisher.web.readers import Readers
from newswire_publisher.web.site import Site
from newswire_publisher.webhooks.api import HookApi
from newswire_publisher.webhooks.delivery import Courier
from newswire_publisher.webhooks.log import HookLog
from newswire_publisher.webhooks.model import Webhook
from newswire_publisher.webhooks.sink import HookSinks
from newswire_publisher.webhooks.worker import HookWorker
from newswire_runtime.auth import Tokens
from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.client import Client
from newswire_runtime.conf import Table
from newswire_runtime.dead import DeadLetters
from newswire_runtime.hop import Hop
from newswire_runtime.hot import HotAnswers
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.service import Loop, Service
from newswire_runtime.settings import Settings
from newswire_runtime.ssrf import AddressGuard
from newswire_schemas.article import Article
from newswire_schemas.events import PublisherEvent
from newswire_schemas.streams import PUBLISHER, WireKeys, partition_of

ROLES = frozenset({"feeds", "webhooks", "social", "api"})
"""``feeds``: reads the stream, fans out. ``webhooks``: sends pushes, also the hub's. ``social``, ``api``: routes."""


class UnknownRoleError(ValueError):
    """``--only`` names a role that there is not."""


@dataclass(frozen=True)
class _Parts:
    """What several of the publisher's parts share."""

    settings: Settings
    client: Client
    tokens: Tokens
    store: ArticleStore
    topics: TopicTree
    views: Views
    base_url: str
    guard: AddressGuard
    http: GuardedClient


def build(settings: Settings, only: Iterable[str] | None = None) -> Service:
    """Return the publisher, not yet started; with ``only``, the roles that this process takes."""
    roles = frozenset(only) if only else ROLES
    if unknown := roles - ROLES:
        raise UnknownRoleError(f"--only: {sorted(unknown)[0]!r} is no role; there are {', '.join(sorted(ROLES))}")
    url = settings.broker_url.get_secret_value()
    broker, client = make_broker(url, settings.stop_timeout), make_client(url)
    guard = AddressGuard(settings.ssrf_allow)
    topics = load_topic_tree()
    parts = _Parts(
        settings=settings,
        client=client,
        tokens=Tokens(client, settings.first_operator_token()),
        store=ArticleStore(client, settings.partitions),
        topics=topics,
        views=Views(topics),
        base_url=(settings.base_url or f"http://{settings.host}:{settings.port}").rstrip("/"),
        guard=guard,
        # Who calls bounds its calls; a bound by host would let an address that hangs hold up its neighbours there.
        http=GuardedClient(guard, per_host=0),
    )
    hot = HotAnswers()
    feeds, feed_api, feed_loops, feed_topics = _feeds(parts, hot)
    hub_api, hub_workers = _hub(parts, feed_topics)
    hooks, hook_api, workers = _webhooks(parts)
    posts, post_api = _social(parts)
    live_log = LiveLog(client)
    live_hub, live_api, live_loops = _live(parts, live_log)
    fanout = Fanout(parts.store, [feeds, hooks, posts, LiveSink(live_log)], parts.topics)
    hops = [
        Hop(
            broker,
            client,
            keys,
            stream=keys.enriched,
            group=PUBLISHER,
            event=PublisherEvent,
            stage=fanout.stage,
            settings=settings,
        )
        for keys in map(WireKeys, range(settings.partitions))
        if "feeds" in roles
    ]
    loops: list[Loop] = [ScheduleMover(client, settings.partitions)]
    if "feeds" in roles:
        loops += feed_loops
    if "webhooks" in roles:
        loops += [*workers, *hub_workers]
    if "api" in roles:
        loops += live_loops
    search = ArticleSearch(parts.store, parts.topics, time.monotonic)
    pages = _pages(parts, search)
    article_api = ArticleApi(
        store=parts.store,
        search=search,
        tokens=parts.tokens,
        views=parts.views,
        public=settings.public,
        base_url=settings.base_url.rstrip("/"),
        page=pages.article,
    )
    operating = OperatingApi(
        client=client,
        tokens=parts.tokens,
        dead=DeadLetters(client, settings.partitions),
        partitions=settings.partitions,
    )

    def install(app: FastAPI) -> None:
        if "feeds" in roles:
            feed_api.install(app)
            hub_api.install(app)
        if "social" in roles:
            post_api.install(app)
        if "api" in roles:
            hook_api.install(app)
            article_api.install(app)
            operating.install(app)
            live_api.install(app)
            pages.install(app)

    return Service(
        "publisher",
        settings,
        broker,
        client,
        hops,
        install,
        loops,
        openers=[parts.http.__aenter__],
        closers=[parts.http.close],
        hot=hot if "feeds" in roles else None,
        enders=[live_hub.end],
    )


def _feeds(parts: _Parts, hot: HotAnswers) -> tuple[FeedSinks, FeedApi, list[Loop], FeedTopics]:
    client, partitions = parts.client, parts.settings.partitions
    table, former = Table(client, "feeds", Feed), Table(client, "former_feeds", FormerFeed)
    sinks = FeedSinks(client, table, partitions, changed=hot.drop)
    refills = FeedRefills(
        client=client, store=parts.store, sinks=sinks, feeds=table, topics=parts.topics, partitions=partitions
    )
    documents = FeedDocuments(client, parts.store, partitions)
    topics = FeedTopics(
        feeds=table,
        documents=documents,
        tokens=parts.tokens,
        views=parts.views,
        public=parts.settings.public,
    )
    watches, shrinker = watches_of(client, partitions, hot, documents.refresh), Shrinker(hot.drop)
    answers = FeedAnswers(
        hot=hot,
        lease_of=lambda feed: watches[partition_of(feed, partitions)].lease,
        shrinker=shrinker,
        limit=RepeatLimit(parts.settings.poll_limit),
    )
    serving = FeedServing(
        feeds=table,
        former=former,
        documents=documents,
        answers=answers,
        tokens=parts.tokens,
        views=parts.views,
        public=parts.settings.public,
        base_url=parts.settings.base_url.rstrip("/"),
    )
    directory = DirectoryApi(
        feeds=table, store=parts.store, public=parts.settings.public, base_url=parts.settings.base_url.rstrip("/")
    )
    api = FeedApi(
        feeds=table,
        former=former,
        sinks=sinks,
        refills=refills,
        serving=serving,
        directory=directory,
        tokens=parts.tokens,
    )
    return sinks, api, [refills, shrinker, *dict.fromkeys(watches)], topics


def _pages(parts: _Parts, search: ArticleSearch) -> WebPages:
    table = Table(parts.client, "feeds", Feed)
    site = Site(base_url=parts.settings.base_url.rstrip("/"), public=parts.settings.public)
    readers = Readers(parts.tokens, public=parts.settings.public)

    async def public_feeds() -> list[ListedFeed]:
        feeds = {ALL: DEFAULT_ALL} | dict(await table.all())
        return [
            ListedFeed(name, feed.title, feed.description, feed.language, feed.filter)
            for name, feed in sorted(feeds.items(), key=lambda each: (each[0] != ALL, each[1].title.casefold()))
            if feed.access == "public"
        ]

    links = FeedLinks({name: form.media_type for name, form in FORMATS.items()}, hub="/hub", opml="/feeds.opml")
    return WebPages(
        site,
        FrontPage(site, readers, search),
        ArticlePage(
            site,
            readers,
            parts.store,
            {"JSON": "application/json", "ninjs": ninjs.MEDIA_TYPE, "NewsML-G2": newsml.MEDIA_TYPE},
        ),
        FeedDirectory(site, readers, search, public_feeds, links),
    )


def _hub(parts: _Parts, topics: Topics) -> tuple[HubApi, list[HubWorker]]:
    client, partitions = parts.client, parts.settings.partitions
    store = HubStore(client, partitions)
    api = HubApi(
        store=store,
        topics=topics,
        tokens=parts.tokens,
        guard=parts.guard,
        base_url=parts.settings.base_url.rstrip("/"),
    )
    deliveries = Deliveries(store, topics, parts.http)
    workers = [
        HubWorker(
            HubQueues(client, partition, partitions, ROOMS),
            store,
            deliveries,
            Checks(store, topics, parts.http, partition),
        )
        for partition in range(partitions)
    ]
    return api, workers


def _webhooks(parts: _Parts) -> tuple[HookSinks, HookApi, list[HookWorker]]:
    partitions, client = parts.settings.partitions, parts.client
    table = Table(client, "webhooks", Webhook)
    sinks = HookSinks(client, table, partitions)
    log = HookLog(client, parts.store, parts.base_url, partitions)
    courier = Courier(client=client, hooks=table, log_of=log, http=parts.http, partitions=partitions)
    api = HookApi(
        client=client,
        hooks=table,
        sinks=sinks,
        log=log,
        courier=courier,
        tokens=parts.tokens,
        guard=parts.guard,
        partitions=partitions,
    )
    workers = [
        HookWorker(client=client, hooks=table, courier=courier, partition=partition, partitions=partitions)
        for partition in range(partitions)
    ]
    return sinks, api, workers


def _live(parts: _Parts, log: LiveLog) -> tuple[LiveHub, LiveApi, list[Loop]]:
    events = LiveEvents(parts.store, parts.topics, parts.base_url)
    hub = LiveHub(log, events, parts.topics)
    access = LiveAccess(parts.tokens, public=parts.settings.public)
    return hub, LiveApi(hub, log, access), [LiveReader(log, events, hub), LiveKeeper(hub)]


def _social(parts: _Parts) -> tuple[SocialSinks, SocialApi]:
    sinks = SocialSinks(
        parts.client, Table(parts.client, "accounts", Account), parts.base_url, parts.settings.partitions
    )

    async def load(key: str) -> Article | None:
        row = await parts.store.row(key)
        return row.article if row is not None and row.is_public else None

    return sinks, SocialApi(sinks=sinks, tokens=parts.tokens, load_article=load)
