"""The webhooks' console: pages that are the same for everybody, and scripts that fill them.

    page, without any data ──▶ browser ──token, as Bearer──▶ /v1/webhooks…

The token lies in the browser's tab alone. No page has anything of a webhook in it, so that none
needs a token; what a token may not see, the API hides. An id that no webhook can have is 404.
"""

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response

from newswire_publisher.articles.message import EVENT_TYPES
from newswire_publisher.web.builder import DAYS
from newswire_publisher.web.directory import FIELDS
from newswire_publisher.web.site import Site
from newswire_runtime.problems import not_found

Page = Callable[[Request], Awaitable[Response]]

NOTICES = {
    "webhook.failing": "failing",
    "webhook.recovered": "recovered",
    "webhook.disabled": "disabled",
    "webhook.exhausted": "given up",
    "webhook.kill_untaken": "a kill not taken",
}
"""What an endpoint may be told of the health of its owner's others, by type; the words are the form's."""

_ID = re.compile(r"wh_[A-Za-z0-9]{1,64}\Z")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""Closer than the other pages': where a token is at hand, no text becomes markup and nothing is asked of others."""

_HEADERS = {"Referrer-Policy": "no-referrer", "Content-Security-Policy": _POLICY}


class Console:
    """Serves ``/console`` and what is below it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def pages(self) -> Sequence[tuple[str, Page]]:
        """Return the pages by their paths."""
        return (
            ("/console", self.list),
            ("/console/new", self.form),
            ("/console/{hook_id}", self.hook),
            ("/console/{hook_id}/edit", self.form),
        )

    async def list(self, request: Request) -> Response:
        """Answer with the page that lists the endpoints."""
        return self._site.page(request, "console_list.html", headers=_HEADERS, script="console-list.js")

    async def hook(self, request: Request) -> Response:
        """Answer with the page of one endpoint: its health, its attempts, its settings."""
        _check(request)
        return self._site.page(request, "console_hook.html", headers=_HEADERS, script="console-hook.js")

    async def form(self, request: Request) -> Response:
        """Answer with the page that registers an endpoint, or changes one."""
        _check(request)
        return self._site.page(
            request,
            "console_form.html",
            headers=_HEADERS,
            script="console-form.js",
            fields=FIELDS,
            values=dict.fromkeys([*(name for name, _, _ in FIELDS), "urgency"], ""),
            all_days=DAYS,
            types=tuple(EVENT_TYPES.values()),
            notices=NOTICES,
            editing="hook_id" in request.path_params,
        )


def _check(request: Request) -> None:
    hook_id = request.path_params.get("hook_id")
    if hook_id is not None and not _ID.match(hook_id):
        raise not_found("webhook of this id")
