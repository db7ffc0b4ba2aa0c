"""How names and words compare: case folding, and text as a run of words.

One rule serves ``words`` and ``phrases``: a value matches where its words
follow one another in one field of the story. A word is a run of letters,
digits and combining marks; all else only separates, so ``COVID-19`` is the
run ``covid 19`` and ``C++`` is ``c``. Scripts that are written without
spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) have no word boundaries
to go by: each of their characters counts as a word, which makes a value in
them match wherever it occurs, as a substring does. A value without any
letter or digit matches nothing.
"""

import html
import re
import unicodedata

import regex

_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_WORD = regex.compile(rf"[{_SPACELESS}]|[[\w\p{{M}}]--[{_SPACELESS}\p{{Pc}}]]+", regex.VERSION1)
_PLAIN_WORD = re.compile(r"[^\W_]+")
_NOT_PLAIN = re.compile("[^\0-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u200b\u200e-\u203e\u20a0-\u20bf]")
"""Anything but Latin, Greek, Cyrillic, punctuation and currencies: only in other text are there marks and scripts
without spaces. For the rest, `re` takes a sixth of the time."""

# Each pattern stops at the next "<", so that a text of nothing but "<" costs linear time.
_INLINE_TAG = re.compile(
    r"</?(?:a|abbr|b|bdi|bdo|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|u|wbr)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]*>")


def fold(text: str) -> str:
    """Return the text as it compares: compatibility forms (NFKC) and case folded, no soft hyphens."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text.replace("\u00ad", "")).casefold()
    return unicodedata.normalize("NFKC", folded)


def words_of(text: str) -> list[str]:
    """Return the comparable words of a text, in order."""
    folded = fold(text)
    plain = folded.isascii() or not _NOT_PLAIN.search(folded)
    words: list[str] = (_PLAIN_WORD if plain else _WORD).findall(folded)
    return words


def run_of(value: str) -> str:
    """Return a value as its comparable words, separated by single spaces; empty if it has none."""
    return " ".join(words_of(value))


def text_of_html(markup: str) -> str:
    """Return the words of an HTML body for matching: inline tags join, all others separate. Not a sanitiser."""
    return html.unescape(_TAG.sub("\n", _INLINE_TAG.sub("", markup)))
