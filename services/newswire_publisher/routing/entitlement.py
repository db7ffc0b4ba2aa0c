"""What the holder of a token sees of the wire: decided here for feeds, articles and the live stream.

A view narrows; it never shows what the wire holds back. Two tokens with the same
limits have the same view, and so the same documents.
"""

import hashlib
from functools import lru_cache

from newswire_publisher.routing.facts import facts_of
from newswire_publisher.routing.shape import compile_filter
from newswire_publisher.routing.topics import TopicTree
from newswire_schemas.article import Article
from newswire_schemas.entitlements import Entitlement
from newswire_schemas.filters import Filter

ALL_RIGHTS = "tm"


class View:
    """The articles that an entitlement opens, and what of them."""

    def __init__(self, entitlement: Entitlement, topics: TopicTree) -> None:
        self.entitlement = entitlement
        self.narrows = entitlement.filter != Filter()
        self.key = hashlib.blake2b(entitlement.model_dump_json().encode(), digest_size=12).hexdigest()
        """Stands for the view where documents are kept by it."""
        rights = entitlement.rights
        self.has_archive = rights is None or "archive" in rights
        self._text = rights is None or "text" in rights
        self._media = rights is None or "media" in rights
        self.rights = f"{'t' if self._text else ''}{'m' if self._media else ''}"
        """Stands for what of an article is shown."""
        self._holds = compile_filter(entitlement.filter)
        self._topics = topics

    def opens(self, feed: str) -> bool:
        return self.entitlement.feeds is None or feed in self.entitlement.feeds

    def sees(self, article: Article) -> bool:
        return not self.narrows or self._holds(facts_of(article, self._topics))

    def shown(self, article: Article) -> Article:
        """Return what may be shown of an article that it sees."""
        hidden: dict[str, object] = {} if self._text else {"body_html": None, "body_text": None}
        if not self._media:
            hidden["associations"] = ()
        return article.model_copy(update=hidden) if hidden else article


class Views:
    """Makes the views of entitlements, each once."""

    def __init__(self, topics: TopicTree) -> None:
        self._of = lru_cache(maxsize=1_000)(lambda entitlement: View(entitlement, topics))

    def of(self, entitlement: Entitlement | None) -> View | None:
        """Return the view, None for one without limits."""
        return None if entitlement is None else self._of(entitlement)
