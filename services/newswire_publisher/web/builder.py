"""The filter builder: a form's fields become a filter, and a filter the commands that use it; pure."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from pydantic import ValidationError

from newswire_schemas.faults import fault_of
from newswire_schemas.filters import Filter

LISTS = ("languages", "sections", "topics", "places", "sources", "genres", "words", "phrases", "exclude")
"""Fields of the form that hold several values with commas between; ``exclude`` holds words."""

DAYS = (1, 7, 30)
_COMMA = re.compile("[,،、，;؛\n]")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")


@dataclass(frozen=True)
class Built:
    """What the form says. ``filter`` is None where a field makes no sense; ``errors`` says which and why."""

    values: Mapping[str, str]
    days: int = DAYS[0]
    name: str = "my-feed"
    filter: Filter | None = None
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> str:
        """The filter as JSON, only with what it asks for."""
        if self.filter is None:
            return ""
        return json.dumps(self.filter.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)

    def address(self, base_url: str, path: str) -> str:
        """Return the address of a list or stream with this filter."""
        return f"{base_url}{path}?filter={quote(self.json, safe='')}"

    @property
    def command(self) -> str:
        """The operator's command that makes it a feed."""
        return f"newswire feed set {self.name} --title {shlex.quote(self.name)} --filter {shlex.quote(self.json)}"

    def call(self, base_url: str) -> str:
        """Return the same as an HTTP call."""
        body = json.dumps({"title": self.name, "filter": json.loads(self.json)}, ensure_ascii=False)
        return (
            f"curl -X PUT {shlex.quote(f'{base_url}/v1/feeds/{self.name}')} \\\n"
            '  -H "Authorization: Bearer $NEWSWIRE_TOKEN" -H "Content-Type: application/json" \\\n'
            f"  -d {shlex.quote(body)}"
        )


def build(query: Mapping[str, str]) -> Built:
    """Read the form. What cannot be read keeps what was typed, with an error beside it."""
    values = {name: query.get(name, "").strip() for name in (*LISTS, "urgency", "name")}
    errors: dict[str, str] = {}
    name = values["name"] or "my-feed"
    if not _NAME.match(name):
        errors["name"] = "Use small letters, digits, dots, dashes and underscores; 63 at most."
    days = next((days for days in DAYS if str(days) == query.get("days")), DAYS[0])
    wanted: dict[str, Any] = {field: each for field in LISTS if (each := _split(values[field]))}
    if "exclude" in wanted:
        wanted["exclude"] = {"words": wanted["exclude"]}
    if values["urgency"]:
        wanted["urgency"] = values["urgency"]
    found = None
    try:
        found = Filter.model_validate(wanted)
    except ValidationError as exc:
        for error in exc.errors():
            errors.setdefault(str(error["loc"][0]), fault_of(error))
    return Built(values, days, name, None if errors else found, errors)


def _split(text: str) -> list[str]:
    return [value for part in _COMMA.split(text) if (value := part.strip())]
