"""The files that pages need: styles, scripts, the icon.

    static/ ──▶ name with a hash of the bytes ──▶ /static/NAME, kept by browsers for ever

A script's ``import`` names a file as it lies here; it is sent with that file's address in its
place, so that a changed file changes the addresses of all that need it. Scripts that import
each other in a circle have no such address: that is a ValueError when the process starts.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_IMPORT = re.compile(rb'^((?:import|export|\}) ?(?:[^"\n]* from )?)"\./([a-z0-9-]+\.js)";', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of ours, at an address that changes with its bytes, so that a browser may keep it for ever."""

    name: str
    body: bytes
    address: str
    media_type: str


def load_assets() -> Mapping[str, Asset]:
    """Return the files by the last part of their address."""
    sources = {
        file.name: file.read_bytes()
        for file in files("newswire_publisher.web").joinpath("static").iterdir()
        if file.name.rpartition(".")[2] in _TYPES
    }
    made: dict[str, Asset] = {}
    for name in sources:
        _make(name, sources, made, ())
    return {asset.address.rpartition("/")[2]: asset for asset in made.values()}


def _make(name: str, sources: Mapping[str, bytes], made: dict[str, Asset], within: tuple[str, ...]) -> Asset:
    if name in within:
        raise ValueError(f"assets: {' imports '.join([*within, name])}; take what both need into a file of its own")
    if name in made:
        return made[name]

    def addressed(found: re.Match[bytes]) -> bytes:
        other = _make(found[2].decode(), sources, made, (*within, name))
        return found[1] + b'"' + other.address.encode() + b'";'

    stem, _, extension = name.rpartition(".")
    body = _IMPORT.sub(addressed, sources[name]) if extension == "js" else sources[name]
    address = f"/static/{stem}.{hashlib.sha256(body).hexdigest()[:12]}.{extension}"
    made[name] = Asset(name, body, address, f"{_TYPES[extension]}; charset=utf-8")
    return made[name]
