"""What the JSON formats share: reading a body into items, strictly and bounded."""

import math
from typing import Any

from pydantic_core import from_json

from newswire_ingest.formats.errors import MalformedInput, pointer_to

MAX_ITEMS = 1_000
"""Articles in one submission."""

Path = tuple[object, ...]


def read(name: str, body: bytes) -> Any:
    """Return the value of a JSON body (RFC 8259). Nesting deeper than 200 is refused by the parser."""
    try:
        return from_json(body.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as exc:
        raise MalformedInput(f"{name}: Invalid JSON: {exc}") from exc


def items_of(name: str, body: bytes) -> list[tuple[Path, dict[str, Any]]]:
    """Return the objects of a body that is one object, an array or ``{"items": [...]}``, each with its path."""
    value = read(name, body)
    prefix: Path = ()
    if isinstance(value, dict) and isinstance(value.get("items"), list):
        if surplus := [key for key in value if key != "items"]:
            raise MalformedInput(f"{name}: a list of items has no other field", pointer_to(surplus[0]))
        value, prefix = value["items"], ("items",)
    if isinstance(value, dict):
        return [((), value)]
    if not isinstance(value, list):
        raise MalformedInput(f"{name}: expected an object or an array of objects", "")
    if not value:
        raise MalformedInput(f"{name}: the list of items is empty", pointer_to(*prefix))
    if len(value) > MAX_ITEMS:
        raise MalformedInput(f"{name}: more than {MAX_ITEMS:,} items; send several requests", pointer_to(*prefix))
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            raise MalformedInput(f"{name}: expected an object", pointer_to(*prefix, index))
    return [((*prefix, index), item) for index, item in enumerate(value)]


def object_keys(body: bytes) -> frozenset[str]:
    """Return the keys of the object in a body, or of the first object in its list; none if it is no JSON."""
    try:
        value = from_json(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        return frozenset()
    if isinstance(value, dict) and not isinstance(value.get("items"), list):
        return frozenset(value)
    items = value["items"] if isinstance(value, dict) else value
    first = items[0] if isinstance(items, list) and items else None
    return frozenset(first) if isinstance(first, dict) else frozenset(value) if isinstance(value, dict) else frozenset()


def check_numbers(value: object) -> bool:
    """Whether all numbers in a JSON value are finite, as RFC 8259 section 6 demands."""
    if isinstance(value, dict):
        return all(map(check_numbers, value.values()))
    if isinstance(value, list):
        return all(map(check_numbers, value))
    return not isinstance(value, float) or math.isfinite(value)
