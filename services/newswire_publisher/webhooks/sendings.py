"""How an endpoint's pushes went out before its settings changed, so that an old attempt can be shown as it was.

    PATCH ─▶ the settings that end, credentials hidden ─▶ earlier, the newest last
    an attempt ─▶ those of its revision, or of its moment ─▶ its address, headers and format

An attempt that is one line, as nearly every delivery is, does not say its revision: then the moment decides, and
one that was on its way during the change may be taken for the other side of it. What is older than the
`MOST_EARLIER` last changes is not known any more.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from newswire_publisher.articles.message import Format
from newswire_schemas.article import Utc

MOST_EARLIER = 10
HIDDEN = "(hidden)"
MAX_EARLIER_VALUE = 200
"""Characters of a header's value that are kept when it changes."""

_SECRET_NAME = re.compile(r"auth|token|secret|key|passw|passphrase|signature|session|cookie|credential|jwt|bearer")
_SCHEME = re.compile(r"(bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256)\s", re.IGNORECASE)
_LONG_WORD = re.compile(r"[\w+/=.~-]{20,}")


class Sending(BaseModel):
    """Where pushes went and what they were like, until a change."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    until: Utc
    revision: int = Field(description="The last one that had these settings.")
    url: str | None = None
    format: Format = Format.ARTICLE
    headers: dict[str, str] = Field(default_factory=dict, description="Credentials are hidden.")
    sealed_headers: dict[str, str] = Field(default_factory=dict, description="The same as they are kept.", repr=False)


def masked(headers: Mapping[str, str]) -> dict[str, str]:
    """Return an endpoint's own headers without what looks like a credential, by its name or by its value."""
    return {name: HIDDEN if _is_secret(name, value) else value for name, value in headers.items()}


def _is_secret(name: str, value: str) -> bool:
    if _SECRET_NAME.search(name.lower()) or _SCHEME.match(value):
        return True
    # A long word of letters and digits is what tokens look like.
    return any(re.search("[0-9]", word) and re.search("[A-Za-z]", word) for word in _LONG_WORD.findall(value))


def remembered(earlier: Sequence[Sending], ended: Sending) -> tuple[Sending, ...]:
    """Return the earlier settings and those that have ended now."""
    short = {
        name: value if len(value) <= MAX_EARLIER_VALUE else f"{value[:MAX_EARLIER_VALUE]}…"
        for name, value in masked(ended.headers).items()
    }
    return (*earlier, ended.model_copy(update={"headers": short}))[-MOST_EARLIER:]


def sending_of(earlier: Sequence[Sending], now: Sending, revision: int | None, moment: datetime) -> Sending | None:
    """Return the settings that an attempt was made by; None if they are not known any more.

    Args:
        earlier: The settings before each change, the newest last.
        now: Those that hold now.
        revision: That of the attempt, if it is known.
        moment: When the attempt was made.
    """
    for place, each in enumerate(earlier):
        if (revision <= each.revision) if revision is not None else (moment < each.until):
            is_oldest = place == 0 and len(earlier) == MOST_EARLIER  # there may have been others before it
            return None if is_oldest else each
    return now
