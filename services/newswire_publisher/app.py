"""Builds the publisher.

    wire:{p}:enriched ─▶ Fanout ─┬─ feeds     sets of article keys, documents made on demand
                                 │    └─▶ hub  WebSub: documents pushed to callbacks when a feed changes
                                 ├─ webhooks  logs and push queues ─▶ workers ─▶ receivers
                                 │    └─▶ hook:{p}:notes ─▶ Health  who is told of failures, and what is disabled
                                 ├─ live      one log ─▶ open streams (Server-Sent Events)
                                 └─ social    post queues ─▶ outside posters
    schedule mover ─▶ wire:{p}:enriched   embargoes and expiries that fall due

The fan-out always feeds all kinds, whichever roles a process has: what must
not differ between two processes is who gets a story. ``only`` picks what else it does.
"""

import time
from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI

from newswire_publisher.api.articles import ArticleApi
from newswire_publisher.api.operating import OperatingApi
from newswire_publisher.articles.schedule import ScheduleMover
from newswire_publisher.articles.search import ArticleSearch
from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.builders.backup import build_backup
from newswire_publisher.builders.feeds import build_feeds, build_hub, build_pages
from newswire_publisher.builders.outputs import build_followers, build_live, build_social, build_tracing, build_webhooks
from newswire_publisher.builders.parts import Parts
from newswire_publisher.live.log import LiveLog
from newswire_publisher.live.sink import LiveSink
from newswire_publisher.routing.entitlement import Views
from newswire_publisher.routing.fanout import Fanout
from newswire_publisher.routing.topics import load_topic_tree
from newswire_runtime.auth import Tokens
from newswire_runtime.broker import make_broker, make_client
from newswire_runtime.dead import DeadLetters
from newswire_runtime.hop import Hop
from newswire_runtime.hot import HotAnswers
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.service import Loop, Service
from newswire_runtime.settings import Settings
from newswire_runtime.ssrf import AddressGuard
from newswire_schemas.events import PublisherEvent
from newswire_schemas.streams import PUBLISHER, WireKeys

ROLES = frozenset({"feeds", "webhooks", "social", "api"})
"""``feeds``: reads the stream, fans out. ``webhooks``: sends pushes, also the hub's. ``social``, ``api``: routes."""


class UnknownRoleError(ValueError):
    """``--only`` names a role that there is not."""


def build(settings: Settings, only: Iterable[str] | None = None) -> Service:
    """Return the publisher, not yet started; with ``only``, the roles that this process takes."""
    roles = frozenset(only) if only else ROLES
    if unknown := roles - ROLES:
        raise UnknownRoleError(f"--only: {sorted(unknown)[0]!r} is no role; there are {', '.join(sorted(ROLES))}")
    url = settings.broker_url.get_secret_value()
    broker, client = make_broker(url, settings.stop_timeout), make_client(url)
    guard = AddressGuard(settings.ssrf_allow)
    topics = load_topic_tree()
    parts = Parts(
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
    feeds, feed_api, feed_loops, feed_topics = build_feeds(parts, hot)
    hub_api, hub_workers = build_hub(parts, feed_topics)
    search = ArticleSearch(parts.store, parts.topics, time.monotonic)
    hooks = build_webhooks(parts, search)
    posts, post_api = build_social(parts)
    tracing = build_tracing(parts, hooks.receipts, posts)
    live_log = LiveLog(client)
    live_hub, live_api, live_loops = build_live(parts, live_log)
    fanout = Fanout(parts.store, [feeds, hooks.sinks, posts, LiveSink(live_log)], parts.topics)
    hops: list[Hop[Any]] = [
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
        hops += build_followers(broker, parts, hooks.health)
        loops += [*hooks.workers, *hub_workers]
    if "api" in roles:
        loops += live_loops
    pages = build_pages(parts, search)
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
        unsigned=hooks.unsigned,
        partitions=settings.partitions,
    )

    backup = build_backup(parts, feed_api)

    def install(app: FastAPI) -> None:
        if "feeds" in roles:
            feed_api.install(app)
            hub_api.install(app)
        if "social" in roles:
            post_api.install(app)
        if "api" in roles:
            hooks.api.install(app)
            tracing.install(app)
            article_api.install(app)
            operating.install(app)
            backup.install(app)
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
        # Only these sign.
        checks=[hooks.unsigned.degraded] if roles & {"webhooks", "api"} else [],
    )
