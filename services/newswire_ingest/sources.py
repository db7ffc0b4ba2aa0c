"""Sources: where articles come from, and what holds where a submission is silent."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from newswire_ingest.formats.context import ParseContext
from newswire_ingest.formats.errors import MalformedInput
from newswire_schemas.article import Language, Line


class SourceDefaults(BaseModel):
    """What a source's submissions get where they say nothing themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language | None = None
    timezone: Line | None = Field(None, description="IANA name of the time zone of times that name none.")
    agency: Line | None = None
    provider: Line | None = Field(None, description="The provider in uris that are made for items without one.")
    section: Line | None = None
    usage_terms: Line | None = None
    copyright_holder: Line | None = None

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        from newswire_runtime.http import now

        if name is not None:
            try:
                _ = ParseContext("", now(), {"timezone": name}).timezone
            except MalformedInput as exc:
                raise ValueError(str(exc)) from exc
        return name


class Source(BaseModel):
    """A source. A token of role ``source`` and of the same name submits for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["push"] = Field("push", description="`push`: it calls POST /v1/articles.")
    defaults: SourceDefaults = SourceDefaults()

    def plain_defaults(self) -> dict[str, str]:
        return {name: value for name, value in self.defaults.model_dump().items() if value is not None}
