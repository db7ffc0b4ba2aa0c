"""Feed readers that others wrote, each behind one function: a document in, its entries as `Entry` out."""

import functools
import hashlib
import json
import os
import shutil
import subprocess
from calendar import timegm
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import atoma
import fastfeedparser
import feedparser
import feedparser_rs
import pytest

_NPM = Path(__file__).parents[1] / "data" / "readers"
_CACHE = Path(__file__).parents[2] / ".cache" / "readers"


@dataclass(frozen=True)
class Entry:
    """An entry as a reader hands it out; times in whole seconds, None for what the reader does not show."""

    id: str
    title: str
    link: str
    published: int | None
    updated: int | None
    content: str


def by_feedparser(_: str, document: bytes) -> list[Entry]:
    found = feedparser.parse(document, sanitize_html=False)
    assert not found.bozo, found.bozo_exception
    return [_like_feedparser(entry) for entry in found.entries]


def by_feedparser_rs(extension: str, document: bytes) -> list[Entry]:
    # Its sanitiser takes every title for HTML, plain text of Atom and JSON too.
    found = feedparser_rs.parse(document, sanitize_html=False)
    assert not found.bozo, found.bozo_exception
    entries = [_like_feedparser(entry) for entry in found.entries]
    # It takes an RSS item's atom:updated for nothing and repeats pubDate.
    return [Entry(**{**vars(each), "updated": None}) for each in entries] if extension == "rss" else entries


def _like_feedparser(entry: Any) -> Entry:
    return Entry(
        entry.id,
        entry.title,
        entry.link,
        timegm(entry.published_parsed),
        timegm(entry.updated_parsed),
        entry.content[0].value if entry.get("content") else "",
    )


def by_fastfeedparser(_: str, document: bytes) -> list[Entry]:
    return [
        Entry(
            each["id"],
            each["title"],
            each["link"],
            _seconds(each["published"]),
            _seconds(each["updated"]),
            each["content"][0]["value"] if each.get("content") else "",
        )
        for each in fastfeedparser.parse(document)["entries"]
    ]


def by_atoma(extension: str, document: bytes) -> list[Entry]:
    if extension == "rss":
        return [
            Entry(each.guid, each.title, each.link, int(each.pub_date.timestamp()), None, each.content_encoded)
            for each in atoma.parse_rss_bytes(document).items
        ]
    if extension == "atom":
        return [
            Entry(
                each.id_,
                each.title.value,
                next(link.href for link in each.links if link.rel == "alternate"),
                int(each.published.timestamp()),
                int(each.updated.timestamp()),
                each.content.value if each.content else "",
            )
            for each in atoma.parse_atom_bytes(document).entries
        ]
    return [
        Entry(
            each.id_,
            each.title,
            each.url,
            int(each.date_published.timestamp()),
            int(each.date_modified.timestamp()),
            each.content_html,
        )
        for each in atoma.parse_json_feed_bytes(document).items
    ]


def by_npm(reader: str) -> "Reader":
    """Return a reader of npm's; it skips its test where there is no node, except in CI."""

    def read(_: str, document: bytes) -> list[Entry]:
        done = subprocess.run(
            ["node", str(_npm() / "read.mjs"), reader], input=document, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        return [
            Entry(
                each["id"],
                each["title"],
                each["link"],
                _seconds(each["published"]),
                _seconds(each["updated"]) if each.get("updated") else None,
                each["content"],
            )
            for each in json.loads(done.stdout)
        ]

    return read


@functools.cache
def _npm() -> Path:
    """Return where npm's readers are installed: once for each lock file, beside the other caches."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            assert os.environ.get("CI") != "true", f"{command} is missing: install nodejs and npm"
            pytest.skip(f"{command} is missing")
    lock = (_NPM / "package-lock.json").read_bytes()
    home = _CACHE / hashlib.sha256(lock).hexdigest()[:16]
    if not (home / "node_modules").exists():
        building = _CACHE / f"new-{os.getpid()}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_NPM / name, building)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=building,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if done.returncode != 0:
            assert os.environ.get("CI") != "true", done.stderr
            pytest.skip(f"npm cannot install the readers: {done.stderr[-300:]}")
        try:
            building.rename(home)
        except OSError:  # another worker was quicker
            shutil.rmtree(building)
    shutil.copy(_NPM / "read.mjs", home)
    return home


def _seconds(text: str | None) -> int | None:
    if text is None:
        return None
    moment = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
    return int(moment.timestamp())


Reader = Callable[[str, bytes], list[Entry]]
READERS: dict[str, tuple[Reader, tuple[str, ...]]] = {
    "feedparser": (by_feedparser, ("rss", "atom")),  # JSON Feed came after its release 6
    "feedparser-rs": (by_feedparser_rs, ("rss", "atom", "json")),
    "fastfeedparser": (by_fastfeedparser, ("rss", "atom", "json")),
    "atoma": (by_atoma, ("rss", "atom", "json")),
    "feedsmith": (by_npm("feedsmith"), ("rss", "atom", "json")),
    "rss-parser": (by_npm("rss-parser"), ("rss", "atom")),
}
"""Readers by name, and the formats that each reads."""
