"""What became of one outbound call: a value, because a failed delivery is nothing exceptional."""

from enum import StrEnum
from typing import NamedTuple


class Failure(StrEnum):
    """Why a call got no answer. An answer of any status is no failure of the call."""

    TIMEOUT = "timeout"
    """No status within the deadline, wherever the time went."""
    DNS = "dns"
    """The name does not resolve."""
    TLS = "tls"
    """No trusted, encrypted connection: certificate, host name or handshake."""
    REFUSED = "refused"
    """Nothing listens at the port."""
    UNREACHABLE = "unreachable"
    """No route, or the machine cannot open a socket."""
    RESET = "reset"
    """The connection ended before a status came."""
    PROTOCOL = "protocol"
    """What came was no HTTP."""
    GUARDED = "guarded"
    """The URL, or every address of its name, is refused by the SSRF guard."""


class Outcome(NamedTuple):
    """One attempt: either ``status`` or ``error`` is set.

    ``excerpt`` is the start of the answer's body, at most 16 KB; ``truncated``
    says that there was more, or that it did not come in time or whole. That
    changes nothing in the outcome: the receiver has answered with its status.
    ``detail`` is a sentence for the attempt log; it names no address, so that
    a guarded name tells nothing about the network behind it. A tuple, because it is
    made once a call: a frozen dataclass takes four times as long.
    """

    started_at_ms: int
    """Milliseconds since the epoch."""
    duration_ms: float
    status: int | None = None
    error: Failure | None = None
    detail: str = ""
    retry_after: str | None = None
    """The header as it came; `retry_after_ms` reads it."""
    content_type: str | None = None
    excerpt: bytes = b""
    truncated: bool = False
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """The answer's, as they came, some 8 KB of them at most."""

    @property
    def ok(self) -> bool:
        """Whether the receiver took it: any 2xx status."""
        return self.status is not None and 200 <= self.status < 300
