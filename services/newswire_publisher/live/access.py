"""Who may read the live stream, and what of it.

On a public wire everyone reads; else a token is needed, given as Bearer, as the password of HTTP Basic
(RFC 7617), or as ``?token=``: a browser's EventSource cannot set headers.
"""

from starlette.requests import Request

from newswire_runtime.auth import Role, Tokens, digest_of
from newswire_runtime.http import now, reader_token
from newswire_runtime.problems import Problem, unauthorized
from newswire_schemas.entitlements import Entitlement
from newswire_schemas.filters import Filter

ANYBODY = ""


class LiveAccess:
    """Answers for a reader: ``ANYBODY``, or the digest of a token."""

    def __init__(self, tokens: Tokens, *, public: bool) -> None:
        self._tokens = tokens
        self.public = public

    async def reader(self, request: Request) -> str:
        """Return who asks; raise a 401 or 403 problem for who may not read."""
        if self.public:
            return ANYBODY
        secret = _secret(request)
        if not secret:
            raise unauthorized("this wire is read with a token: as Bearer, as Basic password, or as ?token=")
        digest = digest_of(secret)
        caller = await self._tokens.holder(digest, now())
        if caller is None:
            raise unauthorized("the token is unknown, revoked or expired")
        if caller.role is Role.SOURCE:
            raise Problem(403, "wrong-role", "a source's token submits; read with a subscriber's")
        _check(caller.entitlement, request.query_params.get("format", ""))
        return digest

    async def effective(self, reader: str, asked: Filter) -> Filter | None:
        """Return the filter that the reader gets for what they ask; None for who may read no more.

        This is the one place that knows what a reader is entitled to. It is asked when a stream opens and
        again while it is open: another answer ends the stream, and its client comes again for the new one.
        """
        if self.public:
            return asked
        caller = await self._tokens.holder(reader, now())
        if caller is None or caller.role is Role.SOURCE:
            return None
        entitled = caller.entitlement
        return asked if entitled is None or entitled.filter == Filter() else Filter(all=(asked, entitled.filter))


def _check(entitled: Entitlement | None, form: str) -> None:
    """Raise a 403 problem where the stream would show more than a token is entitled to."""
    if entitled is None:
        return
    if entitled.feeds is not None:
        raise Problem(
            403, "limited-token", f"the token reads the feeds {', '.join(entitled.feeds)}, not the live stream"
        )
    if entitled.rights is not None and not {"text", "media"} <= entitled.rights and form != "thin":
        raise Problem(403, "limited-token", "the token has no right to whole articles; ask with format=thin")


def _secret(request: Request) -> str:
    header = request.headers.get("authorization", "")
    return (reader_token(header) or "") if header.partition(" ")[0] else request.query_params.get("token", "")
