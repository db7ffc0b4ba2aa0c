"""From entries to events: each is rendered once, and knows what filters are to be asked about.

    entries ─▶ marks of their articles ─▶ versions, own and earlier ─▶ facts ─▶ Event

Whoever was shown any earlier version hears of the next one and of its withdrawal: a correction
that a filter no longer takes, and a kill, go by the earlier versions. The store keeps those, so
that no memory of streams is needed, and one that resumes elsewhere hears the same.

A version that was withdrawn since has no text any more: only what it was (``uri``, ``version``, ``link``).
"""

from collections import OrderedDict
from collections.abc import Sequence

import structlog

from newswire_publisher.articles import message
from newswire_publisher.articles.message import EVENT_TYPES, Format
from newswire_publisher.articles.store import ArticleStore, Mark
from newswire_publisher.live.frames import event_frame
from newswire_publisher.live.log import Entry
from newswire_publisher.routing.facts import Facts, facts_of
from newswire_publisher.routing.sinks import RETRACTIONS
from newswire_publisher.routing.topics import TopicTree
from newswire_schemas.article import Article, Rank

log = structlog.get_logger()
KEPT_FACTS = 256


class Event:
    """One entry as streams get it. ``asks`` is what filters are asked about: any match is one."""

    __slots__ = ("_article", "_frames", "_link", "_withdrawn", "asks", "entry")

    def __init__(self, entry: Entry, article: Article, asks: Sequence[Facts], link: str, *, withdrawn: bool) -> None:
        self.entry = entry
        self.asks = asks
        self._article = article
        self._link = link
        self._withdrawn = withdrawn
        self._frames: dict[Format, bytes] = {}

    def frame(self, form: Format) -> bytes:
        """Return the event's bytes in one format."""
        found = self._frames.get(form)
        if found is None:
            data = message.render(self._article, Format.THIN if self._withdrawn else form, self._link)
            event_type = EVENT_TYPES[self.entry.act]
            body = message.build(event_type, self.entry.moment, self.entry.sequence, data)
            found = self._frames[form] = event_frame(self.entry.sequence, event_type, body)
        return found


class LiveEvents:
    """Makes events of entries."""

    def __init__(self, store: ArticleStore, topics: TopicTree, base_url: str) -> None:
        self._store = store
        self._topics = topics
        self._base_url = base_url
        self._facts: OrderedDict[tuple[str, str], Facts] = OrderedDict()

    async def make(self, entries: Sequence[Entry]) -> list[Event | None]:
        """Return an event for each entry, None where its version is kept no more; three round trips at most."""
        marks = await self._store.marks([entry.key for entry in entries]) if entries else []
        earlier = [_earlier(entry, told) for entry, told in zip(entries, marks, strict=True)]
        own = [(entry.key, entry.rank) for entry in entries]
        asked = {version: None for versions in earlier for version in versions if version not in self._facts}
        wanted = list(dict.fromkeys([*own, *asked]))
        articles = dict(zip(wanted, await self._store.versions(wanted), strict=True))
        facts = {version: self._known(version, article) for version, article in articles.items() if article is not None}
        made: list[Event | None] = []
        for entry, before, told in zip(entries, earlier, marks, strict=True):
            article = articles[entry.key, entry.rank]
            if article is None:
                log.warning("live.version_missing", sequence=entry.sequence, key=entry.key, rank=entry.rank)
                made.append(None)
                continue
            asks = [found for each in before if (found := facts.get(each) or self._facts.get(each)) is not None]
            if entry.act not in RETRACTIONS:
                asks.append(facts[entry.key, entry.rank])
            shown = article.model_copy(update={"published": entry.published, "embargoed_until": None})
            link = f"{self._base_url}/articles/{entry.key}"
            made.append(Event(entry, shown, asks, link, withdrawn=_withdrawn(entry, told)))
        while len(self._facts) > KEPT_FACTS:
            self._facts.popitem(last=False)
        return made

    def _known(self, version: tuple[str, str], article: Article) -> Facts:
        facts = self._facts[version] = facts_of(article, self._topics)
        self._facts.move_to_end(version)
        return facts


def _earlier(entry: Entry, marks: Sequence[Mark]) -> list[tuple[str, str]]:
    own = Rank.parse(entry.rank)
    return [(entry.key, str(mark.rank)) for mark in marks if mark.rank < own and mark.is_public]


def _withdrawn(entry: Entry, marks: Sequence[Mark]) -> bool:
    own = Rank.parse(entry.rank)
    return entry.act not in RETRACTIONS and any(mark.rank > own and not mark.is_public for mark in marks)
