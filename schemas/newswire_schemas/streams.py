"""Every stream, group and key name; nothing else in the project spells one.

A key carries its partition as a hash tag (``wire:{3}:received``), so that all
keys that one atomic step touches lie in one slot, also on Redis Cluster. An
article's partition follows from its key, which is a hash of its uri; a feed's,
subscription's or account's from its name.

    wire:{p}:…   the pipeline: streams, articles, ledger, schedule
    feed:{p}:…   what each feed holds
    hub:{p}:…    who is told of each feed's changes, in the feed's slot
    hook:{p}:…   one log and one delivery queue per subscription
    post:{p}:…   one post queue per social account
    live:{live}:…   the one log of the live stream
    conf:{conf}:…   what operators and integrators configured
"""

import zlib

EVENT_FIELD = b"event"
"""The one field of a stream entry: the event as JSON."""

INGEST = "ingest"
ENRICHMENT = "enrichment"
PUBLISHER = "publisher"
WEBHOOKS = "webhooks"


def partition_of(name: str, partitions: int) -> int:
    """Return the partition of an article's key, or of a feed's, subscription's or account's name."""
    return zlib.crc32(name.encode()) % partitions


class WireKeys:
    """The keys of one partition of the pipeline."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self._prefix = f"wire:{{{partition}}}"
        self.submitted = f"{self._prefix}:submitted"
        self.received = f"{self._prefix}:received"
        self.enriched = f"{self._prefix}:enriched"
        self.dead = f"{self._prefix}:dead"
        self.schedule = f"{self._prefix}:schedule"
        self.due = f"{self._prefix}:due"
        self.index = f"{self._prefix}:index"

    def desk(self, key: str) -> str:
        """What ingest knows of an article: its newest version as accepted."""
        return f"{self._prefix}:desk:{key}"

    def answer(self, digest: str) -> str:
        """The remembered answer of one Idempotency-Key."""
        return f"{self._prefix}:answer:{digest}"

    def named(self, digest: str) -> str:
        """What the calls with one Idempotency-Key make, by its name."""
        return f"{self._prefix}:named:{digest}"

    def article(self, key: str) -> str:
        """What the publisher shows of an article, and the version that it has seen."""
        return f"{self._prefix}:article:{key}"

    def ledger(self, key: str) -> str:
        """Which sinks got, or are getting, which version of an article."""
        return f"{self._prefix}:ledger:{key}"

    def rewrites(self, key: str) -> str:
        """The keys of the articles that rewrite an article (set)."""
        return f"{self._prefix}:rewrites:{key}"

    def marks(self, stage: str) -> str:
        """The rank of the newest version that a stage handed on, by article."""
        return f"{self._prefix}:marks:{stage}"


class FeedKeys:
    """The keys of one feed, and those that all of its partition share.

    items       every live article of the feed (sorted set, ms when it was published)
    recent      the same articles (sorted set, ms of the newest version)
    changes     when each article last came, changed or left (sorted set, the feed's generation)
    gone        what left, the newest only (sorted set, generation)
    tombstones  what is told of it (hash of article key to JSON)
    ranks       the newest version that the feed knows of each article (hash)
    state       generation, modified, newest, arrivals, trimmed (hash)
    marks       where the pages of its archive end (sorted set, ms)
    """

    def __init__(self, name: str, partitions: int) -> None:
        partition = partition_of(name, partitions)
        prefix = f"feed:{{{partition}}}:{name}"
        self.items = f"{prefix}:items"
        self.recent = f"{prefix}:recent"
        self.changes = f"{prefix}:changes"
        self.gone = f"{prefix}:gone"
        self.tombstones = f"{prefix}:tombstones"
        self.ranks = f"{prefix}:ranks"
        self.state = f"{prefix}:state"
        self.marks = f"{prefix}:marks"
        self.bell = feed_bell(partition)
        hub = HubKeys(partition)
        self.subscribers = hub.subscribers(name)
        self.dirty = hub.dirty

    @property
    def own(self) -> list[str]:
        """The keys that go with the feed."""
        return [self.items, self.recent, self.changes, self.gone, self.tombstones, self.ranks, self.state, self.marks]


class HubKeys:
    """The keys of one partition's WebSub subscriptions, in the slot of the feeds that they are for.

    A subscription's id is ``FEED:DIGEST``; sorted sets hold ids, hashes have a field an id.

    dirty        feeds that have changed since their subscribers were last looked at (sorted set, ms)
    due          deliveries that wait (sorted set, ms); ``again``: those of subscribers whose last one failed
    leased       deliveries on their way (sorted set, ms when the lease ends)
    state        g:ID and d:ID generation and digest delivered, a:ID attempts, l:ID lease, o:ID last outcome (hash)
    ends         when each subscription's lease ends (sorted set, ms)
    pending      what is to be asked of, or told to, a callback (hash, JSON)
    checks, checking, check_state  the same three for these calls
    bell         a stream of one entry that wakes the workers
    """

    def __init__(self, partition: int) -> None:
        self._prefix = f"hub:{{{partition}}}"
        self.dirty = f"{self._prefix}:dirty"
        self.due = f"{self._prefix}:due"
        self.again = f"{self._prefix}:again"
        self.leased = f"{self._prefix}:leased"
        self.state = f"{self._prefix}:state"
        self.ends = f"{self._prefix}:ends"
        self.pending = f"{self._prefix}:pending"
        self.checks = f"{self._prefix}:checks"
        self.checking = f"{self._prefix}:checking"
        self.check_state = f"{self._prefix}:check-state"
        self.bell = f"{self._prefix}:bell"

    def requests(self, host: str) -> str:
        """How many requests named callbacks of a host within the minute."""
        return f"{self._prefix}:requests:{zlib.crc32(host.encode()):08x}"

    def subscribers(self, feed: str) -> str:
        """A feed's subscriptions (hash of id to JSON)."""
        return f"{self._prefix}:{feed}:subs"


class HookKeys:
    """The keys of one subscription, and those that all of its partition share; queue.lua makes the same names.

    log        entry N has the id N-0 (stream)
    state      sequence, cursor, pushes on their way, settings, pause, circuit (hash)
    seen       the newest version of each article, its entry, and which entries were taken when (hash)
    ahead      entries after the cursor that are dealt with out of turn (set)
    kills      kills that wait (sorted set, ms); ``express``: urgent stories (sorted set, lane and number)
    retry      pushes that wait to be tried again (sorted set, ms); ``replaying``: those of replays
    replays    ranges of the log to be sent once more (list)
    items      what is known of pushes that wait to be tried again (hash)
    failed     entries that were given up (sorted set, number)
    attempts   what came of each attempt (stream)
    gone       it was deleted: whose it was (JSON), as long as its log and ``seen`` are kept for the receipts
    """

    def __init__(self, hook_id: str, partitions: int) -> None:
        self.partition = partition_of(hook_id, partitions)
        prefix = f"hook:{{{self.partition}}}:{hook_id}"
        self.turns = hook_turns(self.partition)
        self.bell = hook_bell(self.partition)
        self.log = f"{prefix}:log"
        self.state = f"{prefix}:state"
        self.seen = f"{prefix}:seen"
        self.ahead = f"{prefix}:ahead"
        self.kills = f"{prefix}:kills"
        self.express = f"{prefix}:express"
        self.retry = f"{prefix}:retry"
        self.replaying = f"{prefix}:replaying"
        self.replays = f"{prefix}:replays"
        self.items = f"{prefix}:items"
        self.failed = f"{prefix}:failed"
        self.attempts = f"{prefix}:attempts"
        self.gone = f"{prefix}:gone"

    @property
    def own(self) -> list[str]:
        """The keys that go with the subscription."""
        return [
            *(self.log, self.state, self.seen, self.ahead, self.kills, self.express, self.retry, self.replaying),
            *(self.replays, self.items, self.failed, self.attempts),
        ]


class PostKeys:
    """The keys of one social account's queue."""

    def __init__(self, account: str, partitions: int) -> None:
        prefix = f"post:{{{partition_of(account, partitions)}}}:{account}"
        self.posts = f"{prefix}:posts"
        self.seen = f"{prefix}:seen"
        self.ready = f"{prefix}:ready"
        self.timed = f"{prefix}:timed"
        self.index = f"{prefix}:index"
        self.counts = f"{prefix}:counts"

    @property
    def all(self) -> list[str]:
        """The keys in the order that the queue's scripts take them."""
        return [self.posts, self.seen, self.ready, self.timed, self.index, self.counts]


class LiveKeys:
    """The keys of the live stream; all in one slot, as there is one log of the whole wire.

    log     entry N has the id N-0; the oldest are trimmed
    state   sequence: the newest entry's number (hash)
    seen    the newest version that the log knows of each article (hash of article key to rank)
    """

    log = "live:{live}:log"
    state = "live:{live}:state"
    seen = "live:{live}:seen"


def feed_bell(partition: int) -> str:
    """A capped stream that says which feed of a partition has changed: ``feed``, ``generation``."""
    return f"feed:{{{partition}}}:bell"


def hook_turns(partition: int) -> str:
    """When each subscription of a partition next wants a worker's attention (sorted set, ms)."""
    return f"hook:{{{partition}}}:turns"


def hook_notices(partition: int) -> str:
    """What was told of the health of a partition's subscriptions (stream)."""
    return f"hook:{{{partition}}}:notices"


def hook_notes(partition: int) -> str:
    """What is to be followed up of what came of a partition's pushes (stream): who is told, what is disabled."""
    return f"hook:{{{partition}}}:notes"


def hook_calls(owner: str, partitions: int) -> str:
    """How many tests and challenges an owner asked for within the minute."""
    return f"hook:{{{partition_of(owner, partitions)}}}:calls:{owner}"


def hook_bell(partition: int) -> str:
    """A stream of one entry that wakes the webhook workers of a partition."""
    return f"hook:{{{partition}}}:bell"


class ConfKeys:
    """The keys of the configuration; all in one slot."""

    generation = "conf:{conf}:generation"
    tokens = "conf:{conf}:tokens"
    refills = "conf:{conf}:refills"
    """Feeds that are to be filled anew (hash of name to the request)."""

    @staticmethod
    def refill_lock(feed: str) -> str:
        """Held by the process that fills a feed."""
        return f"conf:{{conf}}:refill:{feed}"

    @staticmethod
    def table(kind: str) -> str:
        """A hash of one kind of thing, name to JSON: feeds, webhooks, accounts, sources."""
        return f"conf:{{conf}}:{kind}"
