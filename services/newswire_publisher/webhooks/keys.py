"""The signing keys of an endpoint, and what a rotation makes of them.

    rotate   new key ─▶ in front; the others end at now + grace, or earlier if they were to
    sign     the keys that are valid at that moment, newest first, whatever attempt it is

A key is kept with its secret sealed (`vault`); rows of an earlier release have it plain, and are
sealed at their next write. At most `MOST_KEYS` live at once, as each push carries a signature of each:
one more is refused with `TooManyKeysError`, and nothing changes.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SerializationInfo, field_serializer

from newswire_publisher.webhooks.schemes import PREFIX, PRIVATE_PREFIX, Signature
from newswire_schemas.article import Utc, to_iso

MOST_KEYS = 5
DEFAULT_GRACE = timedelta(days=1)
MAX_GRACE = timedelta(days=7)


class TooManyKeysError(Exception):
    """There are `MOST_KEYS` live keys already."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__(f"{MOST_KEYS} keys are live; the first of them ends at {to_iso(free_at)}")
        self.free_at = free_at


class SigningKey(BaseModel):
    """One key of an endpoint. ``sealed`` is written to storage only."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    created: Utc
    expires: Utc | None = Field(None, description="It signs until then; without, until it is rotated.")
    signature: Signature = Signature.V1
    public_key: str | None = Field(None, description="Of `v1a`: what receivers verify with, `whpk_…`.")
    sealed: str = Field(repr=False)

    @field_serializer("sealed")
    def _hide(self, sealed: str, info: SerializationInfo) -> str:
        return sealed if (info.context or {}).get("reveal") else ""

    @property
    def is_plain(self) -> bool:
        """Whether the secret is not encrypted: an earlier release wrote it."""
        return self.sealed.startswith((PREFIX, PRIVATE_PREFIX))

    def lives_at(self, moment: datetime) -> bool:
        return self.expires is None or self.expires > moment

    def shown(self) -> dict[str, Any]:
        """Return what its owner sees."""
        body = self.model_dump(mode="json", exclude={"sealed"}, exclude_none=True)
        times = {"created": self.created, "expires": self.expires}
        return body | {name: to_iso(moment) for name, moment in times.items() if moment is not None}


def new_key_id(name: str | None = None) -> str:
    """Make up the id of a key, or make it of a name."""
    return f"key_{name or secrets.token_hex(6)}"


def live(keys: Iterable[SigningKey], moment: datetime) -> tuple[SigningKey, ...]:
    """Return the keys that are valid at a moment, in their order."""
    return tuple(key for key in keys if key.lives_at(moment))


def rotated(keys: Sequence[SigningKey], new: SigningKey, now: datetime, grace: timedelta) -> tuple[SigningKey, ...]:
    """Return the keys after a rotation, newest first; those that have ended are left out.

    Args:
        keys: The keys so far, newest first.
        new: The key that goes before them.
        now: When it happens.
        grace: How long the others go on signing; none: they end at once.

    Raises:
        TooManyKeysError: `MOST_KEYS` would still be live beside the new one.
    """
    end = now + grace
    older = [
        key.model_copy(update={"expires": end if key.expires is None else min(key.expires, end)})
        for key in live(keys, now)
    ]
    kept = live(older, now)
    if len(kept) >= MOST_KEYS:
        raise TooManyKeysError(min(key.expires or end for key in live(keys, now)))
    return new, *kept


def read_earlier(row: Any) -> Any:
    """Return a stored row with ``keys`` in place of an earlier release's ``secrets``, whose texts were plain."""
    if not isinstance(row, dict) or "secrets" not in row or row.get("keys"):
        return row
    plain = [
        {"id": f"key_{number}", "created": row.get("created"), "sealed": text}
        for number, text in enumerate(row["secrets"], start=1)
    ]
    return {name: value for name, value in row.items() if name != "secrets"} | {"keys": plain}
