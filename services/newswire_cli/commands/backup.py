"""The operator's commands that take all configuration out and put it back: backup, restore."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from newswire_cli.client import Api, AsJson, Token, Url, given, print_json
from newswire_cli.failures import CommandError, UsageProblem

QUIET_S = 60.0
File = Annotated[str, typer.Argument(metavar="FILE", help="The backup; - is standard input or output.")]


def install(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(file: File, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Write feeds, sources, accounts, tokens' digests and webhooks to a file. Keep it like a password."""
    last = b""
    with Api(url, token) as api, _written(file) as out, api.stream("/v1/backup", {}, {}, QUIET_S) as chunks:
        for chunk in chunks:
            out.write(chunk)
            last = (last + chunk)[-200:]
        things = _things(last)
        if things is None:
            raise CommandError(f"{file}: the backup was cut off; try again")
    if file == "-":
        return
    if as_json:
        print_json({"file": file, "things": things})
    else:
        print(f"wrote {things} things to {file}")


def restore(
    file: File,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what there is and differs.")] = False,
    ahead: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Numbers for webhooks' logs to leave out, as events that went out after the backup had them. "
            "By default more than there can have been; 0 if nothing went out after it.",
            show_default=False,
        ),
    ] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Put back what a backup holds. Without --force nothing that differs is overwritten, and nothing changes then."""
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        raise UsageProblem(f"{file}: {exc.strerror}") from exc
    params: dict[str, str | int] = {"force": str(force).lower(), **given(ahead=ahead)}
    with Api(url, token) as api:
        done = api.call("POST", "/v1/restore", content=content, content_type="application/x-ndjson", params=params)
    if as_json:
        print_json(done)
    else:
        print(f"{done['created']} created, {done['overwritten']} overwritten, {done['unchanged']} were there already")
        if done["sequences"] and done["ahead"]:
            print(
                f"webhooks whose logs leave out {done['ahead']} numbers, as some may have been used since the backup: "
                f"{done['sequences']}; events?after=N tells their receivers"
            )
    if done["unreadable"]:
        names = ", ".join(done["unreadable"])
        raise CommandError(
            f"restored, but no key of NEWSWIRE_SECRET_KEY opens the secrets of {names}: "
            "set the key of the server that they come from, or rotate them"
        )


def _things(last: bytes) -> int | None:
    """Return how many things a backup holds by its last line, None if that is not whole."""
    lines = last.splitlines()
    try:
        end = json.loads(lines[-1]) if lines else None
    except ValueError:
        return None
    return int(end["things"]) if isinstance(end, dict) and end.get("end") is True else None


@contextlib.contextmanager
def _written(file: str) -> Iterator[BinaryIO]:
    """Write a file that only this user may read, whole or not at all."""
    if file == "-":
        yield sys.stdout.buffer
        return
    path = Path(file)
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            yield out
        fresh.replace(path)
    except OSError as exc:
        raise UsageProblem(f"{file}: {exc.strerror}") from exc
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)
