"""Who may read the pages: everyone on a public wire, else who has a token.

A browser gives the token as the password of HTTP Basic (RFC 7617), which it asks for by
itself and sends again; no cookie is set, and no address carries the token.
"""

from starlette.requests import Request

from newswire_runtime.auth import Role, Tokens
from newswire_runtime.http import now, reader_token
from newswire_runtime.problems import Problem

_CHALLENGE = {"WWW-Authenticate": 'Basic realm="newswire", charset="UTF-8"'}


class Readers:
    """Lets readers in. On a public wire a token makes no difference, so that none is asked for."""

    def __init__(self, tokens: Tokens, *, public: bool) -> None:
        self._tokens = tokens
        self._public = public

    async def admit(self, request: Request) -> None:
        """Raise a 401 or 403 problem for who may not read."""
        if self._public:
            return
        secret = reader_token(request.headers.get("authorization", ""))
        if not secret:
            raise _refused("This wire is read with a token.")
        caller = await self._tokens.caller(secret, now())
        if caller is None:
            raise _refused("The token is unknown, revoked or expired.")
        if caller.entitlement is not None:
            raise Problem(403, "limited-token", "This token is limited: it reads its feeds and the API, not the pages.")
        if caller.role is Role.SOURCE:
            raise Problem(403, "wrong-role", "A source’s token submits; read with a subscriber’s.")


def _refused(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers=_CHALLENGE)
