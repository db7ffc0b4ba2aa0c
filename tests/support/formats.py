"""The formats of JSON Schema that ninjs uses, checked: by default a validator only notes them."""

from datetime import datetime

from jsonschema import FormatChecker
from rfc3986_validator import validate_rfc3986

FORMATS = FormatChecker(formats=())


@FORMATS.checks("uri")
def _is_uri(text: object) -> bool:
    return not isinstance(text, str) or validate_rfc3986(text, rule="URI") is not None


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(text: object) -> bool:
    return not isinstance(text, str) or datetime.fromisoformat(text).tzinfo is not None
