"""Take a text apart into paragraphs: lines as a browser copies them, or the wrapped lines of wire copy."""

import re
from dataclasses import dataclass
from itertools import pairwise

from newswire_ingest.formats.errors import MalformedInput

MAX_LINES = 10_000
"""Lines with text in one submission; keeps the worst hostile page under a second."""
_WRAP_WIDTH = 100
"""Wire copy is wrapped at 60 to 80 characters; a page's paragraphs are longer."""

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_CLOSERS = "\"'»”’“)]」』】）> "
_SENTENCE_ENDS = (".", "!", "?", "…", "。", "！", "？")


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph's text, its white space collapsed. ``apart`` if a blank line stood before it."""

    text: str
    apart: bool = False
    indented: bool = False

    @property
    def size(self) -> int:
        """Length in letters of an alphabet: an ideograph says as much as three."""
        return len(self.text) if self.text.isascii() else len(self.text) + 2 * len(_CJK.findall(self.text))

    @property
    def words(self) -> int:
        """Words, counting two ideographs as one."""
        spaced = self.text.count(" ") + 1
        return spaced if self.text.isascii() else max(spaced, len(_CJK.findall(self.text)) // 2)

    @property
    def ends_sentence(self) -> bool:
        return self.text.rstrip(_CLOSERS).endswith(_SENTENCE_ENDS)

    @property
    def is_prose(self) -> bool:
        """Whether this can only be running text: long, and a sentence ends with it."""
        return self.size >= 120 and self.ends_sentence


def split(name: str, text: str) -> list[Line]:
    """Return the paragraphs of a text, in order; wrapped lines are joined."""
    lines: list[Line] = []
    apart = True
    for raw in text.split("\n"):
        # Only the ends: a zero-width joiner within a word belongs to some scripts.
        stripped = " ".join(raw.split()).strip("\ufeff\u200b\u200e\u200f ")
        if not stripped:
            apart = True
            continue
        if len(lines) == MAX_LINES:
            raise MalformedInput(f"{name}: more than {MAX_LINES:,} lines; a story has fewer")
        lines.append(Line(stripped, apart, raw[:1] == "\t" or raw[:2] == "  "))
        apart = False
    return _join(lines) if _is_wrapped(lines) else lines


def _runs_over(line: Line, following: Line, width: int) -> bool:
    """Whether a wrapper would have broken here: the next word did not fit any more."""
    return len(line.text) + 1 + min(len(following.text.partition(" ")[0]), 12) > width


def _is_wrapped(lines: list[Line]) -> bool:
    width = max((len(line.text) for line in lines), default=0)
    if width > _WRAP_WIDTH or width < 40:
        return False
    pairs = [(a, b) for a, b in pairwise(lines) if not b.apart and not b.indented]
    over = sum(_runs_over(a, b, width - 4) for a, b in pairs)
    return over >= 3 and over >= 0.7 * len(pairs)


def _join(lines: list[Line]) -> list[Line]:
    width = max(len(line.text) for line in lines) - 8
    joined: list[list[str]] = []
    heads: list[Line] = []
    previous: Line | None = None
    for line in lines:
        if previous is not None and not line.apart and not line.indented and _runs_over(previous, line, width):
            glue = "" if _CJK.match(previous.text[-1]) and _CJK.match(line.text) else " "
            joined[-1].append(glue + line.text)
        else:
            joined.append([line.text])
            heads.append(line)
        previous = line
    return [Line("".join(parts), head.apart, head.indented) for parts, head in zip(joined, heads, strict=True)]
