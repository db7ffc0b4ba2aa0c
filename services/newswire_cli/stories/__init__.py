"""The sample stories that ``newswire up`` shows itself with; all invented, agency and persons too.

``index.json`` lists them in the order of submission. Identities, versions and
times are fixed, so that loading them a second time changes nothing: each is
unchanged, or older than what is there. Only the embargo moves with the clock,
so that one can watch it lift; its version does not, so a second load of it is
no new version either.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

_EMBARGO = b"{embargoed_until}"


@dataclass(frozen=True, slots=True)
class Story:
    """One submission: what ``POST /v1/articles`` gets."""

    name: str
    content_type: str
    body: bytes


def load(now: datetime) -> list[Story]:
    """Return the sample stories, in the order in which they are to be submitted. ``now`` is aware."""
    folder = files("newswire_cli.stories")
    stories = []
    for entry in json.loads((folder / "index.json").read_text("utf-8")):
        body = (folder / entry["file"]).read_bytes()
        if seconds := entry.get("embargo_seconds"):
            until = now.astimezone(UTC) + timedelta(seconds=seconds)
            body = body.replace(_EMBARGO, until.isoformat(timespec="milliseconds").encode())
        stories.append(Story(entry["file"].partition(".")[0], entry["content_type"], body))
    return stories
