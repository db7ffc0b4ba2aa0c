"""An article as a page shows it: what templates would otherwise have to decide."""

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from markupsafe import Markup

from newswire_publisher.articles.changes import Changes, body_text
from newswire_publisher.articles.history import Version
from newswire_publisher.articles.markup import excerpt, markup_of, plain, safe_markup, web_address
from newswire_publisher.articles.store import Row
from newswire_publisher.articles.words import Part
from newswire_publisher.web.languages import direction_of
from newswire_schemas.article import Act, Article, Media, Rendition

ACTS = {
    Act.NEW: "First version",
    Act.CORRECTION: "Correction",
    Act.REWRITE: "Rewrite",
    Act.REINSTATE: "Reinstated",
}
URGENT = 3
"""The highest urgency number that the wire marks: 1 flash, 2 bulletin, 3 urgent."""

_URGENCIES = {1: "Flash", 2: "Bulletin", 3: "Urgent"}
_CONTEXT = 80
"""Characters of an unchanged text that are kept beside a change."""

_HEADING = re.compile(r"(</?)h([1-5])\b")
_IMAGE = re.compile(r"<img(?![^>]*\balt=)")
_FIELDS = {"ed_note": "note", "associations": "media", "evolved_from": "rewrite of", "located": "location"}


@dataclass(frozen=True)
class Story:
    """A public article and when it came out."""

    row: Row

    @property
    def article(self) -> Article:
        return self.row.article

    @cached_property
    def title(self) -> str:
        article = self.article
        for candidate in (article.headline, article.slugline):
            if candidate and (line := " ".join(candidate.split())):
                return line
        return excerpt(article.body_text or article.summary or "", 100) or plain(article.uri)

    @property
    def path(self) -> str:
        return f"/articles/{self.article.key}"

    @property
    def direction(self) -> str:
        return direction_of(self.article.language)

    @property
    def alarm(self) -> str | None:
        return _URGENCIES.get(self.article.urgency or 9)

    @property
    def corrected(self) -> bool:
        return self.row.act is Act.CORRECTION

    @property
    def updated(self) -> bool:
        """Whether a later version came out, at a time that reads as another."""
        published = self.row.published
        return published is not None and self.row.moment - published >= timedelta(minutes=1)

    @property
    def note(self) -> str | None:
        """What a later version says of itself; a first version's note is for editors only."""
        return self.article.ed_note if self.article.version > 1 and self.row.act is not Act.NEW else None

    @property
    def place(self) -> str | None:
        article = self.article
        return article.located or (article.dateline.city if article.dateline else None)

    @cached_property
    def summary(self) -> str | None:
        """Return the summary if it says more than the headline."""
        summary = " ".join((self.article.summary or "").split())
        return summary if summary and summary != self.title else None

    @cached_property
    def standfirst(self) -> str | None:
        """Return the summary if the body does not begin with it."""
        if self.summary is None:
            return None
        start = " ".join(body_text(self.article)[:2_000].split())
        return None if self.summary.rstrip("…. ") in start else self.summary

    @cached_property
    def body(self) -> Markup:
        """Return the sanitised body: the page's own headline stands above its headings."""
        article = self.article
        if not article.body_html:
            return Markup(markup_of(article.body_text or ""))  # noqa: S704 - escaped there
        safe = _HEADING.sub(lambda found: f"{found[1]}h{int(found[2]) + 1}", safe_markup(article.body_html))
        safe = _IMAGE.sub('<img alt=""', safe)
        safe = safe.replace("<table", '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table')
        return Markup(safe.replace("</table>", "</table></div>"))  # noqa: S704 - sanitised by nh3

    @cached_property
    def figures(self) -> list["Figure"]:
        found = [(media, href, file) for media in self.article.associations for href, file in _files(media)[:1]]
        return [Figure(media, href, file) for media, href, file in found]


@dataclass(frozen=True)
class Figure:
    """A media object with an address that a page may show."""

    media: Media
    href: str
    file: Rendition

    @property
    def is_picture(self) -> bool:
        kind = self.media.type in {"picture", "graphic", "image", "photo"}
        return kind and not (self.file.media_type or "image/").startswith(("video/", "audio/"))

    @property
    def credit(self) -> str:
        parts = dict.fromkeys(filter(None, (self.media.credit, self.media.copyright_notice)))
        return " · ".join(parts)


def _files(media: Media) -> list[tuple[str, Rendition]]:
    """Return the renditions that a browser can fetch, the one nearest to a page's width first."""
    found = [(href, file) for file in media.renditions if (href := web_address(file.href))]
    return sorted(found, key=lambda each: abs((each[1].width or 1_000) - 1_200))


def field_name(field: str) -> str:
    """Return a field's name as a page writes it."""
    return _FIELDS.get(field, field.replace("_", " ")).capitalize()


@dataclass(frozen=True)
class Told:
    """A version as the article's page tells it."""

    version: Version

    @property
    def act(self) -> str:
        return ACTS.get(self.version.shown.act, "New version")

    @property
    def note(self) -> str | None:
        article = self.version.article
        return article.ed_note if article.version > 1 and self.version.shown.act is not Act.NEW else None

    @property
    def changes(self) -> Changes | None:
        return self.version.changes

    @cached_property
    def texts(self) -> list[tuple[str, list[Part]]]:
        """Return the word diffs, with what did not change cut down to what stands beside a change."""
        found = self.version.changes.texts if self.version.changes is not None else ()
        return [(field_name(text.field), shortened(text.parts)) for text in found]


def shortened(parts: tuple[Part, ...]) -> list[Part]:
    """Return the parts with long equal ones cut in their middle, or where nothing follows or precedes."""
    last = len(parts) - 1
    return [
        part if part.op != "equal" else Part("equal", _cut(part.text, first=at == 0, last=at == last))
        for at, part in enumerate(parts)
    ]


def _cut(text: str, *, first: bool, last: bool) -> str:
    """Cut a text in its middle, at a paragraph's end or a space where there is one near."""
    if len(text) <= 2 * _CONTEXT + 20:
        return text
    head, tail = text[:_CONTEXT], text[-_CONTEXT:]
    head = head.partition("\n")[0] if "\n" in head else head.rpartition(" ")[0] or head
    tail = tail.rpartition("\n")[2] if "\n" in tail else tail.partition(" ")[2] or tail
    return ("… " if first else f"{head} … ") + ("" if last else tail)
