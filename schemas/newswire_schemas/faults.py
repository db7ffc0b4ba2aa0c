"""What is wrong with a value that does not fit a model, in words for whoever sent it."""

from collections.abc import Mapping
from typing import Any


def fault_of(error: Mapping[str, Any]) -> str:
    """Return what one of pydantic's errors says: without the prefix that it gives to a validator's own words."""
    return str(error["msg"]).removeprefix("Value error, ")
