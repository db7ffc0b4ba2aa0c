"""What a webhook's filter would have carried in the last days: counted by day and by type, with samples.

    public articles that match, newest first ─▶ their versions in the time ─▶ one push for each that is wanted

Bounded like every search: `truncated` says that there were more articles than were looked at. What is withdrawn
by now is not counted, because nobody may learn of it here.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from newswire_publisher.articles.message import EVENT_TYPES
from newswire_publisher.articles.search import SCANNED, ArticleSearch, Place
from newswire_publisher.articles.store import ArticleStore, Row
from newswire_publisher.webhooks.wanted import Wanted
from newswire_schemas.article import to_iso, to_ms

SAMPLES = 20
_PAGE = 25


class DryRunRequest(Wanted):
    """Which filter and event types, over how many days."""

    days: int = Field(7, ge=1, le=31)


class DryRuns:
    """Runs filters over what was published."""

    def __init__(self, search: ArticleSearch, store: ArticleStore) -> None:
        self._search = search
        self._store = store

    async def run(self, wanted: DryRunRequest, now: datetime) -> dict[str, Any]:
        """Return counts and samples as JSON.

        ``per_day`` has each day (UTC), the oldest first, with ``articles`` and ``pushes``; ``by_type`` the pushes.
        """
        since = now - timedelta(days=wanted.days)
        days: dict[str, Counter[str]] = {
            (since + timedelta(days=n)).date().isoformat(): Counter() for n in range(wanted.days + 1)
        }
        by_type: Counter[str] = Counter()
        samples: list[dict[str, Any]] = []
        matched = scanned = 0
        before: Place | None = None
        while True:
            found = await self._search.page(wanted.filter, _PAGE, before, _PAGE * 4)
            rows = [row for row in found.rows if row.published is not None and row.published >= since]
            scanned += found.scanned
            for row in rows:
                matched += 1
                days[row.published.date().isoformat()]["articles"] += 1  # type: ignore[union-attr]  # seen above
            for row, marks in zip(rows, await self._store.marks([row.article.key for row in rows]), strict=True):
                pushed = [mark for mark in marks if mark.moment >= since and wanted.wants(EVENT_TYPES[mark.act])]
                for mark in pushed:
                    by_type[EVENT_TYPES[mark.act]] += 1
                    days[mark.moment.date().isoformat()]["pushes"] += 1
                if pushed and len(samples) < SAMPLES:
                    samples.append(_sample(row, EVENT_TYPES[pushed[0].act]))
            before = found.after
            if before is None or before[0] < to_ms(since) or scanned >= SCANNED:
                break
        return {
            "days": wanted.days,
            "scanned": scanned,
            "matched": matched,
            "pushes": by_type.total(),
            "per_day": [
                {"date": day, "articles": count["articles"], "pushes": count["pushes"]} for day, count in days.items()
            ],
            "by_type": dict(sorted(by_type.items())),
            "items": samples,
            "truncated": before is not None and before[0] >= to_ms(since),
        }


def _sample(row: Row, event_type: str) -> dict[str, Any]:
    article = row.article
    return {
        "key": article.key,
        "uri": article.uri,
        "type": event_type,
        "headline": article.headline,
        "language": article.language,
        "section": article.section,
        "urgency": article.urgency,
        "time": to_iso(row.moment),
    }
