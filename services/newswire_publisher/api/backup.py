"""How operators take all configuration out, and put it back.

    GET  /v1/backup   tables ─▶ lines (NDJSON)
    POST /v1/restore  lines ─▶ read whole ─▶ compared ─▶ 409 with what differs, or written ─▶ feeds fill, queues learn

Articles are not in it: they are the broker's own data. Nothing is written unless all of it can be. A thing that
somebody changes in that moment is left alone and told (409), and the same call again does the rest. Restoring
twice changes nothing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from newswire_publisher.api.backups import Thing, Value, numbers_ahead, plan, read, write
from newswire_publisher.webhooks.restoring import HookRestorer
from newswire_runtime.auth import Role, Tokens
from newswire_runtime.bodies import read_body, takes
from newswire_runtime.conf import Table
from newswire_runtime.http import now, require
from newswire_runtime.problems import Problem

MOST_BYTES = 100_000_000
TOLD = 20
"""Things that differ which one answer names."""
WEBHOOKS = "webhooks"


@dataclass(frozen=True)
class Kind:
    """One kind of thing: how a row of it looks, its table, and what is done after one was restored."""

    model: type[BaseModel]
    table: Table[Any]
    after: Callable[[str], Awaitable[None]] | None = None


class BackupApi:
    """The routes."""

    def __init__(self, *, kinds: Mapping[str, Kind], hooks: HookRestorer, tokens: Tokens) -> None:
        self._kinds = kinds
        self._models = {name: kind.model for name, kind in kinds.items()}
        self._hooks = hooks
        self._tokens = tokens

    def install(self, app: FastAPI) -> None:
        app.add_api_route("/v1/backup", self.backup, methods=["GET"], tags=["operating"], response_model=None)
        app.add_api_route("/v1/restore", self.restore, methods=["POST"], tags=["operating"], openapi_extra=_DOC)

    async def backup(self, request: Request) -> Response:
        """Write all configuration as NDJSON (operator): keep it like a password. Webhooks' secrets stay encrypted."""
        await require(request, self._tokens, Role.OPERATOR)
        things = [
            Thing(kind=kind, name=name, value=json.loads(body))
            for kind, of in self._kinds.items()
            for name, body in (await of.table.raw()).items()
        ]
        # After the tables: an entry that comes meanwhile is in the number.
        sequences = await self._hooks.sequences([thing.name for thing in things if thing.kind == WEBHOOKS])
        things = [
            thing.model_copy(update={"sequence": sequences[thing.name]}) if thing.kind == WEBHOOKS else thing
            for thing in things
        ]
        headers = {
            "Content-Disposition": f'attachment; filename="newswire-{now():%Y-%m-%d}.ndjson"',
            "Cache-Control": "no-store",
        }
        return StreamingResponse(write(things, now()), media_type="application/x-ndjson", headers=headers)

    @takes(MOST_BYTES)
    async def restore(
        self,
        request: Request,
        force: Annotated[bool, Query(description="Overwrite what differs.")] = False,
        ahead: Annotated[
            int | None,
            Query(
                ge=0,
                le=10**9,
                description="Numbers that webhooks' logs leave out, as they may have been used; "
                "by default more than can have been since the backup was made.",
            ),
        ] = None,
    ) -> dict[str, Any]:
        """Put back what a backup holds (operator). What there is and differs is a 409 and nothing changes, or `force`.

        A webhook goes on after the number that its log had, and `ahead` more: `sequences` says how many logs have
        leapt so. With 0 it goes on at the very next one, for a backup after which nothing went out. `unreadable`
        names those whose secrets no key of NEWSWIRE_SECRET_KEY opens: set the other server's key, or rotate them.
        """
        await require(request, self._tokens, Role.OPERATOR)
        body = await read_body(request, MOST_BYTES)
        backup = await asyncio.to_thread(read, body, self._models)
        things = backup.things
        if ahead is None:
            ahead = numbers_ahead(backup.created, now())
        raw = {(kind, name): row for kind, of in self._kinds.items() for name, row in (await of.table.raw()).items()}
        kept: dict[tuple[str, str], Value] = {place: json.loads(row) for place, row in raw.items()}
        found = plan(kept, things)
        if found.differing and not force:
            raise _differing(found.differing)
        # Also where the backup has none: a webhook that was new then may have got some since, and is gone.
        numbers = {
            thing.name: thing.sequence or 0
            for thing in things
            if thing.kind == WEBHOOKS and (thing.sequence or thing in found.new)
        }
        raised = await self._hooks.raise_sequences(numbers, ahead)
        missed = [thing for thing in (*found.new, *found.differing) if not await self._write(thing, raw, kept)]
        if missed:
            names = ", ".join(f"{thing.kind}/{thing.name}" for thing in missed[:TOLD])
            raise Problem(409, "changed-meanwhile", f"{names}: changed by somebody just now; restore again")
        return {
            "created": len(found.new),
            "overwritten": len(found.differing),
            "unchanged": found.unchanged,
            "sequences": raised,
            "ahead": ahead,
            "unreadable": await self._hooks.unreadable([thing.name for thing in things if thing.kind == WEBHOOKS]),
        }

    async def _write(
        self, thing: Thing, raw: Mapping[tuple[str, str], bytes], kept: Mapping[tuple[str, str], Value]
    ) -> bool:
        """Write a thing unless it has changed meanwhile; return whether it was written."""
        place = thing.kind, thing.name
        value = thing.value
        if thing.kind == WEBHOOKS and place in kept:
            # The queues take newer settings only.
            value = value | {"revision": max(int(kept[place].get("revision", 1)) + 1, int(value.get("revision", 1)))}
        kind = self._kinds[thing.kind]
        if not await kind.table.swap(thing.name, json.dumps(value, ensure_ascii=False), raw.get(place)):
            return False
        if kind.after is not None:
            await kind.after(thing.name)
        return True


def _differing(things: tuple[Thing, ...]) -> Problem:
    names = ", ".join(f"{thing.kind}/{thing.name}" for thing in things[:TOLD])
    more = f" and {len(things) - TOLD} more" if len(things) > TOLD else ""
    detail = f"there already are, and differ: {names}{more}; nothing was changed; force=true overwrites them"
    return Problem(409, "differing", detail, differing=len(things))


_DOC: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}
