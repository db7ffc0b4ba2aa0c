"""Build the feeds, their hub and the pages for people."""

from newswire_publisher.articles import newsml, ninjs
from newswire_publisher.articles.search import ArticleSearch
from newswire_publisher.builders.parts import Parts
from newswire_publisher.feeds.answers import FeedAnswers
from newswire_publisher.feeds.api import FeedApi
from newswire_publisher.feeds.directory_api import DirectoryApi
from newswire_publisher.feeds.documents import FeedDocuments
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.limits import RepeatLimit
from newswire_publisher.feeds.model import ALL, Feed, FormerFeed, with_all
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
from newswire_publisher.web.article import ArticlePage
from newswire_publisher.web.console import Console
from newswire_publisher.web.directory import FeedDirectory, FeedLinks, ListedFeed
from newswire_publisher.web.front import FrontPage
from newswire_publisher.web.pages import WebPages
from newswire_publisher.web.readers import Readers
from newswire_publisher.web.site import Site
from newswire_runtime.conf import Table
from newswire_runtime.hot import HotAnswers
from newswire_runtime.service import Loop
from newswire_schemas.streams import partition_of


def build_feeds(parts: Parts, hot: HotAnswers) -> tuple[FeedSinks, FeedApi, list[Loop], FeedTopics]:
    """Return the feeds' sink, routes and loops, and the feeds as the hub's topics."""
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


def build_hub(parts: Parts, topics: Topics) -> tuple[HubApi, list[HubWorker]]:
    """Return the WebSub hub's routes, and a worker for each partition."""
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


def build_pages(parts: Parts, search: ArticleSearch) -> WebPages:
    """Return the pages for people."""
    table = Table(parts.client, "feeds", Feed)
    site = Site(base_url=parts.settings.base_url.rstrip("/"), public=parts.settings.public)
    readers = Readers(parts.tokens, public=parts.settings.public)

    async def public_feeds() -> list[ListedFeed]:
        feeds = with_all(await table.all())
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
        Console(site),
    )
