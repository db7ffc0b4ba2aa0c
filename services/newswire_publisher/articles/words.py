"""What changed in a text, word by word; pure.

Tokens are words, whole numbers with their separators (``1,250.5``), single characters of
scripts written without spaces, and single other characters. Long texts are compared
paragraph by paragraph first, and only what differs word by word: difflib's time grows with
the square of what it compares, so each comparison is bounded (`MOST_TOKENS`); what exceeds
the bound is shown as taken out and put in whole.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

import regex

Op = Literal["equal", "delete", "insert"]

MOST_TOKENS = 1_200
"""Tokens that are compared in one go, on either side; beyond it a change is told whole."""

MOST_PARAGRAPHS = 500

_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
_NUMBER = r"\p{Nd}+(?:[.,:٫٬’'\u00a0\u202f]\p{Nd}+)*"
_TOKEN = regex.compile(
    rf"{_NUMBER}|[{_SPACELESS}]\p{{M}}*|[[\w\p{{M}}]--[{_SPACELESS}]--\p{{Nd}}]+|\s+|\X", regex.VERSION1 | regex.DOTALL
)
_IS_NUMBER = regex.compile(_NUMBER, regex.VERSION1)
_GLUE = regex.compile(r"[\s\p{P}]*", regex.VERSION1)
_PARAGRAPH = regex.compile(r"[^\n]+\n*|\n+")


class Part(NamedTuple):
    """A run of text that both versions have, that only the older has, or only the newer."""

    op: Op
    text: str


class NumberChange(NamedTuple):
    """A number that became another, that went (``after`` None), or that came (``before`` None)."""

    before: str | None
    after: str | None


def tokens_of(text: str) -> list[str]:
    """Return the text cut into tokens; joined they are the text again."""
    found: list[str] = _TOKEN.findall(text)
    return found


def diff(before: str, after: str) -> tuple[Part, ...]:
    """Return the parts of both texts: equal and deleted ones make up ``before``, equal and inserted ones ``after``."""
    parts: list[Part] = []
    for op, old, new in _opcodes(_PARAGRAPH.findall(before), _PARAGRAPH.findall(after), MOST_PARAGRAPHS):
        if op == "equal":
            parts.append(Part("equal", "".join(old)))
        else:
            parts += _words("".join(old), "".join(new))
    return tuple(_joined(parts))


def number_changes(parts: Sequence[Part]) -> tuple[NumberChange, ...]:
    """Return the numbers that differ, in the order in which a reader meets them."""
    found: list[NumberChange] = []
    old: list[str] = []
    new: list[str] = []

    def settle() -> None:
        for number in list(old):
            if number in new:  # only its surroundings changed
                old.remove(number)
                new.remove(number)
        for at in range(max(len(old), len(new))):
            found.append(NumberChange(old[at] if at < len(old) else None, new[at] if at < len(new) else None))
        old.clear()
        new.clear()

    for part in parts:
        if part.op == "equal":
            settle()
        else:
            (old if part.op == "delete" else new).extend(_IS_NUMBER.findall(part.text))
    settle()
    return tuple(found)


def _words(before: str, after: str) -> Iterator[Part]:
    for op, old, new in _opcodes(tokens_of(before), tokens_of(after), MOST_TOKENS):
        if op == "equal":
            yield Part("equal", "".join(old))
            continue
        yield Part("delete", "".join(old))
        yield Part("insert", "".join(new))


def _opcodes(
    before: Sequence[str], after: Sequence[str], most: int
) -> Iterator[tuple[str, Sequence[str], Sequence[str]]]:
    """Yield ``(op, old, new)`` from begin to end; what both ends share is never given to difflib."""
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    yield "equal", before[:head], after[:head]
    old, new = before[head : len(before) - tail], after[head : len(after) - tail]
    if max(len(old), len(new)) > most:
        yield "replace", old, new
    else:
        for op, i1, i2, j1, j2 in SequenceMatcher(None, old, new).get_opcodes():
            yield op, old[i1:i2], new[j1:j2]
    yield "equal", before[len(before) - tail :], after[len(after) - tail :]


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Join neighbours, and take spaces and marks between two changes into them: whole phrases read better."""
    old, new = "", ""
    equal = ""
    for part in [*(part for part in parts if part.text), None]:
        if part is not None and part.op == "equal":
            equal += part.text
            continue
        if equal and (old or new):
            if part is not None and "\n" not in equal and _GLUE.fullmatch(equal):
                old, new, equal = old + equal, new + equal, ""
            else:
                yield from _change(old, new)
                old, new = "", ""
        if equal:
            yield Part("equal", equal)
            equal = ""
        if part is None:
            yield from _change(old, new)
        elif part.op == "delete":
            old += part.text
        else:
            new += part.text


def _change(old: str, new: str) -> Iterator[Part]:
    if old:
        yield Part("delete", old)
    if new:
        yield Part("insert", new)
