"""What every page has in common: how it is made from a template, and the headers it goes out with.

    context ─template, autoescaped─▶ HTML ─▶ ETag · gzip · a policy without inline script and style

A page depends on its request and the wire alone, so that equal pages have equal ETags.
"""

import gzip
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from newswire_publisher.articles.markup import excerpt
from newswire_publisher.web.assets import load_assets
from newswire_publisher.web.languages import direction_of, name_of

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' https: http:",
        "media-src https: http:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Content-Security-Policy. JSON-LD is a data block that no policy has to allow (HTML section 4.12.1)."""

_SMALLEST = 600
"""Bytes below which gzip gains nothing."""


class Site:
    """Makes pages. ``base_url`` has no slash at its end; where it is empty, the request's own address serves."""

    def __init__(self, *, base_url: str, public: bool) -> None:
        self.public = public
        self._base_url = base_url
        self.assets = load_assets()
        addresses = {asset.name: asset.address for asset in self.assets.values()}
        self._templates = Environment(
            loader=PackageLoader("newswire_publisher", "web/templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(asset=addresses.__getitem__, direction_of=direction_of, name_of=name_of)
        self._templates.filters.update(clock=_clock, date=_date, day=_day, moment=_moment, iso=iso, excerpt=excerpt)

    def base_url(self, request: Request) -> str:
        return self._base_url or str(request.base_url).rstrip("/")

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """Return the page, or 304 if the caller has it."""
        markup = self._templates.get_template(template).render(
            context, base_url=self.base_url(request), public=self.public
        )
        sent = {
            "Cache-Control": "no-cache" if self.public else "private, no-cache",
            "Vary": "Accept-Encoding, Accept" if self.public else "Accept-Encoding, Accept, Authorization",
            "Content-Security-Policy": POLICY,
            "Referrer-Policy": "strict-origin-when-cross-origin",
            **(headers or {}),
        }
        return answer(request, markup.encode(), "text/html; charset=utf-8", sent, status)


def answer(request: Request, body: bytes, media_type: str, headers: Mapping[str, str], status: int = 200) -> Response:
    """Return bytes with their ETag, compressed where the caller takes it; 304 where it has them (RFC 9110 13.1.2)."""
    zipped = len(body) > _SMALLEST and _takes_gzip(request.headers.get("accept-encoding", ""))
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}{"-gzip" if zipped else ""}"'
    sent = {"ETag": tag, "X-Content-Type-Options": "nosniff", **headers}
    if status == 200 and _has(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=sent)
    if zipped:
        sent["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 5, mtime=0)
    return Response(body, status, sent, media_type)


def _has(if_none_match: str | None, tag: str) -> bool:
    if if_none_match is None:
        return False
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return tag in known or "*" in known


def _takes_gzip(accept_encoding: str) -> bool:
    codings = (part.replace(" ", "").lower() for part in accept_encoding.split(","))
    return any(coding.partition(";")[0] == "gzip" and not coding.endswith((";q=0", ";q=0.0")) for coding in codings)


def iso(moment: datetime) -> str:
    """Return the moment as RFC 3339 in UTC, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


def _date(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1][:3]}"


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def _day(moment: datetime) -> str:
    """Return the day in English whatever the process's locale."""
    return f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def _moment(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"
