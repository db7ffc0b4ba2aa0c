"""The versions of an article as readers may see them, each with what it changed."""

from dataclasses import dataclass

from newswire_publisher.articles.changes import Changes, changes
from newswire_publisher.articles.store import ArticleStore, Row, Shown
from newswire_schemas.article import Article, Rank


@dataclass(frozen=True, slots=True)
class Version:
    """A version that was shown; ``changes`` is None for the first that is still told of."""

    shown: Shown
    article: Article
    changes: Changes | None


async def versions_of(store: ArticleStore, row: Row, limit: int, below: Rank | None = None) -> list[Version]:
    """Return up to ``limit`` versions of a public article, newest first, those below a rank."""
    key = row.article.key
    told = [shown for shown in await store.history(key) if below is None or shown.rank < below]
    wanted = told[: limit + 1]
    articles = await store.versions([(key, str(shown.rank)) for shown in wanted])
    found = [
        (shown, article.model_copy(update={"published": row.published}))
        for shown, article in zip(wanted, articles, strict=True)
        if article is not None
    ]
    earlier = [article for _, article in found[1:]]
    return [
        Version(shown, article, changes(earlier[at], article) if at < len(earlier) else None)
        for at, (shown, article) in enumerate(found[:limit])
    ]
