"""JSON that comes from outside: strictly by RFC 8259, and bounded.

The parser gives up at 200 levels with a ValueError like any other; ``json.loads`` ends in a RecursionError
some hundred levels further on, and lets NaN and halves of surrogate pairs through.
"""

from typing import Any

from pydantic_core import from_json

_BOM = b"\xef\xbb\xbf"


def read_json(text: bytes | str) -> Any:
    """Return the value of a JSON text; raise a ValueError that says what is wrong and where."""
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return from_json(raw.removeprefix(_BOM), allow_inf_nan=False)
