"""Make the two bodies of a story agree, and its HTML harmless.

Everything that comes in is hostile, so HTML is sanitised here, once, before it is
stored; what has only HTML gets text, what has only text gets paragraphs.

An HTML parser has two costs that grow with the square of its input, and both
were measured in nh3 0.3 (html5ever): a tag of 100,000 attributes takes 2 s, and
2,000 unclosed ``<b a1>`` before 2,000 ``<p>`` (29 KB) make 28 MB and use 1 GB,
because each paragraph reopens all of them (HTML section 13.2.4.3). So HTML is
bounded in length and tags, and formatting elements lose their attributes
*before* the parser sees them: of equal ones it never reopens more than three.
"""

import html
import re

import nh3

from newswire_ingest.formats.errors import MalformedInput
from newswire_schemas.article import Draft, Warning_

MAX_HTML = 250_000
"""Characters of HTML in one body."""
MAX_TAGS = 10_000
MAX_BODY = 2_000_000
"""Characters of a body after cleaning; the content model's own limit."""

_TAGS = """
a abbr b bdi bdo br cite code em i q rp rt ruby s small span strong sub sup time u
blockquote caption dd div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr img li ol p pre
table tbody td tfoot th thead tr ul
"""
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS.split()),
    clean_content_tags={"script", "style", "iframe", "object", "embed", "form", "svg", "math", "template", "noscript"},
    attributes={
        "*": {"lang", "dir"},
        "a": {"href", "title"},
        "img": {"src", "alt", "width", "height"},
        "ol": {"start"},
        "td": {"colspan", "rowspan"},
        "th": {"colspan", "rowspan"},
        "time": {"datetime"},
    },
    url_schemes={"http", "https", "mailto", "tel"},
    # A relative address would be resolved against whoever shows the story, who is not its author.
    url_relative="deny",
    link_rel="noopener noreferrer",
)

_FORMATTING = re.compile(r"<(b|code|em|i|s|small|strong|u)[\s/][^>]*(?:>|\Z)", re.IGNORECASE)
_OBSOLETE = re.compile(r"</?(?:big|font|nobr|strike|tt)(?=[\s/>])[^>]*(?:>|\Z)", re.IGNORECASE)
_UNSAFE = re.compile(r"<(?:script|style|iframe|object|embed|form|svg|math|template)\b|\son[a-z]{3,20}\s{0,9}=", re.I)

_BREAK = re.compile(r"<(?:br|hr)\b[^>]*>|</(?:dt|dd|li|tr|figcaption|caption)>")
_PARAGRAPH = re.compile(r"</?(?:p|div|h[1-6]|blockquote|ul|ol|dl|table|figure|pre)\b[^>]*>")
_CELL = re.compile(r"</t[dh]>")
_TAG = re.compile(r'<(?:[^<>"]++|"[^"]*+")*+>')


def sanitise(source: str) -> str:
    """Return the HTML with only what a news text needs: no scripts, styles, forms, frames or relative addresses."""
    if "<" not in source:
        return html.escape(html.unescape(source), quote=False)
    if len(source) > MAX_HTML:
        raise MalformedInput(f"body_html: longer than {MAX_HTML:,} characters", "/body_html")
    if source.count("<") > MAX_TAGS:
        raise MalformedInput(f"body_html: more than {MAX_TAGS:,} tags", "/body_html")
    return _CLEANER.clean(_FORMATTING.sub(r"<\1>", _OBSOLETE.sub("", source))).strip()


def to_text(clean: str) -> str:
    """Return sanitised HTML as text: paragraphs parted by a blank line."""
    if "<" in clean:
        clean = clean.replace("\n", " ")
        clean = _PARAGRAPH.sub("\n\n", _BREAK.sub("\n", _CELL.sub("\t", clean)))
        clean = _TAG.sub("", clean)
    paragraphs = []
    for block in html.unescape(clean).split("\n\n"):
        lines = [" ".join(line.split()) for line in block.split("\n")]
        if paragraph := "\n".join(line for line in lines if line):
            paragraphs.append(paragraph)
    return "\n\n".join(paragraphs)


def to_html(text: str) -> str:
    """Return text as escaped ``<p>`` paragraphs; a single line end within one becomes ``<br>``."""
    blocks = [block.strip() for block in text.split("\n\n")]
    return "\n".join(f"<p>{html.escape(b, quote=False).replace(chr(10), '<br>')}</p>" for b in blocks if b)


def complete(draft: Draft) -> Draft:
    """Return the draft with its HTML sanitised and both bodies filled. Says so if something unsafe was taken out."""
    source, text = draft.body_html, draft.body_text
    if not source and not text:
        return draft
    warnings = draft.warnings
    if source:
        clean = sanitise(source)
        if _UNSAFE.search(source):
            warnings = (*warnings, Warning_(code="html-cleaned", text="Scripts, styles, forms or frames were removed."))
        text = text or to_text(clean)
    else:
        assert text is not None  # noqa: S101 - one of the two is there
        clean = to_html(text)
    if len(clean) > MAX_BODY or len(text) > MAX_BODY:
        raise MalformedInput(f"body: longer than {MAX_BODY:,} characters when cleaned")
    return draft.model_copy(update={"body_html": clean or None, "body_text": text or None, "warnings": warnings})
