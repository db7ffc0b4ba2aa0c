"""Fill in what a submission leaves open and its source has configured."""

from typing import Any

from pydantic import ValidationError

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput
from newswire_schemas.article import Draft

_FIELDS = {
    "language": "language",
    "agency": "source",
    "section": "section",
    "usage_terms": "usage_terms",
    "copyright_holder": "copyright_holder",
}
"""The configured default and the field that it fills."""


def finish(draft: Draft, context: ParseContext) -> Draft:
    """Return the draft with the source's defaults where it says nothing, and the uri that was asked for."""
    update: dict[str, Any] = {
        field: context.defaults[key]
        for key, field in _FIELDS.items()
        if key in context.defaults and getattr(draft, field) is None
    }
    if context.uri and draft.uri != context.uri:
        update["uri"] = context.uri
    if not update:
        return draft
    try:
        checked = Draft.model_validate(update)
    except ValidationError as exc:
        field = exc.errors()[0]["loc"][0]
        raise MalformedInput(f"defaults: {field}: {exc.errors()[0]['msg']}") from exc
    return draft.model_copy(update={field: getattr(checked, field) for field in update})
