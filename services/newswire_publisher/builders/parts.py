"""What several of the publisher's parts share."""

from dataclasses import dataclass

from newswire_publisher.articles.store import ArticleStore
from newswire_publisher.routing.entitlement import Views
from newswire_publisher.routing.topics import TopicTree
from newswire_runtime.auth import Tokens
from newswire_runtime.client import Client
from newswire_runtime.outbound import GuardedClient
from newswire_runtime.settings import Settings
from newswire_runtime.ssrf import AddressGuard


@dataclass(frozen=True)
class Parts:
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
