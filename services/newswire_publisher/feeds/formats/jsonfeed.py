"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/), with what wires add under ``_newswire``."""

import json
import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from newswire_publisher.feeds.formats.content import (
    authors_of,
    categories_of,
    content_of,
    files_of,
    note_of,
    original_of,
    page_address,
    summary_of,
    title_of,
)
from newswire_publisher.feeds.formats.page import KEPT_HEADS, Channel, Frame, Page
from newswire_publisher.feeds.formats.rss import REASONS
from newswire_publisher.feeds.formats.xml import EntryError, joined
from newswire_publisher.feeds.moments import rfc3339
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article, clean_text

VERSION = "https://jsonfeed.org/version/1.1"
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_CONTROL = re.compile(r"(?<!\\)((?:\\\\)*)\\(?:u00[01][0-9a-f]|[bf])")
"""How JSON writes a control character that has no other use, behind backslashes that stand for themselves."""


class JsonFeed:
    """JSON Feed 1.1; ``_newswire.deleted`` lists what has left."""

    extension = "json"
    media_type = "application/feed+json; charset=utf-8"
    separator = b","
    tombstones_first = False
    lists = 2

    def entry(self, article: Article, updated: datetime, base_url: str) -> bytes:
        try:
            return dumped(_item(article, updated, base_url))
        except (ValueError, TypeError, AttributeError) as error:
            raise EntryError(f"feeds: the JSON item of {article.uri!r} cannot be written: {error}") from error

    def tombstone(self, gone: Tombstone, base_url: str) -> bytes:  # noqa: ARG002
        return dumped(
            {
                "id": gone.uri,
                "when": rfc3339(gone.when),
                "version": gone.version,
                "act": gone.act,
                "note": gone.note or REASONS[gone.act],
            }
        )

    def frame(self, page: Page) -> Frame:
        updated = f',"updated":"{rfc3339(page.updated)}"' if page.updated else ""
        following = f',"next_url":{_ENCODE(page.next_url)}' if page.next_url else ""
        head, about, current = _head(page.channel, page.self_url, page.hub, page.current, page.kind)
        return Frame(joined(head, following, b',"items":['), joined(about, updated, current), b"]}}\n")


@lru_cache(maxsize=KEPT_HEADS)
def _head(
    channel: Channel, self_url: str, hub: str | None, current: str | None, kind: str
) -> tuple[bytes, bytes, bytes]:
    """Return the head without ``next_url``, and what stands behind the items before and after the time."""
    head = {
        "version": VERSION,
        "title": channel.title or channel.name,
        "description": channel.description or None,
        "home_page_url": f"{channel.base_url}/",
        "feed_url": self_url,
        "language": channel.language,
        "hubs": [{"type": "WebSub", "url": hub}] if hub else None,
    }
    about = {"about": f"{channel.base_url}/feeds", "kind": kind}
    rest = b"," + dumped({"current_url": current})[1:-1] if current else b""
    return (
        dumped(filled(head))[:-1],
        b'],"_newswire":' + dumped(about)[:-1],
        rest + b',"deleted":[',
    )


def _item(article: Article, updated: datetime, base_url: str) -> dict[str, Any]:
    content = content_of(article)
    files = files_of(article)
    images = [file.href for file in files if file.medium == "image"]
    return filled(
        {
            "id": article.uri,
            "url": page_address(base_url, article.uri),
            "external_url": original_of(article) or None,
            "title": title_of(article),
            "content_html": content or None,
            "content_text": None if content else summary_of(article) or title_of(article),
            "summary": "\n".join(filter(None, (note_of(article), summary_of(article)))) or None,
            "image": images[0] if images else None,
            "date_published": rfc3339(article.published or article.version_created),
            "date_modified": rfc3339(updated),
            "authors": [{"name": name} for name in authors_of(article)],
            "tags": list(dict.fromkeys(each.term for each in categories_of(article))),
            "language": article.language,
            "attachments": [
                filled(
                    {
                        "url": file.href,
                        "mime_type": file.media_type,
                        "title": file.media.headline or file.media.description,
                        "size_in_bytes": file.size,
                        "_newswire": filled({"credit": file.media.credit, "copyright": file.media.copyright_notice}),
                    }
                )
                for file in files
            ],
            "_newswire": _facts(article),
        }
    )


def _facts(article: Article) -> dict[str, Any]:
    return filled(
        {
            "version": article.version,
            "correction": note_of(article) or None,
            "urgency": article.urgency,
            "section": article.section,
            "source": article.source,
            "dateline": article.dateline.text if article.dateline else None,
            "rights": article.copyright_holder or article.usage_terms,
            "evolved_from": article.evolved_from,
            "expires": rfc3339(article.expires) if article.expires else None,
            "categories": [
                filled({"term": each.term, "scheme": each.scheme, "code": each.code}) for each in categories_of(article)
            ],
        }
    )


def filled(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that say something."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def dumped(value: object) -> bytes:
    """Return JSON in UTF-8, always in the same order, without the characters that no other format can carry."""
    text = _ENCODE(value)
    if "\\u00" in text or "\\b" in text or "\\f" in text:
        text = _CONTROL.sub(r"\1", text)
    return (text if text.isascii() else clean_text(text)).encode()
