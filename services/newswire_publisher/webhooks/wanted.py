"""Which articles a subscription takes, and what it wants to be told of them."""

import fnmatch
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from newswire_publisher.articles.message import EVENT_TYPES
from newswire_schemas.filters import Filter

NOTICE_TYPES = (
    "webhook.failing",
    "webhook.recovered",
    "webhook.disabled",
    "webhook.exhausted",
    "webhook.kill_untaken",
)
"""What a subscription that asks for it is told of the health of its owner's others; an operator's, of all."""

Pattern = Annotated[str, StringConstraints(pattern=r"^[a-z._*]{1,64}$")]


class Wanted(BaseModel):
    """A filter for articles, and types of events."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    filter: Filter = Filter()
    events: Annotated[tuple[Pattern, ...], Field(max_length=20)] = Field(
        (),
        description="Event types such as `article.new`, or patterns such as `article.*`; empty for all of articles. "
        "`webhook.*` tells of the health of your webhooks.",
    )

    @field_validator("events")
    @classmethod
    def _some_type(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            types = (*EVENT_TYPES.values(), *NOTICE_TYPES)
            if not any(fnmatch.fnmatchcase(name, pattern) for name in types):
                known = ", ".join(types)
                raise ValueError(f"{pattern!r} matches no event type; there are {known}")
        return patterns

    def wants(self, event_type: str) -> bool:
        if not self.events:
            return event_type not in NOTICE_TYPES
        return any(fnmatch.fnmatchcase(event_type, pattern) for pattern in self.events)

    @property
    def takes_articles(self) -> bool:
        return any(map(self.wants, EVENT_TYPES.values()))

    @property
    def takes_notices(self) -> bool:
        return any(map(self.wants, NOTICE_TYPES))
