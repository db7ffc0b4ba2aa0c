"""What subscribers are told of a version: the body of a webhook push, an entry of a log, an event of the live stream.

    {"type": "article.corrected", "timestamp": "2025-02-07T12:39:00.000Z", "sequence": 7, "data": {…}}

``data`` is the same for every subscription of one format, so it is rendered once
per version (`render`), and each subscription's body only joins its own sequence
to it (`build`). Both are functions of their input alone: a retry, a replay and
``GET …/events`` carry the very same bytes (design section 7).
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from newswire_publisher.articles.ninjs import to_ninjs
from newswire_publisher.articles.withdrawal import notice_of
from newswire_publisher.routing.sinks import WITHDRAWALS
from newswire_schemas.article import Act, Article, to_iso

EVENT_TYPES: dict[Act, str] = {
    Act.NEW: "article.new",
    Act.CORRECTION: "article.corrected",
    Act.REWRITE: "article.rewritten",
    Act.KILL: "article.killed",
    Act.WITHHOLD: "article.withheld",
    Act.REINSTATE: "article.reinstated",
    Act.EXPIRE: "article.expired",
}

WITHDRAWAL_TYPES = frozenset(EVENT_TYPES[act] for act in WITHDRAWALS)

_EVENT_TYPE = re.compile(r"[A-Za-z0-9_.]+\Z")


class Format(StrEnum):
    """How ``data`` shows an article."""

    ARTICLE = "article"
    NINJS = "ninjs"
    THIN = "thin"


def render(article: Article, form: Format, link: str) -> bytes:
    """Return ``data`` as JSON; of a version that was killed or is withheld, its notice (`withdrawal`).

    Args:
        article: One version.
        form: ``article`` is our JSON without what is empty or default; ``ninjs`` is ninjs 3.1;
            ``thin`` has only ``uri``, ``version`` and ``link``, for receivers that fetch.
        link: The public address of the article.
    """
    told = notice_of(article)
    match form:
        case Format.ARTICLE:
            return told.model_dump_json(exclude_defaults=True, exclude_none=True).encode()
        case Format.NINJS:
            return _json(to_ninjs(told))
        case Format.THIN:
            return _json({"uri": told.uri, "version": told.version, "link": link})


def build(event_type: str, timestamp: datetime, sequence: int, data: bytes) -> bytes:
    """Return the body of a push, or the data of a live event.

    Args:
        event_type: One of `EVENT_TYPES`, or another name of letters, digits, ``_`` and ``.``.
        timestamp: When the event happened, aware; written in UTC with milliseconds.
        sequence: The entry's number in its log, from 1.
        data: JSON, from `render`.
    """
    return build_parts(event_type, timestamp, data).join(sequence)


@dataclass(frozen=True, slots=True)
class Parts:
    """A body without its sequence, so that many subscriptions share what is the same for all."""

    head: bytes
    tail: bytes

    def join(self, sequence: int) -> bytes:
        """Return the body of the entry of this number."""
        return b"%b%d%b" % (self.head, sequence, self.tail)

    def split(self, sequence: int) -> tuple[bytes, bytes]:
        """Return the same in two parts, of which the second is the same object for all numbers."""
        return b"%b%d" % (self.head, sequence), self.tail


def build_parts(event_type: str, timestamp: datetime, data: bytes) -> Parts:
    """Return what comes before and after the sequence; the arguments are those of `build`."""
    if not _EVENT_TYPE.match(event_type):
        raise ValueError(f"message: {event_type!r} is no event type; use letters, digits, '_' and '.'")
    if timestamp.tzinfo is None:
        raise ValueError("message: the timestamp needs a time zone")
    moment = to_iso(timestamp.astimezone(UTC))
    head = b'{"type":"%b","timestamp":"%b","sequence":' % (event_type.encode(), moment.encode())
    return Parts(head, b',"data":%b}' % data)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
