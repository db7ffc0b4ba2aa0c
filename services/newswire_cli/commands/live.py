"""``newswire tail``: the wire as it happens, one line an event."""

import contextlib
import json
from typing import Annotated, Any

import typer

from newswire_cli.client import Api, AsJson, Token, Url, given, parse_json
from newswire_cli.failures import one_line
from newswire_cli.follow import LiveEvent, follow


def install(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(tail)


def tail(
    filter_: Annotated[str | None, typer.Option("--filter", help="Only what this filter takes, as JSON.")] = None,
    after: Annotated[int | None, typer.Option(min=0, help="Begin after the event of this number.")] = None,
    lines: Annotated[int, typer.Option(min=0, max=100, help="How many articles to begin with, without --after.")] = 10,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Follow the live stream until Ctrl-C, one line an event; a lost connection goes on where it was."""
    params: dict[str, str | int] = given(filter=json.dumps(parse_json(filter_, "--filter")) if filter_ else None)
    known: set[tuple[Any, Any]] = set()
    with contextlib.suppress(KeyboardInterrupt), Api(url, token) as api:
        events = follow(api, params, after)
        next(events)  # the stream stands where the list is read: what comes meanwhile is in both, or in the stream
        if after is None and lines:
            newest = list(api.items("/v1/articles", limit=lines, **params))
            for article in reversed(newest):
                known.add((article["uri"], article["version"]))
                _print_article(article, as_json)
        for event in events:
            if event.type:
                _print(event, known, as_json)


def _print(event: LiveEvent, known: set[tuple[Any, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(event.data, ensure_ascii=False), flush=True)
        return
    if event.type == "gap":
        print(f"… events {event.data['after'] + 1} to {event.data['first'] - 1} are kept no more", flush=True)
    elif event.type.startswith("article."):
        article = event.data["data"]
        if (article["uri"], article.get("version", 1)) in known and event.type == "article.new":
            return
        act = event.type.removeprefix("article.")
        _line(event.data["timestamp"], act, article)


def _print_article(article: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(article, ensure_ascii=False), flush=True)
        return
    _line(str(article.get("published") or article.get("version_created") or ""), "", article)


def _line(moment: str, act: str, article: dict[str, Any]) -> None:
    what = one_line(article.get("headline") or article["uri"])
    note = f"  ({one_line(article['ed_note'])})" if act and article.get("ed_note") else ""
    print(f"{moment[:19]}  {act:10}  {article.get('language') or '-':5}  {what}{note}", flush=True)
