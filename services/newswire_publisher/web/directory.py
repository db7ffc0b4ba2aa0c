"""The feed directory, and the builder that tries a filter before anyone makes it a feed."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from newswire_publisher.articles.search import ArticleSearch
from newswire_publisher.routing.shape import shape_of
from newswire_publisher.web.builder import DAYS, LISTS, build
from newswire_publisher.web.readers import Readers
from newswire_publisher.web.site import Site
from newswire_publisher.web.story import Story
from newswire_runtime.http import now
from newswire_schemas.filters import Filter

HEADLINES = 12

FIELDS = (
    ("languages", "Languages", "de, en, zh-Hant"),
    ("sections", "Sections", "Sport, Politik"),
    ("topics", "Topics", "medtop:15000000"),
    ("places", "Places", "Berlin, 上海"),
    ("sources", "Sources", ""),
    ("genres", "Genres", ""),
    ("words", "Any of these words", "ferry, harbour"),
    ("phrases", "Any of these phrases", "old river bridge"),
    ("exclude", "None of these words", ""),
)
"""The form's fields, as name, label and example."""


@dataclass(frozen=True, slots=True)
class ListedFeed:
    """A feed that anyone may know of."""

    name: str
    title: str
    description: str | None
    language: str | None
    filter: Filter


@dataclass(frozen=True, slots=True)
class FeedLinks:
    """How feeds are served: media types by extension, and the addresses of the hub and the list of all of them."""

    formats: Mapping[str, str]
    hub: str
    opml: str


PublicFeeds = Callable[[], Awaitable[Sequence[ListedFeed]]]


class FeedDirectory:
    """Serves ``/feeds``."""

    def __init__(
        self, site: Site, readers: Readers, search: ArticleSearch, feeds: PublicFeeds, links: FeedLinks
    ) -> None:
        self._site = site
        self._readers = readers
        self._search = search
        self._feeds = feeds
        self._links = links

    async def __call__(self, request: Request) -> Response:
        """Answer with the public feeds; with a form's fields in the query, also with what they would carry."""
        await self._readers.admit(request)
        feeds = await self._feeds()
        asked = any(name in request.query_params for name in (*LISTS, "urgency"))
        built = build(request.query_params)
        found = None
        same: list[ListedFeed] = []
        if asked and built.filter is not None:
            found = await self._search.dry_run(built.filter, built.days, now(), HEADLINES)
            shape = shape_of(built.filter)
            same = [feed for feed in feeds if shape_of(feed.filter) == shape]
        return self._site.page(
            request,
            "feeds.html",
            feeds=feeds,
            links=self._links,
            fields=FIELDS,
            all_days=DAYS,
            built=built,
            asked=asked,
            found=found,
            same=same,
            stories=[Story(row) for row in found.rows] if found else [],
        )
