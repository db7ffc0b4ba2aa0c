"""Topics: the addresses of feed documents, and what the hub asks of whoever makes them."""

import re
from dataclasses import dataclass, field
from typing import Protocol

from yarl import URL

_PATH = re.compile(r"/feeds/([a-z0-9][a-z0-9._-]{0,62})\.([a-z0-9]{1,16})\Z")


class Topics(Protocol):
    """What there is to subscribe to, and who may read it.

    A reader is ``""`` for anybody, or the digest of a token; None where the feed or the format does not exist
    or may not be read, which are not told apart.
    """

    async def reader(self, name: str, extension: str, secret: str | None) -> str | None:
        """Return who reads the feed with this token."""

    async def may_read(self, name: str, reader: str) -> bool:
        """Return whether that reader may still read the feed; False if there is no such feed."""

    async def topic(self, name: str, extension: str, base_url: str, reader: str) -> tuple[bytes, str, int] | None:
        """Return the document as a GET gives it to that reader now, its media type, and the generation that it shows.

        None if there is no such document, or the reader may not read it.
        """

    async def changes(self, name: str, extension: str, base_url: str, reader: str, since: int) -> bytes | None:
        """Return a document of what came, changed and left after a generation; None where only the whole tells."""


class ForeignTopic(ValueError):  # noqa: N818 - it names what is foreign
    """An address that is no topic of this hub; the message says why."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A feed document's address. ``base_url`` has no slash at its end."""

    base_url: str
    name: str
    extension: str
    token: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The document's own address, which never carries a token."""
        return f"{self.base_url}/feeds/{self.name}.{self.extension}"


def hub_url(base_url: str) -> str:
    """Return the hub's address."""
    return f"{base_url}/hub"


def parse_topic(text: str, base_url: str) -> Topic:
    """Read a topic below ``base_url``; raise ForeignTopic for any other address."""
    try:
        url, base = URL(text), URL(base_url)
        origin = base.origin()
        here = url.absolute and (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)
    except (ValueError, UnicodeError) as exc:
        raise ForeignTopic("the topic is no absolute http(s) address") from exc
    if not here or url.user is not None or url.password is not None:
        raise ForeignTopic(f"this hub serves the feeds of {origin} only")
    prefix = base.path.rstrip("/")
    found = _PATH.match(url.path.removeprefix(prefix)) if url.path.startswith(prefix) else None
    if found is None or url.fragment or set(url.query) - {"token"} or len(url.query) > 1:
        raise ForeignTopic("a topic is the address of a feed document, such as /feeds/all.atom, and nothing more")
    return Topic(base_url, found[1], found[2], url.query.get("token"))


def link_header(base_url: str, self_url: str) -> str:
    """Return the Link header of discovery (section 4) and of deliveries (section 7)."""
    return f'<{hub_url(base_url)}>; rel="hub", <{self_url}>; rel="self"'
