"""Our own JSON: one article, an array of them, or ``{"items": [...]}``.

The fields are those of ``newswire_schemas.article.Draft``; a field that it does
not have is an error with its JSON pointer, so that a typo is never lost.
"""

from pydantic import ValidationError

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput, malformed, pointer_to
from newswire_ingest.formats.jsons import check_numbers, items_of
from newswire_schemas.article import Draft

name = "article"
content_types = ("application/json", "application/vnd.newswire.article+json")


def recognise(body: bytes) -> bool:
    """Whether the body looks like JSON; any JSON that no other format claims is taken for ours."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def parse(body: bytes, context: ParseContext) -> list[Draft]:
    """Return the articles in a body, in its order."""
    del context  # our JSON says everything itself
    body = body.removeprefix(b"\xef\xbb\xbf")
    if body.lstrip()[:1] == b"{" and b'"items"' not in body:
        try:
            drafts = [Draft.model_validate_json(body)]
        except ValidationError as exc:
            raise malformed(name, exc) from exc
    else:
        drafts = []
        for path, item in items_of(name, body):
            try:
                drafts.append(Draft.model_validate(item))
            except ValidationError as exc:
                raise malformed(name, exc, *path) from exc
    for draft in drafts:
        if draft.extras and not check_numbers(draft.extras):
            raise MalformedInput(f"{name}: extras: NaN and Infinity are no JSON numbers", pointer_to("extras"))
    return drafts
