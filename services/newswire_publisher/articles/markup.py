"""Text and HTML as an output may carry it.

Feeds and pages are read by programs we know nothing of: a body is sanitised here again,
whatever an earlier stage did, and characters that XML cannot carry go, also
those that only a character reference in the HTML brings in.
"""

import html
import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

import nh3

from newswire_publisher.routing.text import text_of_html
from newswire_schemas.article import clean_text

EXCERPT = 280
"""Characters of text that stand in for a summary that is missing."""

MAX_ELEMENTS = 8_000
"""Elements in a body; its longest tables have fewer. The sanitiser's time grows with the square of the depth to which
elements are nested (8,000 in one another: 0.2 s, 300,000: 270 s), and only their number bounds that safely."""

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;.*)?", re.ASCII)
_START_TAG = re.compile("<[A-Za-z]")
_NOT_IN_ADDRESSES = re.compile(r"""[\s<>"{}|\\^`]""")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n+")


def plain(text: str) -> str:
    """Return the text without the characters that XML 1.0 (section 2.2) cannot carry."""
    return clean_text(text)


@lru_cache(maxsize=64)  # one version is shown in five formats and on its page, one after the other
def safe_markup(markup: str, base: str | None = None) -> str:
    """Return HTML without scripts, event handlers and unsafe addresses, which XML can carry.

    Relative addresses are resolved against ``base``, an absolute address, and left out without one: nobody
    could follow them from where this is read. HTML of more than `MAX_ELEMENTS` elements comes back as
    paragraphs of its text.
    """
    if len(_START_TAG.findall(markup)) > MAX_ELEMENTS:
        return markup_of(text_of_html(markup))
    safe = nh3.clean(clean_text(markup), url_relative=("rewrite_with_base", base) if base else "deny")
    return clean_text(safe) if "&#" in markup else safe


def markup_of(text: str) -> str:
    """Return plain text as HTML: a paragraph for each block between blank lines."""
    blocks = (block.strip() for block in _PARAGRAPHS.split(clean_text(text)))
    return "".join(f"<p>{html.escape(block, quote=False)}</p>" for block in blocks if block)


def excerpt(text: str, length: int = EXCERPT) -> str:
    """Return the beginning of a text, in one line, ended at a space where it is cut."""
    line = " ".join(clean_text(text).split())
    if len(line) <= length:
        return line
    cut = line[:length]
    return f"{cut.rpartition(' ')[0] or cut}…"


def web_address(href: str | None) -> str | None:
    """Return an absolute http(s) address as XML can carry it; None for anything else, and where no host is named.

    Characters that no address has (RFC 3986 section 2), as in file names with spaces, are percent-encoded.
    """
    if not href or not href[:8].lower().startswith(("https://", "http://")):
        return None
    scheme, _, rest = clean_text(href).partition("://")
    address = f"{scheme.lower()}://{_NOT_IN_ADDRESSES.sub(lambda found: quote(found[0]), rest)}"
    try:
        return address if urlsplit(address).hostname else None
    except ValueError:  # as in http://[::1/
        return None


def media_type_of(text: str | None) -> str | None:
    """Return the text if it is a media type (RFC 6838 section 4.2), None otherwise."""
    return text if text and _MEDIA_TYPE.fullmatch(text) else None
