"""The desk's commands: submit, kill, withhold, reinstate; and where an article went: receipts, trace."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from newswire_cli.client import Api, AsJson, Refusal, Token, Url, given, part, print_json, print_rows
from newswire_cli.failures import CommandError, UsageProblem

CONTENT_TYPES = {".json": "application/json", ".txt": "text/plain", ".xml": "application/xml"}
"""What a file's name tells; for every other one the content is recognised."""

Key = Annotated[str, typer.Argument(help="The article's key, or its uri.")]
Note = Annotated[str | None, typer.Option(help="Why; readers see it.")]


def install(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(submit)
    app.command()(kill)
    app.command()(withhold)
    app.command()(reinstate)
    app.command()(receipts)
    app.command()(trace)


def submit(
    files: Annotated[list[str], typer.Argument(help="Files; - is standard input.")],
    format_: Annotated[str | None, typer.Option("--format", help="The format, if it is not to be recognised.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Submit articles, in any format; one line an item: outcome, act, uri, version."""
    bodies = [(name, _read(name)) for name in files]
    failed, items = False, []
    with Api(url, token) as api:
        for name, body in bodies:
            try:
                answer = api.call(
                    "POST",
                    "/v1/articles",
                    ingest=True,
                    content=body,
                    content_type=CONTENT_TYPES.get(Path(name).suffix.lower()),
                    params=given(format=format_),
                )
            except Refusal as exc:
                failed = True
                print(f"newswire: {name}: {exc}", file=sys.stderr)
                continue
            items += [{"file": name, **item} for item in answer["items"]]
            failed |= any(item["outcome"] == "rejected" for item in answer["items"])
            if not as_json:
                _print_items(answer["items"])
    if as_json:
        print_json({"items": items})
    if failed:
        raise typer.Exit(1)


def kill(
    key: Key,
    note: Annotated[str, typer.Option(help="Why; readers see it.")],
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Kill an article: everybody who got it is told."""
    _desk_act("kill", key, note, url, token, as_json)


def withhold(key: Key, note: Note = None, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Withhold an article until it is reinstated."""
    _desk_act("withhold", key, note, url, token, as_json)


def reinstate(key: Key, note: Note = None, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Reinstate an article that was withheld."""
    _desk_act("reinstate", key, note, url, token, as_json)


def receipts(key: Key, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Tell who got which version of an article when, and who took its kill (operator)."""
    items = _items_of(key, "receipts", url, token)
    if not as_json:
        for item in items:
            item["at"] = item["taken"][-1]["at"] if item.get("taken") else None
            item["kill"] = item["kill"]["state"] if "kill" in item else None
    print_rows(items, ("sink", "name", "version", "state", "at", "kill", "url"), as_json)


def trace(key: Key, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Tell every stage, delivery and post of an article, in the order of time (operator)."""
    items = _items_of(key, "trace", url, token)
    print_rows(items, ("at", "stage", "version", "act", "webhook", "account", "outcome", "status", "error"), as_json)


def _items_of(key: str, path: str, url: str | None, token: str | None) -> list[dict[str, Any]]:
    with Api(url, token) as api:
        items: list[dict[str, Any]] = api.call("GET", f"/v1/articles/{part(key_from(key))}/{path}")["items"]
        return items


def key_from(text: str) -> str:
    """Return the key of what a person wrote: a key, or a uri."""
    if ":" not in text:
        return text
    from newswire_schemas.article import key_of

    return key_of(text)


def _desk_act(word: str, key: str, note: str | None, url: str | None, token: str | None, as_json: bool) -> None:
    with Api(url, token) as api:
        path = f"/v1/articles/{part(key_from(key))}/{word}"
        answer = api.call("POST", path, ingest=True, body=given(ed_note=note))
    if as_json:
        print_json(answer)
    else:
        _print_items(answer["items"])


def _print_items(items: list[dict[str, Any]]) -> None:
    for item in items:
        words = [item["outcome"], item["act"], item["uri"], str(item["version"])]
        print(" ".join(words) + (f"  ({item['reason']})" if item.get("reason") else ""), flush=True)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except FileNotFoundError as exc:
        raise UsageProblem(f"{name}: there is no such file") from exc
    except OSError as exc:
        raise CommandError(f"{name}: {exc.strerror}") from exc
