"""An article's page: the story, its versions and what each changed; its tombstone after a withdrawal."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from newswire_publisher.articles.history import versions_of
from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.articles.withdrawal import shown_or_gone
from newswire_publisher.web.linked_data import news_article, script_of
from newswire_publisher.web.readers import Readers
from newswire_publisher.web.site import Site
from newswire_publisher.web.story import Story, Told
from newswire_runtime.problems import Problem, not_found
from newswire_schemas.article import Act, key_of

VERSIONS = 20
"""Versions that the page tells of; the API has all of them."""

_NOTICES = {
    Act.KILL: ("This story was killed", "Do not use it. Remove it wherever it was published."),
    Act.WITHHOLD: ("This story is withheld", "Do not use it until it comes again."),
    Act.EXPIRE: ("This story has expired", "It was to be used until then only."),
}


class ArticlePage:
    """Serves ``/articles/{key}``. ``formats`` are the media types the API has an article in, by their label."""

    def __init__(self, site: Site, readers: Readers, store: ArticleStore, formats: Mapping[str, str]) -> None:
        self._site = site
        self._readers = readers
        self._store = store
        self._formats = formats

    async def __call__(self, request: Request) -> Response:
        return await self.show(request, request.path_params["key"])

    async def show(self, request: Request, key: str) -> Response:
        """Answer with the article; 410 with what became of it, 404 for what nobody may know of."""
        await self._readers.admit(request)
        row = await self._store.row(key)
        if row is None:
            raise not_found(f"article {key}")
        try:
            shown_or_gone(row)
        except Problem as exc:
            if exc.status != 410:
                raise
            return self._gone(request, row)
        story = Story(row)
        base_url = self._site.base_url(request)
        versions = await versions_of(self._store, row, VERSIONS)
        return self._site.page(
            request,
            "article.html",
            story=story,
            article=row.article,
            canonical=base_url + story.path,
            api=f"/v1/articles/{key}",
            formats=self._formats,
            linked_data=script_of(news_article(story, base_url)),
            versions=[Told(version) for version in versions],
            earlier=await self._stories([key_of(row.article.evolved_from)] if row.article.evolved_from else []),
            later=await self._stories(await self._store.rewrites(key)),
        )

    async def _stories(self, keys: list[str]) -> list[Story]:
        """Return those of the articles that are public."""
        return [Story(row) for row in await self._store.rows(keys) if row is not None and row.is_public]

    def _gone(self, request: Request, row: Row) -> Response:
        title, advice = _NOTICES.get(row.act, ("This story was withdrawn", "Do not use it."))
        return self._site.page(request, "gone.html", status=410, title=title, advice=advice, row=row)
