"""What there is to subscribe to and to crawl: ``/feeds.opml`` and ``/sitemap-news.xml``.

OPML 2.0 lists the public feeds. The news sitemap has the stories of the last 48 hours; with more
than 1,000 of them it is an index whose pages have 1,000 each, the newest first. Both are
functions of what is public now; what is held back is in neither.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from newswire_publisher.articles.store import Row
from newswire_publisher.feeds.formats.content import page_address, title_of
from newswire_publisher.feeds.formats.xml import DECLARATION, open_tag, tag
from newswire_publisher.feeds.model import Feed
from newswire_publisher.feeds.moments import rfc3339

OPML_TYPE = "text/x-opml; charset=utf-8"
SITEMAP_TYPE = "application/xml; charset=utf-8"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
SITEMAP_HOURS = 48
SITEMAP_PAGE = 1_000


def opml(feeds: Mapping[str, Feed], base_url: str) -> bytes:
    """Return the public feeds as OPML 2.0, by name, each with its RSS address."""
    outlines = [
        tag(
            "outline",
            type="rss",
            text=feed.title,
            title=feed.title,
            description=feed.description,
            language=feed.language,
            version="RSS2",
            xmlUrl=f"{base_url}/feeds/{name}.rss",
            htmlUrl=f"{base_url}/",
        )
        for name, feed in sorted(feeds.items())
        if feed.access == "public"
    ]
    head = f"<head>{tag('title', 'Feeds')}</head>"
    return DECLARATION + f'<opml version="2.0">{head}<body>{"".join(outlines)}</body></opml>\n'.encode()


def sitemap_index(pages: Sequence[datetime], base_url: str) -> bytes:
    """Return the index of the pages, of each of which the newest change is given."""
    entries = []
    for number, moment in enumerate(pages, 1):
        address = tag("loc", f"{base_url}/sitemap-news.xml?page={number}")
        entries.append(f"<sitemap>{address}{tag('lastmod', rfc3339(moment))}</sitemap>")
    start = open_tag("sitemapindex", {None: SITEMAP})
    return DECLARATION + f"{start}{''.join(entries)}</sitemapindex>\n".encode()


def sitemap(rows: Sequence[Row], publication: str, language: str, base_url: str) -> bytes:
    """Return a page of stories; ``publication`` is the wire's name, ``language`` that of stories which have none."""
    start = open_tag("urlset", {None: SITEMAP, "news": NEWS})
    entries = [_url(row, publication, language, base_url) for row in rows]
    return DECLARATION + f"{start}{''.join(entries)}</urlset>\n".encode()


def _url(row: Row, publication: str, language: str, base_url: str) -> str:
    article = row.article
    known = article.language or language
    short = known if known.startswith("zh-") else known.split("-")[0]
    name = tag("news:name", publication) + tag("news:language", short)
    news = (
        f"<news:publication>{name}</news:publication>"
        + tag("news:publication_date", rfc3339(row.published or row.moment))
        + tag("news:title", title_of(article))
    )
    lastmod = tag("lastmod", rfc3339(row.moment))
    return f"<url>{tag('loc', page_address(base_url, article.uri))}{lastmod}<news:news>{news}</news:news></url>"
