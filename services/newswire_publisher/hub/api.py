"""The hub over HTTP: requests of subscribers, and what operators see of them."""

import base64
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from starlette.responses import PlainTextResponse, Response

from newswire_publisher.hub.form import MAX_BYTES, MEDIA_TYPE, Form, read_form, wrong
from newswire_publisher.hub.model import Call, denial, feed_of, subscribed
from newswire_publisher.hub.store import HubStore, Listed, TooManyError
from newswire_publisher.hub.topics import ForeignTopic, Topic, Topics, hub_url, parse_topic
from newswire_runtime.auth import Name, Role, Tokens, digest_of
from newswire_runtime.bodies import read_body
from newswire_runtime.http import now, require
from newswire_runtime.openapi import OPEN
from newswire_runtime.problems import Problem, not_found
from newswire_runtime.ssrf import AddressGuard, RefusedUrl, check_url
from newswire_schemas.article import from_ms, to_iso

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["hub.mode", "hub.topic", "hub.callback"],
                    "properties": {
                        "hub.mode": {"type": "string", "enum": ["subscribe", "unsubscribe"]},
                        "hub.topic": {"type": "string", "format": "uri"},
                        "hub.callback": {"type": "string", "format": "uri"},
                        "hub.lease_seconds": {"type": "integer", "minimum": 1},
                        "hub.secret": {"type": "string", "maxLength": 199},
                    },
                }
            }
        },
    }
}


class HubApi:
    """The routes of the hub."""

    def __init__(self, *, store: HubStore, topics: Topics, tokens: Tokens, guard: AddressGuard, base_url: str) -> None:
        self._store = store
        self._topics = topics
        self._tokens = tokens
        self._guard = guard
        self._base_url = base_url

    def install(self, app: FastAPI) -> None:
        app.add_api_route(
            "/hub", self.request, methods=["POST"], status_code=202, tags=["feeds"], openapi_extra=OPEN | _FORM
        )
        app.add_api_route(
            "/hub", self.explain, methods=["GET"], tags=["feeds"], response_class=PlainTextResponse, openapi_extra=OPEN
        )
        app.add_api_route("/v1/hub/subscriptions", self.list, methods=["GET"], tags=["feeds"])
        app.add_api_route("/v1/hub/subscriptions/{subscription}", self.delete, methods=["DELETE"], tags=["feeds"])

    async def request(self, request: Request) -> Response:
        """Subscribe to a feed document, or unsubscribe (WebSub section 5). 202: the callback is asked next."""
        form = read_form(await read_body(request, MAX_BYTES), request.headers.get("content-type", ""))
        try:
            check_url(form.callback, self._guard)
        except RefusedUrl as exc:
            raise wrong("hub.callback", str(exc), "refused-url") from exc
        try:
            topic = parse_topic(form.topic, self._base(request))
        except ForeignTopic as exc:
            raise wrong("hub.topic", str(exc), "foreign-topic") from exc
        call = await self._call(form, topic, topic.token or _header_token(request))
        try:
            await self._store.request(call)
        except TooManyError as exc:
            status = 429 if exc.often else 503
            raise Problem(status, "too-many", f"{exc}; try again later", headers={"Retry-After": "60"}) from exc
        return Response(status_code=202)

    async def explain(self, request: Request) -> PlainTextResponse:
        """Say what this address is for."""
        base_url = self._base(request)
        return PlainTextResponse(
            "This is the WebSub hub of this wire's feeds (https://www.w3.org/TR/websub/).\n"
            "To be sent a feed whenever it changes, subscribe to the address of one of its documents:\n\n"
            f"    curl {hub_url(base_url)} -d hub.mode=subscribe \\\n"
            f"        -d hub.topic={base_url}/feeds/all.rss -d hub.callback=https://example.org/your/callback\n\n"
            "Your callback is then asked whether you meant it: answer 2xx with the value of hub.challenge.\n"
        )

    async def list(
        self,
        request: Request,
        feed: Name | None = None,
        cursor: str = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        """List who is subscribed to the feeds, or to one of them (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        found = await self._store.list(feed, cursor, limit + 1)
        page = found[:limit]
        answer: dict[str, Any] = {"items": [_shown(each) for each in page]}
        return answer | ({"cursor": page[-1].subscription.id} if len(found) > limit else {})

    async def delete(self, request: Request, subscription: str) -> Response:
        """End a subscription, and tell its callback so (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        found = (await self._store.subscriptions([subscription])).get(subscription)
        if found is None or not await self._store.end(
            subscription, "ended", denial(found, "the subscription was ended by the publisher")
        ):
            raise not_found(f"subscription {subscription}")
        return Response(status_code=204)

    async def _call(self, form: Form, topic: Topic, secret: str | None) -> Call:
        reader = await self._topics.reader(topic.name, topic.extension, secret)
        # Who may not read any more may still end what it has.
        known = reader if reader is not None else digest_of(secret) if secret else ""
        wanted = subscribed(topic, known, form.callback, secret=form.secret, lease=form.lease, now=now())
        if reader is None and not (form.mode == "unsubscribe" and await self._store.subscribed(wanted.id)):
            raise wrong("hub.topic", "there is no such feed, or it is not yours to read", "not-found", 404)
        return Call(mode=form.mode, topic=form.topic, subscription=wanted)

    def _base(self, request: Request) -> str:
        return self._base_url or str(request.base_url).rstrip("/")


def _header_token(request: Request) -> str | None:
    """Return the token of the Authorization header: Bearer, or the password of HTTP Basic (RFC 7617)."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip() or None
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2] or None
    except ValueError:
        return None


def _shown(listed: Listed) -> dict[str, Any]:
    subscription = listed.subscription
    shown: dict[str, Any] = {
        "id": subscription.id,
        "feed": feed_of(subscription.id),
        "topic": subscription.topic.url,
        "private": bool(subscription.reader),
        "callback": subscription.callback,
        "signed": subscription.secret is not None,
        "lease_seconds": subscription.lease,
        "ends": _time(listed.ends),
        "requested": _time(int(subscription.requested.timestamp() * 1000)),
        "generation": listed.generation,
    }
    if listed.last is not None:
        shown["last"] = {name: _time(value) if name == "at" else value for name, value in listed.last.items()}
    return shown


def _time(ms: int) -> str:
    return to_iso(from_ms(ms))
