"""What can be wrong with a submission, and the HTTP status that says so.

    FormatError
    ├── UnsupportedFormat   415: no format of ours reads this content type
    └── MalformedInput      422: the format is known, the bytes don't keep to it

Both are final: the same bytes fail again, so the caller quarantines them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import ValidationError

from newswire_schemas.faults import fault_of

MAX_REPORTED = 50
"""How many field errors one answer names; a hostile list of a million is not worth more."""
MAX_LISTED = 10_000

Loc = tuple[int | str, ...]


class FormatError(Exception):
    """A submission that cannot be read."""

    status = HTTPStatus.BAD_REQUEST


class UnsupportedFormat(FormatError):  # noqa: N818 - the word of RFC 9110
    """No format reads this content type; ``supported`` names those that do."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE

    def __init__(self, detail: str, supported: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.detail = detail
        self.supported = supported


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong. ``pointer`` is a JSON pointer (RFC 6901) into the submission, ``""`` for all of it."""

    pointer: str
    detail: str


class MalformedInput(FormatError):  # noqa: N818 - what it is, as UnsupportedFormat
    """The bytes don't keep to their format; ``errors`` says where, as far as that is known."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, detail: str, pointer: str | None = None, *, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors) or ((FieldError(pointer, detail),) if pointer is not None else ())

    @property
    def pointer(self) -> str | None:
        return self.errors[0].pointer if self.errors else None


def pointer_to(*path: object) -> str:
    """Return the JSON pointer (RFC 6901 section 3) of a path of keys and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def malformed(
    name: str, error: ValidationError, *path: object, locate: Callable[[Loc], Iterable[object]] = tuple
) -> MalformedInput:
    """Return a pydantic error as ours.

    ``path`` is where in the submission the validated value stands, ``locate``
    turns a place in the content model into the place in that value.
    """
    if error.error_count() > MAX_LISTED:
        # Listing 300,000 of them takes 2 s, which a hostile submission would buy for 1 MB.
        return MalformedInput(f"{name}: {error.error_count():,} values are wrong", pointer_to(*path))
    found = error.errors(include_url=False, include_input=False, include_context=False)[:MAX_REPORTED]
    if found[0]["type"] == "json_invalid":
        return MalformedInput(f"{name}: {found[0]['msg']}")
    errors = [FieldError(pointer_to(*path, *locate(each["loc"])), fault_of(each)) for each in found]
    return MalformedInput(f"{name}: {errors[0].pointer or 'the whole'}: {errors[0].detail}", errors=errors)
