"""Tell why an outbound call failed, from what the client raised."""

import errno
import ssl

from aiohttp.client_exceptions import ClientConnectionError, ClientConnectorDNSError, ClientConnectorError, InvalidURL

from newswire_runtime.outbound_names import GuardedAddress
from newswire_runtime.outcome import Failure

_FAILURES = {
    errno.ECONNREFUSED: Failure.REFUSED,
    errno.ECONNRESET: Failure.RESET,
    errno.ECONNABORTED: Failure.RESET,
    errno.EPIPE: Failure.RESET,
    errno.ETIMEDOUT: Failure.TIMEOUT,
}


def failure_of(exc: Exception, deadline: float) -> tuple[Failure, str]:
    """Return the failure and a sentence for the attempt log.

    Args:
        exc: A ``ClientError`` or ``OSError`` (asyncio's ``TimeoutError`` is one).
        deadline: Seconds that the call had.
    """
    cause = exc.os_error if isinstance(exc, ClientConnectorError) else exc
    number = getattr(cause, "errno", None)
    if isinstance(cause, GuardedAddress):
        return Failure.GUARDED, cause.strerror or ""
    if isinstance(cause, ssl.SSLError | ssl.CertificateError):
        return Failure.TLS, getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "TLS failed"
    if isinstance(exc, ClientConnectorDNSError):
        return Failure.DNS, "the name does not resolve"
    if isinstance(exc, TimeoutError) and number is None:
        return Failure.TIMEOUT, f"no answer within {deadline:g} s"
    if isinstance(exc, InvalidURL):
        return Failure.GUARDED, "the client does not take this URL"
    if number in _FAILURES:
        return _FAILURES[number], errno.errorcode[number]
    if isinstance(exc, ClientConnectorError):
        return Failure.UNREACHABLE, errno.errorcode.get(number or 0, "no connection")
    if isinstance(exc, ClientConnectionError):
        return Failure.RESET, errno.errorcode.get(number or 0, "the connection was closed without an answer")
    return Failure.PROTOCOL, f"the answer is no HTTP ({type(exc).__name__})"
