"""The text of a post: pure, so that a preview is the very text that goes out.

A template is literal text with ``{headline} {summary} {link} {section} {dateline}``.
What the article says is put in as it stands: braces in a headline mean nothing.
If the whole is too long, the summary is cut, then the headline, then the rest, each
at a word and with an ellipsis. The link is never cut: where even the link alone does
not fit, the post goes without one.
"""

from collections.abc import Mapping
from string import Formatter
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

import regex

from newswire_publisher.social.platforms import Platform
from newswire_schemas.article import Article

FIELDS = ("headline", "summary", "link", "section", "dateline")
DEFAULT_TEMPLATE = "{headline}\n\n{link}"
ELLIPSIS = "…"

_GRAPHEME = regex.compile(r"\X")
_CORRECTED = {"de": "Korrektur", "en": "Correction", "es": "Corrección", "fr": "Rectificatif"}
_WITHDRAWN = {
    "de": "Diese Meldung wurde zurückgezogen.",
    "en": "This story has been withdrawn.",
    "es": "Esta noticia ha sido retirada.",
    "fr": "Cette dépêche a été annulée.",
}

UtmName = Literal["campaign", "content", "medium", "source", "term"]
Part = tuple[str, bool]
"""A piece of a template: text, and whether it names a field."""


class TemplateError(ValueError):
    """The template cannot be used; the message says which part and what to write instead."""


def parse_template(template: str) -> list[Part]:
    """Return the template's pieces; raise `TemplateError` for anything but text and the known fields."""
    known = " ".join(f"{{{name}}}" for name in FIELDS)
    parts: list[Part] = []
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(f"template: {error}; write {{{{ and }}}} for braces, and fields as {known}") from error
    for literal, name, spec, conversion in pieces:
        if literal:
            parts.append((literal, False))
        if name is None:
            continue
        if name not in FIELDS or spec or conversion:
            raise TemplateError(f"template: {{{name}}} is not a field that can stand here; there are {known}")
        parts.append((name, True))
    if not any(is_field for _, is_field in parts):
        raise TemplateError(f"template: it names no field, so every post would be the same; there are {known}")
    return parts


def with_utm(link: str, utm: Mapping[UtmName, str]) -> str:
    """Return the link with ``utm_…`` added to its query; what stands in it already, stays as it is."""
    if not utm:
        return link
    parts = urlsplit(link)
    added = "&".join(f"utm_{name}={quote(value, safe='')}" for name, value in sorted(utm.items()))
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def post_text(article: Article, link: str, platform: Platform, template: str | None = None) -> str:
    """Return the text of a post of the article."""
    values = {
        "headline": _line(article.headline or article.slugline or article.summary),
        "summary": _line(article.summary),
        "section": _line(article.section),
        "dateline": _line(article.dateline.text if article.dateline else None),
        "link": link,
    }
    return _fitted(parse_template(template or DEFAULT_TEMPLATE), values, platform)


def correction_text(article: Article, link: str, platform: Platform) -> str:
    """Return the text of a reply that corrects a post: what changed, if the desk said so, else the new headline."""
    said = _line(article.ed_note) or _line(article.headline or article.slugline or article.summary)
    values = {"headline": f"{_in_language(_CORRECTED, article)}: {said}", "link": link}
    return _fitted(parse_template(DEFAULT_TEMPLATE), values, platform)


def withdrawal_text(article: Article, platform: Platform) -> str:
    """Return the notice after a kill. It repeats nothing of the story, and has no link to it."""
    said = " ".join(filter(None, [_in_language(_WITHDRAWN, article), _line(article.ed_note)]))
    return _cut(said, platform.limit, platform)


def cost_of(text: str, platform: Platform) -> int:
    """Return how much of the platform's limit a text without links takes."""
    return sum(platform.cost(grapheme) for grapheme in _GRAPHEME.findall(text))


def _fitted(parts: list[Part], values: Mapping[str, str], platform: Platform) -> str:
    filled = dict(values)
    link = filled.get("link", "")
    if _link_cost(link, platform) > platform.limit:
        filled["link"] = link = ""
    over = _over(parts, filled, platform)
    for name in ("summary", "headline", "section", "dateline"):
        if over <= 0:
            break
        uses = sum(1 for text, is_field in parts if is_field and text == name)
        if uses and filled.get(name):
            room = cost_of(filled[name], platform) - -(-over // uses)
            filled[name] = _cut(filled[name], room, platform)
            over = _over(parts, filled, platform)
    text = _joined(parts, filled)
    if over <= 0:
        return text
    # The template's own words are too long: they give way, the link stays.
    words = _joined(parts, {**filled, "link": ""})
    if not link:
        return _cut(words, platform.limit, platform)
    room = platform.limit - _link_cost(link, platform) - cost_of("\n\n", platform)
    return f"{_cut(words, room, platform)}\n\n{link}".strip()


def _over(parts: list[Part], values: Mapping[str, str], platform: Platform) -> int:
    uses = sum(1 for text, is_field in parts if is_field and text == "link") if values.get("link") else 0
    # The link is counted apart: its place holder is one character that costs 1 everywhere.
    text = _joined(parts, {**values, "link": "l" if uses else ""})
    links = uses * (_link_cost(values.get("link", ""), platform) - 1)
    return cost_of(text, platform) + links - platform.limit


def _link_cost(link: str, platform: Platform) -> int:
    if not link:
        return 0
    return platform.link if platform.link is not None else cost_of(link, platform)


def _joined(parts: list[Part], values: Mapping[str, str]) -> str:
    text = "".join(values.get(text, "") if is_field else text for text, is_field in parts)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return regex.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()  # type: ignore[no-any-return]  # untyped library


def _cut(text: str, room: int, platform: Platform) -> str:
    """Return the text within ``room``, cut at a word and with an ellipsis; empty if not one grapheme fits."""
    if cost_of(text, platform) <= room:
        return text
    room -= cost_of(ELLIPSIS, platform)
    kept: list[str] = []
    graphemes = _GRAPHEME.findall(text)
    for grapheme in graphemes:
        room -= platform.cost(grapheme)
        if room < 0:
            break
        kept.append(grapheme)
    if not kept:
        return ""
    head = "".join(kept)
    at_word = head if graphemes[len(kept)].isspace() else _to_word_end(head)
    return f"{at_word.rstrip(' ,;:-–—')}{ELLIPSIS}"


def _to_word_end(head: str) -> str:
    """Drop the begun last word, unless that is most of the text, as in scripts without spaces."""
    cut = max(head.rfind(" "), head.rfind("\n"))
    return head[:cut] if cut * 2 >= len(head) else head


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _in_language(words: Mapping[str, str], article: Article) -> str:
    return words.get((article.language or "en").partition("-")[0], words["en"])
