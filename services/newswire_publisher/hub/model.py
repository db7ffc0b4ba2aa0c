"""What the hub keeps: subscriptions, and the calls that a callback is to get."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal, NewType

from pydantic import BaseModel, ConfigDict, Field

from newswire_publisher.hub.topics import Topic
from newswire_schemas.article import Utc

Id = NewType("Id", str)
"""``FEED:DIGEST`` of a subscription; the digest is that of topic, reader and callback."""

DEFAULT_LEASE = 10 * 86_400
SHORTEST_LEASE = 300
LONGEST_LEASE = 30 * 86_400
MAX_SECRET = 199
"""Bytes: a secret must have less than 200 (section 5.1)."""


class Subscription(BaseModel):
    """A confirmed subscription as it is kept, and one that waits for it.

    ``reader`` is the digest of the token that reads a private feed, "" for a public one; ``lease`` is in seconds.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    feed: str
    extension: str
    base_url: str
    reader: Annotated[str, Field(repr=False)] = ""
    callback: str
    secret: Annotated[str | None, Field(repr=False)] = None
    lease: int = DEFAULT_LEASE
    requested: Utc

    @property
    def topic(self) -> Topic:
        return Topic(self.base_url, self.feed, self.extension)


class Call(BaseModel):
    """A GET that a callback is to get: to confirm what was asked for, or to hear that it was denied.

    ``topic`` is what the subscriber knows it by: as it was requested, with its token if there was one. It is
    kept only until the call is done.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    mode: Literal["subscribe", "unsubscribe", "denied"]
    topic: Annotated[str, Field(repr=False)]
    reason: str | None = None
    subscription: Subscription


def subscription_id(topic: Topic, reader: str, callback: str) -> Id:
    """Return the id of the one subscription that there can be of a topic, a reader and a callback."""
    parts = "\0".join((topic.url, reader, callback))
    return Id(f"{topic.name}:{hashlib.sha256(parts.encode()).hexdigest()[:32]}")


def feed_of(subscription: str) -> str:
    """Return the feed of a subscription's id."""
    return subscription.partition(":")[0]


def granted(wanted: int | None) -> int:
    """Return the lease in seconds that a request for ``wanted`` gets: never for ever, never for moments."""
    return DEFAULT_LEASE if wanted is None else min(max(wanted, SHORTEST_LEASE), LONGEST_LEASE)


def denial(subscription: Subscription, reason: str, topic: str | None = None) -> Call:
    """Return the call that tells a subscriber that it is not, or not any more, subscribed (section 5.2)."""
    return Call(mode="denied", topic=topic or subscription.topic.url, reason=reason, subscription=subscription)


def subscribed(
    topic: Topic, reader: str, callback: str, *, secret: str | None, lease: int, now: datetime
) -> Subscription:
    """Return the subscription that a request asks for."""
    return Subscription(
        id=subscription_id(topic, reader, callback),
        feed=topic.name,
        extension=topic.extension,
        base_url=topic.base_url,
        reader=reader,
        callback=callback,
        secret=secret,
        lease=lease,
        requested=now,
    )
