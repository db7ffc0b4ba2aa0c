"""Ingest's HTTP routes: submit, kill, withhold, reinstate, sources."""

import json
from typing import Annotated, Any

from fastapi import FastAPI, Path, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from newswire_ingest.desk import ContendedError, Desk
from newswire_ingest.formats.errors import FormatError, MalformedInput, UnsupportedFormat
from newswire_ingest.lifecycle import Decision, Known, Rejected, desk_version
from newswire_ingest.sources import Source
from newswire_ingest.submissions import Submission, Submissions, result_of
from newswire_runtime.auth import Caller, Name, Role, Tokens
from newswire_runtime.bodies import read_body
from newswire_runtime.conf import Table
from newswire_runtime.http import now, require, trace_id
from newswire_runtime.idempotency import REPEATED, Answers
from newswire_runtime.problems import Problem, not_found
from newswire_schemas.article import Act, PubStatus, Text


class Note(BaseModel):
    """Why the desk acts; readers see it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ed_note: Text | None = None


class IngestApi:
    """The routes, bound to what they need."""

    def __init__(
        self,
        *,
        submissions: Submissions,
        desk: Desk,
        answers: Answers,
        tokens: Tokens,
        sources: Table[Source],
        max_body: int,
    ) -> None:
        self._submissions = submissions
        self._desk = desk
        self._answers = answers
        self._tokens = tokens
        self._sources = sources
        self._max_body = max_body

    def install(self, app: FastAPI) -> None:
        # Submitting is the hot path: a bare route serves it, and the documented one below it is for /docs only.
        app.router.routes.append(Route("/v1/articles", self.submit, methods=["POST"]))
        app.add_api_route("/v1/articles", _documented_submit, methods=["POST"], **_SUBMIT_DOC)  # type: ignore[arg-type]
        for word, status in _DESK_ACTS.items():
            app.add_api_route(
                f"/v1/articles/{{key}}/{word}",
                self._desk_act(word, status),
                methods=["POST"],
                tags=["desk"],
                summary=f"{word.title()} an article (its source, operator).",
            )
        app.add_api_route("/v1/sources", self.list_sources, methods=["GET"], tags=["sources"])
        app.add_api_route("/v1/sources/{name}", self.put_source, methods=["PUT"], tags=["sources"])
        app.add_api_route("/v1/sources/{name}", self.get_source, methods=["GET"], tags=["sources"])
        app.add_api_route("/v1/sources/{name}", self.delete_source, methods=["DELETE"], tags=["sources"])

    async def submit(self, request: Request) -> Response:
        """Take a submission: parse the format, settle each item, answer when all of it is durable."""
        caller = await require(request, self._tokens, Role.SOURCE, Role.OPERATOR)
        submission = await self._submission(request, caller)
        key = request.headers.get("idempotency-key")
        if key is None:
            return _answer(await self._take(submission))
        answer, repeated = await self._answers.once(
            f"{caller.role}:{caller.name}", key, submission.body, lambda: self._take(submission)
        )
        return _answer(answer, REPEATED if repeated else None)

    async def _submission(self, request: Request, caller: Caller) -> Submission:
        unknown = set(request.query_params) - {"format", "uri"}
        if unknown:
            raise Problem(422, "unknown-parameter", f"unknown query parameter {sorted(unknown)[0]!r}")
        try:
            body = await read_body(request, self._max_body)
        except Problem:
            unread = self._shape(request, caller, b"", {})
            await self._submissions.keep_refused(unread, "too large; nothing was kept", whole=False)
            raise
        source = (await self._sources.all()).get(caller.name)
        return self._shape(request, caller, body, source.plain_defaults() if source else {})

    @staticmethod
    def _shape(request: Request, caller: Caller, body: bytes, defaults: dict[str, str]) -> Submission:
        return Submission(
            body=body,
            content_type=request.headers.get("content-type"),
            format=request.query_params.get("format"),
            uri=request.query_params.get("uri"),
            owner=caller.name,
            may_change_all=caller.is_operator,
            defaults=defaults,
            trace_id=trace_id(request),
            now=now(),
        )

    async def _take(self, submission: Submission) -> dict[str, Any]:
        try:
            results = await self._submissions.take(submission)
        except FormatError as exc:
            raise _refusal(exc) from exc
        except ContendedError as exc:
            raise _contended(exc) from exc
        return {"items": [result.as_json() for result in results]}

    def _desk_act(self, word: str, status: PubStatus) -> Any:
        async def act(request: Request, key: Annotated[str, Path(max_length=64)], note: Note | None = None) -> Response:
            caller = await require(request, self._tokens, Role.SOURCE, Role.OPERATOR)
            moment = now()
            seen: list[Known] = []

            def choose(known: Known | None) -> Decision:
                if known is None or not caller.owns(known.owner):
                    raise not_found(f"article {key}")
                seen[:] = [known]
                return desk_version(known, status, note.ed_note if note else None, moment)

            trace = trace_id(request)
            try:
                decision = await self._desk.settle(key, choose, owner=caller.name, trace_id=trace, now=moment)
            except ContendedError as exc:
                raise _contended(exc) from exc
            if isinstance(decision, Rejected):
                raise Problem(409, "not-possible", decision.reason)
            result = result_of(decision, seen[0].article.uri, seen[0], _ACT_OF[word])
            return _answer({"items": [result.as_json()]})

        act.__name__ = word
        return act

    async def list_sources(self, request: Request) -> dict[str, Any]:
        """List the sources (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        return {"items": [{"name": name, **_shown(source)} for name, source in (await self._sources.all()).items()]}

    async def put_source(self, request: Request, name: Name, source: Source) -> Response:
        """Set up a source and its defaults (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        new = await self._sources.put(name, source)
        return JSONResponse({"name": name, **_shown(source)}, status_code=201 if new else 200)

    async def get_source(self, request: Request, name: Name) -> dict[str, Any]:
        """Show a source (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        source = await self._sources.get(name)
        if source is None:
            raise not_found(f"source {name}")
        return {"name": name, **_shown(source)}

    async def delete_source(self, request: Request, name: Name) -> Response:
        """Forget a source; its articles stay (operator)."""
        await require(request, self._tokens, Role.OPERATOR)
        if not await self._sources.delete(name):
            raise not_found(f"source {name}")
        return Response(status_code=204)


def _shown(source: Source) -> dict[str, Any]:
    return source.model_dump(exclude_none=True)


def _answer(body: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    new = any(item["outcome"] == "accepted" for item in body["items"])
    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=202 if new else 200,
        media_type="application/json",
        headers=headers,
    )


def _contended(exc: ContendedError) -> Problem:
    return Problem(503, "contended", str(exc), headers={"Retry-After": "1"})


def _refusal(exc: FormatError) -> Problem:
    match exc:
        case UnsupportedFormat():
            return Problem(415, "unsupported-format", exc.detail, supported=list(exc.supported))
        case MalformedInput():
            errors = [{"pointer": error.pointer, "detail": error.detail} for error in exc.errors]
            return Problem(422, "malformed-input", exc.detail, errors=errors)
    return Problem(int(exc.status), "refused", str(exc))


_DESK_ACTS = {"kill": PubStatus.CANCELED, "withhold": PubStatus.WITHHELD, "reinstate": PubStatus.USABLE}
_ACT_OF = {"kill": Act.KILL, "withhold": Act.WITHHOLD, "reinstate": Act.REINSTATE}


async def _documented_submit(_: Request) -> Response:  # pragma: no cover - never reached
    """Submit articles: our JSON, ninjs, a text page or wire copy; `?format=` overrides the Content-Type."""
    raise AssertionError("the bare route answers")


_SUBMIT_DOC = {
    "tags": ["articles"],
    "summary": "Submit articles (source, operator).",
    "status_code": 202,
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"type": "object"}},
                "application/ninjs+json": {"schema": {"type": "object"}},
                "text/plain": {"schema": {"type": "string"}},
            },
        },
        "parameters": [
            {"name": "format", "in": "query", "schema": {"type": "string", "enum": ["article", "ninjs", "text"]}},
            {"name": "uri", "in": "query", "schema": {"type": "string"}},
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 255}},
        ],
        "responses": {
            "202": {"description": "At least one item is new; all of it is durable."},
            "200": {"description": "Nothing in it was new."},
            "413": {"description": "Too large."},
            "415": {"description": "No format reads this."},
            "422": {"description": "What is wrong, with JSON pointers; the bytes are kept with the dead letters."},
        },
    },
}
