"""What readers are told of an article that is no longer public."""

from newswire_publisher.articles.store import Row
from newswire_runtime.problems import Problem, not_found


def shown_or_gone(row: Row) -> Row:
    """Return a public article's row; raise the 404 or the 410 with the notice for any other."""
    if row.published is None:
        raise not_found(f"article {row.article.key}")  # withdrawn before anyone saw it: its notice would tell of it
    if not row.is_public:
        raise Problem(
            410,
            "withdrawn",
            row.article.ed_note or f"the article was withdrawn: {row.act}",
            uri=row.article.uri,
            version=row.article.version,
            act=row.act.value,
            headline=row.article.headline,
        )
    return row
