"""The front page: the newest stories, by language and section, a day under the other.

It is whole without a script; with one, the live stream puts new stories on top, and
takes killed ones away. Pages go on by the same cursor as the API's list.
"""

import itertools
import json
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from newswire_publisher.articles.search import ArticleSearch, read_cursor, write_cursor
from newswire_publisher.web.languages import direction_of, name_of
from newswire_publisher.web.readers import Readers
from newswire_publisher.web.site import Site
from newswire_publisher.web.story import Story
from newswire_runtime.problems import Problem
from newswire_schemas.filters import Filter

STORIES = 40
SCANNED = 400
"""Articles that one page looks at: where few match it ends early, and the next page goes on."""
MOST_CHOICES = 14


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that narrows the page to a language or section, or widens it again."""

    label: str
    href: str
    current: bool
    lang: str | None = None


class FrontPage:
    """Serves ``/``."""

    def __init__(self, site: Site, readers: Readers, search: ArticleSearch) -> None:
        self._site = site
        self._readers = readers
        self._search = search

    async def __call__(self, request: Request) -> Response:
        """Answer with the newest stories; ``language``, ``section`` and ``cursor`` narrow it."""
        await self._readers.admit(request)
        language, section = request.query_params.get("language"), request.query_params.get("section")
        cursor = request.query_params.get("cursor")
        wanted = _filter(language, section)
        found = await self._search.page(wanted, STORIES, read_cursor(cursor), SCANNED)
        facets = await self._search.facets()
        stories = [Story(row) for row in found.rows]
        days = [list(group) for _, group in itertools.groupby(stories, key=lambda each: each.row.published.date())]  # type: ignore[union-attr] # what is public was published
        return self._site.page(
            request,
            "front.html",
            days=days,
            language=language,
            section=section,
            direction=direction_of(language) if language else "ltr",
            languages=_choices(facets.languages, language, "language", {"section": section}),
            sections=_choices(facets.sections(language), section, "section", {"language": language}),
            older=address(language=language, section=section, cursor=write_cursor(found.after))
            if found.after
            else None,
            newest=address(language=language, section=section) if cursor else None,
            live=_live(wanted) if not cursor else None,
        )


def address(**query: str | None) -> str:
    """Return the front page's address with what is given of the query."""
    given = {name: value for name, value in query.items() if value}
    return f"/?{urlencode(given)}" if given else "/"


def _filter(language: str | None, section: str | None) -> Filter:
    wanted = {"languages": [language] if language else [], "sections": [section] if section else []}
    try:
        return Filter.model_validate(wanted)
    except ValueError as exc:
        raise Problem(404, "not-found", "There is no such language or section.") from exc


def _choices(names: tuple[str, ...], current: str | None, field: str, others: dict[str, str | None]) -> list[Choice]:
    shown = list(names[:MOST_CHOICES])
    if current and current not in shown:
        shown.append(current)
    is_language = field == "language"
    every = Choice("All", address(**others), not current)
    return [every] + [
        Choice(
            name_of(name) if is_language else name,
            address(**others, **{field: name}),
            name == current,
            name if is_language else None,
        )
        for name in shown
    ]


def _live(wanted: Filter) -> str:
    body = json.dumps(wanted.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
    return f"/v1/live?filter={quote(body, safe='')}"
