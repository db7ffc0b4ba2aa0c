"""The integrator's commands: webhook add, list, rm, test, attempts, enable, disable; and the operator's rekey."""

from collections.abc import Callable
from typing import Annotated

import typer

from newswire_cli.client import (
    Api,
    AsJson,
    Token,
    Url,
    comma_list,
    given,
    parse_json,
    part,
    print_json,
    print_rows,
)
from newswire_cli.failures import CommandError

Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, from `newswire webhook list`.")]


def install(app: typer.Typer) -> None:
    """Add the commands."""
    webhook = typer.Typer(help="Webhooks: articles pushed to an address.", no_args_is_help=True)
    named: dict[str, Callable[..., None]] = {
        "add": add,
        "list": list_,
        "rm": remove,
        "test": test,
        "attempts": attempts,
        "enable": enable,
        "disable": disable,
        "rekey": rekey,
    }
    for name, command in named.items():
        webhook.command(name)(command)
    app.add_typer(webhook, name="webhook")


def add(
    address: Annotated[str | None, typer.Argument(metavar="[URL]", help="Where to push; without it, to pull.")] = None,
    filter_: Annotated[str, typer.Option("--filter", help="A filter as JSON; {} takes everything.")] = "{}",
    events: Annotated[str | None, typer.Option(help="Event types, with commas between: article.killed.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="article, ninjs or thin.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    concurrency: Annotated[int | None, typer.Option(help="Pushes at one time at most.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Register a webhook; prints its id, and this once the secret that signs its pushes."""
    body = given(
        url=address,
        filter=parse_json(filter_, "--filter"),
        events=comma_list(events),
        format=format_,
        description=description,
        concurrency=concurrency,
    )
    with Api(url, token) as api:
        made = api.call("POST", "/v1/webhooks", body=body)
    if as_json:
        print_json(made)
    else:
        print(f"id      {made['id']}\nsecret  {made['secret']}")


def list_(url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the webhooks."""
    with Api(url, token) as api:
        print_rows(list(api.items("/v1/webhooks")), ("id", "enabled", "url", "description", "filter"), as_json)


def attempts(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the newest attempts to deliver."""
    with Api(url, token) as api:
        found = api.call("GET", f"/v1/webhooks/{part(id_)}/attempts")["items"]
    print_rows(found, ("at", "sequence", "type", "attempt", "outcome", "status", "ms", "uri"), as_json)


def remove(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Remove a webhook."""
    _act("DELETE", id_, "", "removed", url, token, as_json)


def test(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Send a test event."""
    _act("POST", id_, "/test", "sent a test to", url, token, as_json)


def enable(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Let a webhook go on."""
    _act("POST", id_, "/enable", "enabled", url, token, as_json)


def disable(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Stop pushing; events are kept."""
    _act("POST", id_, "/disable", "disabled", url, token, as_json)


def rekey(url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Encrypt all secrets with the first of NEWSWIRE_SECRET_KEY (operator)."""
    with Api(url, token) as api:
        done = api.call("POST", "/v1/webhooks/rekey")
    if as_json:
        print_json(done)
    else:
        print(f"encrypted anew: {done['webhooks']}")
    if done["unreadable"]:
        names = ", ".join(f"{key['webhook']} {key['key']}" for key in done["unreadable"])
        raise CommandError(f"no key of NEWSWIRE_SECRET_KEY opens {names}; add theirs, or rotate these secrets")


def _act(method: str, id_: str, word: str, done: str, url: str | None, token: str | None, as_json: bool) -> None:
    with Api(url, token) as api:
        answer = api.call(method, f"/v1/webhooks/{part(id_)}{word}")
    if as_json:
        print_json(answer if answer is not None else {"id": id_})
    else:
        print(f"{done} {id_}")
