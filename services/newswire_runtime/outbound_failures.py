"""Tell why an outbound call failed, from what the connection raised.

GuardedAddress ─ guarded    NameFailed ─ dns        HandshakeFailed, SSLError ─ tls
errno ─ refused, reset, timeout, else unreachable (connecting) or reset (connected)
"""

import errno
import ssl

from newswire_runtime.outbound_names import GuardedAddress, NameFailed
from newswire_runtime.outcome import Failure

_FAILURES = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
}


class HandshakeFailed(OSError):  # noqa: N818 - it says what happened
    """The connection came about, and TLS did not."""


def failure_of(exc: Exception, *, connecting: bool = False) -> tuple[Failure, str]:
    """Return the failure and a sentence for the attempt log. The sentence names no address.

    Args:
        exc: What look-up, connect, handshake or connection raised.
        connecting: Nothing was sent yet.
    """
    if isinstance(exc, GuardedAddress):
        return Failure.GUARDED, exc.strerror or ""
    if isinstance(exc, NameFailed):
        return Failure.DNS, exc.strerror or ""
    if isinstance(exc, HandshakeFailed):
        return Failure.TLS, exc.strerror or ""
    if isinstance(exc, ssl.SSLError):
        return Failure.TLS, getattr(exc, "verify_message", "") or exc.reason or "TLS failed"
    number = exc.errno if isinstance(exc, OSError) else None
    name = errno.errorcode.get(number or 0, "")
    if number in _FAILURES:
        return _FAILURES[number], name
    if connecting:
        return Failure.UNREACHABLE, name or "no connection"
    return Failure.RESET, name or "the connection was closed without an answer"
