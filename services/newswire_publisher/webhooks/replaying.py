"""What a replay may ask for."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

from newswire_schemas.article import Utc

Number = Annotated[int, Field(ge=0, le=2**53, strict=True)]
_TIME: TypeAdapter[datetime] = TypeAdapter(Utc)


class Replay(BaseModel):
    """The body of ``POST …/replay``: one of ``after`` and ``since``, and how far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: Number | None = Field(None, description="From the entry after this sequence number; 0: from the first.")
    since: Utc | None = Field(None, description="From the first entry at or after this time.")
    until: int | Utc | None = Field(
        None, description="To this sequence number, or to the last entry before this time; none: to the newest."
    )
    only: Literal["failed"] | None = Field(None, description="failed: leave out what was delivered.")

    @field_validator("until", mode="before")
    @classmethod
    def _number_or_time(cls, value: object) -> int | datetime | None:
        # One refusal in words, where a union's would be one for each of its members.
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**53):
            return value
        if isinstance(value, str):
            try:
                return _TIME.validate_python(value)
            except ValidationError:
                pass
        raise ValueError('write a sequence number, such as 17, or a time, such as "2026-01-31T12:00:00Z"')

    @model_validator(mode="after")
    def _one_start(self) -> "Replay":
        if (self.after is None) == (self.since is None):
            example = '{"after": 0} or {"since": "2026-01-31T12:00:00Z"}'
            raise ValueError(f"say from where, with one of after and since: {example}; until and only are optional")
        start, end = (self.after, self.until) if isinstance(self.until, int) else (self.since, self.until)
        if start is not None and end is not None and end <= start:  # type: ignore[operator]  # both of one kind
            raise ValueError("until must come after where the replay starts")
        return self
