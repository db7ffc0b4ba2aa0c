"""A sample of every type of event in every format, from one article that is always the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from newswire_publisher.articles import message
from newswire_publisher.articles.message import EVENT_TYPES, Format
from newswire_publisher.webhooks.event_types import CATALOGUE, CHALLENGE, TEST
from newswire_schemas.article import Act, Article, Concept, Dateline, PubStatus

_WHEN = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
_LATER = _WHEN + timedelta(minutes=42)
_LINK = "https://wire.example/articles/harbour-7f3a"
_SEQUENCE = 7

ARTICLE = Article(
    uri="urn:newsml:wire.example:20260115:harbour",
    version=1,
    version_created=_WHEN,
    first_created=_WHEN,
    published=_WHEN,
    urgency=4,
    language="en",
    headline="Ferry to the islands sails again after three days",
    slugline="harbour-ferry",
    byline="Jana Krüger",
    dateline=Dateline(city="Rostock", country="DE", date="2026-01-15", agency="NW", text="ROSTOCK (NW) -"),
    located="Rostock",
    body_html="<p>ROSTOCK (NW) - The ferry to the islands sails again.</p>",
    body_text="ROSTOCK (NW) - The ferry to the islands sails again.",
    summary="Ice had closed the harbour for three days.",
    subjects=(Concept(qcode="medtop:20000299", name="shipping", rel="about"),),
    keywords=("harbour", "ferry"),
    source="NW",
    copyright_holder="Newswire",
)

_CHANGES: dict[Act, dict[str, Any]] = {
    Act.NEW: {},
    Act.CORRECTION: {"version": 2, "ed_note": "Corrects the number of days in the headline."},
    Act.REWRITE: {"uri": f"{ARTICLE.uri}-night", "evolved_from": ARTICLE.uri},
    Act.KILL: {"version": 3, "pub_status": PubStatus.CANCELED, "ed_note": "The harbour is still closed."},
    Act.WITHHOLD: {"version": 3, "pub_status": PubStatus.WITHHELD, "ed_note": "Under review."},
    Act.REINSTATE: {"version": 4, "ed_note": "Confirmed by the harbour master."},
    Act.EXPIRE: {"version_created": _WHEN, "expires": _LATER},  # no version of its own
}

_ABOUT = {
    "webhook": "wh_0123456789abcdef",
    "url": "https://receiver.example/wire",
    "description": "the city desk's system",
    "owner": "city",
}
_CAUSE = {"status": 503, "detail": "answered 503"}
_OWN: dict[str, dict[str, Any]] = {
    TEST: {"note": "a test from newswire"},
    CHALLENGE: {"challenge": "Zk3v0pJq1mX8s5fT2bNw7A"},
    "webhook.failing": {**_ABOUT, "since": "2026-01-15T09:12:04.120Z", **_CAUSE},
    "webhook.recovered": {**_ABOUT, "since": "2026-01-15T09:12:04.120Z"},
    "webhook.disabled": {**_ABOUT, "reason": "the receiver answered 410 Gone"},
    "webhook.exhausted": {**_ABOUT, "sequence": 5, "uri": ARTICLE.uri, "attempts": 10, **_CAUSE},
    "webhook.kill_untaken": {**_ABOUT, "sequence": 6, "uri": ARTICLE.uri, "attempts": 3, "error": "timeout"},
}


def sample(event_type: str, form: Format | None = None) -> bytes:
    """Return the body of a push of this type, byte for byte as one is made; ``form`` for those of articles."""
    if form is None:
        data = json.dumps(_OWN[event_type], ensure_ascii=False).encode()
        moment, sequence = _LATER, 0 if event_type in (TEST, CHALLENGE) else _SEQUENCE
    else:
        act = next(act for act, name in EVENT_TYPES.items() if name == event_type)
        moment, sequence = _WHEN if act is Act.NEW else _LATER, _SEQUENCE
        shown = ARTICLE.model_copy(update={"version_created": moment, **_CHANGES[act]})
        data = message.render(shown, form, _LINK)
    return message.build(event_type, moment, sequence, data)


def documents() -> dict[str, Any]:
    """Return every sample by its name."""
    return {name: json.loads(body) for name, body in _all()}


def _all() -> Iterator[tuple[str, bytes]]:
    for kind in CATALOGUE:
        for form in kind.formats or (None,):
            yield kind.sample_name(form), sample(kind.name, form)
