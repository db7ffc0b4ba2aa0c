"""Headlines, bodies and descriptions of ninjs: by suffix in 1.x, lists by role from 2.0 on."""

import re
from dataclasses import dataclass
from typing import Any

from newswire_ingest.formats.bodies import sanitise, to_text

TEXT_NAME = re.compile(r"(?:headline|body|description)(?:_[a-z0-9_]+)?\Z|(?:headlines|bodies|descriptions|title)\Z")

_KINDS = {"headlines": "headline", "bodies": "body", "descriptions": "description"}
_MAIN = ("main", "", "text", "html", "richtext", "xhtml", "rich", "abstract", "summary", "short")
"""Roles and suffixes that mean the text itself, the most certain first; any other comes after them."""
_LOOKS_HTML = re.compile(r"\s*<[a-zA-Z]|.{0,2000}</(?:p|a|b|i|em|strong|h\d|li)>", re.DOTALL)


@dataclass(slots=True)
class _Text:
    key: str
    role: str
    value: Any
    html: bool
    whole: Any
    """What goes to the extras if this text is not used: the value, or the list's entry with its role."""

    @property
    def order(self) -> int:
        return _MAIN.index(self.role) if self.role in _MAIN else len(_MAIN)


class Texts:
    """Collects the texts of an item and says which of them is which field."""

    def __init__(self) -> None:
        self._found: dict[str, list[_Text]] = {"headline": [], "body": [], "description": [], "title": []}
        self._used: set[int] = set()

    def add(self, key: str, folded: str, value: object) -> None:
        kind, _, role = folded.partition("_")
        if kind not in _KINDS:
            self._found[kind].append(_Text(key, role, value, _is_html(role, value), value))
            return
        if not isinstance(value, list):
            self._found[_KINDS[kind]].append(_Text(key, "", value, False, value))
            return
        for index, entry in enumerate(value):
            if isinstance(entry, dict) and isinstance(entry.get("value"), str):
                role = str(entry.get("role") or "").lower()
                content_type = str(entry.get("contentType") or entry.get("contenttype") or "").lower()
                html = "html" in content_type if content_type else _is_html(role, entry["value"])
                self._found[_KINDS[kind]].append(_Text(key, role, entry["value"], html, entry))
            else:
                # Not a text: hand on what is wrong, under a pointer that finds it.
                self._found[_KINDS[kind]].append(_Text(f"{key}/{index}", "", entry, False, entry))

    def fields(self) -> dict[str, tuple[str, Any]]:
        """The fields of the content model, each with the name that it came from."""
        fields: dict[str, tuple[str, Any]] = {}
        for field, text in (
            ("headline", self._best("headline") or self._best("title")),
            ("body_text", self._best("body", html=False)),
            ("body_html", self._best("body", html=True)),
        ):
            if text is not None:
                fields[field] = (text.key, text.value)
        if summary := self._summary():
            fields["summary"] = summary
        return fields

    def extras(self) -> dict[str, Any]:
        """The texts that no field took, under their names."""
        extras: dict[str, Any] = {}
        for texts in self._found.values():
            for text in texts:
                if id(text) not in self._used:
                    listed = text.whole is not text.value
                    extras.setdefault(text.key, []).append(text.whole) if listed else extras.update(
                        {text.key: text.whole}
                    )
        return extras

    def _best(self, kind: str, *, html: bool | None = None) -> _Text | None:
        fitting = [t for t in self._found[kind] if html is None or t.html is html]
        best = min(fitting, key=lambda t: t.order, default=None)
        if best is not None:
            self._used.add(id(best))
        return best

    def _summary(self) -> tuple[str, Any] | None:
        plain, rich = self._best("description", html=False), self._best("description", html=True)
        rendered = to_text(sanitise(rich.value)) if rich and isinstance(rich.value, str) else None
        if plain is None:
            return (rich.key, rendered if rendered is not None else rich.value) if rich else None
        if rich is not None and rendered != plain.value:
            self._used.discard(id(rich))  # it says something else, so it is kept
        return (plain.key, plain.value)


def _is_html(role: str, value: object) -> bool:
    if "html" in role or "rich" in role:
        return True
    return role != "text" and isinstance(value, str) and bool(_LOOKS_HTML.match(value))
