"""Feed documents for tests: stories with everything in them, joined as the feeds join them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from newswire_publisher.feeds.formats.page import Channel, FeedFormat, Page
from newswire_publisher.feeds.formats.registry import FORMATS
from newswire_publisher.feeds.tombstone import Tombstone
from newswire_schemas.article import Article, Concept, Dateline, Link, Media, Rendition

BASE = "https://news.example"
NOON = datetime(2025, 2, 7, 12, 39, 0, 250_000, tzinfo=UTC)
CHANNEL = Channel(
    name="all", title="Alle & jede", base_url=BASE, description='Alles, was "zählt" & mehr', language="de"
)
GONE = (
    Tombstone(uri="urn:newsml:belta.example:gone:1", version=3, when=NOON, act="kill", note="Falsch <&> zurück"),
    Tombstone(uri="urn:newsml:belta.example:gone:2", when=NOON - timedelta(hours=1), act="leave"),
)


def plain_story(number: int = 1, **fields: Any) -> Article:
    """Return an article with a headline, a summary and a body; later numbers are older."""
    moment = NOON - timedelta(minutes=number)
    given = {
        "uri": f"urn:newsml:belta.example:2025-02-07:{number}",
        "version": 1,
        "version_created": moment,
        "first_created": moment,
        "published": moment,
        "language": "de",
        "headline": f"Lukaschenko und Putin, Teil {number}",
        "summary": "Zwei & mehr <Themen>.",
        "body_html": "<p>Erster Absatz.</p><p>Zweiter &amp; letzter.</p>",
    }
    return Article.model_validate(given | fields)


def full_story(number: int = 2, **fields: Any) -> Article:
    """Return a corrected rewrite in which every field says something."""
    given: dict[str, Any] = {
        "version": 2,
        "published": NOON - timedelta(hours=number),
        "language": "de-AT",
        "byline": "Von Анна Müller und Петр Smith",
        "slugline": "BELARUS-RUSSLAND",
        "section": "Politik",
        "source": "BelTA",
        "urgency": 2,
        "located": "Minsk",
        "dateline": Dateline(city="Minsk", country="BY", text="MINSK, 7. Februar (BelTA) -"),
        "ed_note": "BERICHTIGT den Namen <im> 2. Absatz",
        "expires": NOON + timedelta(days=30),
        "evolved_from": "urn:newsml:belta.example:older",
        "usage_terms": "Nur für Abonnenten & Partner",
        "copyright_holder": "© BelTA 2025",
        "subjects": (
            Concept(qcode="medtop:11000000", name="politics", confidence=0.5),
            Concept(qcode="house:7", name="Nähe & Ferne"),
        ),
        "genres": (Concept(qcode="genre:Current", name="Aktuell"),),
        "places": (Concept(name="Minsk"),),
        "people": (Concept(name="Alexander Lukaschenko", qcode="person:1"),),
        "organisations": (Concept(name="Kreml"),),
        "keywords": ("Minsk", "Moskau"),
        "body_html": (
            '<p>Erster <a href="/relativ">Absatz</a> <img src="bild.jpg" alt="x">.</p>'
            '<p>Zweiter &amp; <a href="https://x.example/y?a=1&amp;b=2">letzter</a>.<br></p>'
        ),
        "associations": (
            Media(
                headline="Der Saal",
                description="Ein Saal & Gäste",
                credit="Foto: BelTA",
                copyright_notice="© BelTA",
                renditions=(
                    Rendition(href="https://x.example/1.jpg", media_type="image/jpeg", width=800, height=600, size=123),
                    Rendition(href="file:///etc/passwd"),
                ),
            ),
            Media(type="video", renditions=(Rendition(href="https://x.example/2.mp4", media_type="video/mp4"),)),
        ),
        "links": (
            Link(href="https://x.example/a.pdf", rel="via", title="Papier & Stift", media_type="application/pdf"),
            Link(href="https://belta.example/de/story", rel="canonical"),
            Link(href="/relativ"),
            Link(href="javascript:alert(1)"),
        ),
    }
    return plain_story(number, **(given | fields))


def page_of(form: FeedFormat, **fields: Any) -> Page:
    """Return the page of a feed's current document, with every link that it can have."""
    own = f"{BASE}/feeds/all.{form.extension}"
    given: dict[str, Any] = {
        "channel": CHANNEL,
        "updated": NOON,
        "self_url": own,
        "alternates": {extension: f"{BASE}/feeds/all.{extension}" for extension in FORMATS},
        "hub": f"{BASE}/hub",
        "prev_archive": f"{own}?archive=3",
        "next_url": f"{own}?before=9",
    }
    return Page(**(given | fields))


def document(
    form: FeedFormat, articles: Sequence[Article], gone: Sequence[Tombstone] = (), page: Page | None = None
) -> bytes:
    """Return a whole document as the feeds serve it."""
    entries = [form.entry(article, article.version_created, BASE) for article in articles]
    tombstones = [form.tombstone(each, BASE) for each in gone]
    first, second = (tombstones, entries) if form.tombstones_first else (entries, tombstones)
    frame = form.frame(page or page_of(form))
    if form.lists == 1:
        return frame.head + form.separator.join([*first, *second]) + frame.tail
    lists = form.separator.join(first), form.separator.join(second)
    return frame.head + lists[0] + frame.middle + lists[1] + frame.tail
