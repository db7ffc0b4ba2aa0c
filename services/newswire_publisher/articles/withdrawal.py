"""What is told of an article that is no longer public: that it is dead and why, and never its text once more.

a kill's version ─▶ notice_of ─▶ webhooks, the live stream
a row            ─▶ shown_or_gone ─▶ 404, or 410 with the notice
an older version ─▶ is_taken_back ─▶ its text is given to nobody
"""

from collections.abc import Sequence

from newswire_publisher.articles.store import Mark, Row
from newswire_publisher.routing.sinks import WITHDRAWALS
from newswire_runtime.problems import Problem, not_found
from newswire_schemas.article import Article, PubStatus, Rank

NOTICE = (
    "uri",
    "version",
    "pub_status",
    "urgency",
    "priority",
    "language",
    "source",
    "ed_note",
    "first_created",
    "version_created",
    "published",
    "evolved_from",
)
"""What a withdrawal says. The headline is not in it: it may be what was wrong."""


def notice_of(article: Article) -> Article:
    """Return a version as it may be told: one that was killed or is withheld without all that the story said."""
    if article.pub_status is PubStatus.USABLE:
        return article
    return Article(**{name: getattr(article, name) for name in NOTICE})


def is_taken_back(rank: Rank, marks: Sequence[Mark]) -> bool:
    """Return whether the article was killed or withheld after this version; a reinstated one is a version above."""
    return any(mark.rank > rank and mark.act in WITHDRAWALS for mark in marks)


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
        )
    return row
