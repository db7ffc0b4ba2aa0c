"""The integrator's commands for a webhook's settings: add, show, edit, list, rm, dry-run."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from newswire_cli.client import (
    Api,
    AsJson,
    Filter,
    Token,
    Url,
    comma_list,
    given,
    parse_json,
    part,
    print_json,
    print_rows,
)
from newswire_cli.commands import webhook_acts, webhook_attempts, webhook_secrets
from newswire_cli.commands.webhook_acts import Id
from newswire_cli.commands.webhook_options import Events, Secret, read_secret, with_settings
from newswire_cli.failures import UsageProblem


def install(app: typer.Typer) -> None:
    """Add the commands."""
    webhook = typer.Typer(help="Webhooks: articles pushed to an address.", no_args_is_help=True)
    named: dict[str, Callable[..., None]] = {
        "add": add,
        "show": show,
        "edit": edit,
        "list": list_,
        "rm": remove,
        "dry-run": dry_run,
    }
    for name, command in named.items():
        webhook.command(name)(command)
    webhook_acts.install(webhook)
    webhook_attempts.install(webhook)
    webhook_secrets.install(webhook)
    app.add_typer(webhook, name="webhook")


@with_settings
def add(
    address: Annotated[str | None, typer.Argument(metavar="[URL]", help="Where to push; without it, to pull.")] = None,
    *,
    settings: dict[str, Any],
    secret: Secret = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Register a webhook; prints its id, and this once the secret that signs its pushes."""
    body = given(url=address, secret=read_secret(secret)) | settings
    with Api(url, token) as api:
        made = api.call("POST", "/v1/webhooks", body=body)
    if as_json:
        print_json(made)
        return
    print(f"id      {made['id']}\nsecret  {made['secret']}")
    if "verification" in made:
        print(f"status  {made['status']}{webhook_acts.told(made['verification'])}")


def show(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show a webhook: its settings, how much waits, since when it fails."""
    with Api(url, token) as api:
        webhook_acts.print_one(api.call("GET", f"/v1/webhooks/{part(id_)}"), as_json)


@with_settings
def edit(
    id_: Id,
    address: Annotated[str | None, typer.Option("--address", help="Where to push.")] = None,
    *,
    settings: dict[str, Any],
    reset: Annotated[
        list[str] | None, typer.Option(help="A setting to take back to its default, such as rate; may be given again.")
    ] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Change some settings; the others stay. A filter is merged: null takes a field out of it."""
    body = given(url=address) | settings
    body |= {("url" if name == "address" else name.replace("-", "_")): None for name in reset or ()}
    if not body:
        raise UsageProblem("nothing to change; see newswire webhook edit --help")
    with Api(url, token) as api:
        webhook_acts.print_one(api.call("PATCH", f"/v1/webhooks/{part(id_)}", body=body), as_json)


def list_(
    owner: Annotated[str | None, typer.Option(help="Only those of this token's name (operator).")] = None,
    status: Annotated[str | None, typer.Option(help="Only pending, enabled or disabled ones.")] = None,
    health: Annotated[str | None, typer.Option(help="Only those: failing, retrying, paused, quiet, ok, …")] = None,
    search: Annotated[str | None, typer.Option(help="Only those with these words: address, owner, …")] = None,
    worst_first: Annotated[bool, typer.Option("--worst-first", help="By health, not by age.")] = False,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the webhooks with their health."""
    with Api(url, token) as api:
        order = "health" if worst_first else None
        wanted = given(owner=owner, status=status, health=health, q=search, order=order)
        items = list(api.items("/v1/webhooks", **wanted))
    print_rows(items, ("id", "health", "waiting", "in_flight", "url", "description", "filter"), as_json)


def remove(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Remove a webhook, its log and what waits."""
    with Api(url, token) as api:
        api.call("DELETE", f"/v1/webhooks/{part(id_)}")
    webhook_acts.print_done("removed", id_, {"id": id_}, as_json)


def dry_run(
    filter_: Filter = "{}",
    events: Events = None,
    days: Annotated[int | None, typer.Option(help="The last days to look at, at most 31; 7 if not given.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Tell what a filter would have carried in the last days."""
    body = given(filter=parse_json(filter_, "--filter"), events=comma_list(events), days=days)
    with Api(url, token) as api:
        found = api.call("POST", "/v1/webhooks/dry-run", body=body)
    if as_json:
        print_json(found)
        return
    more = " (there are more than were looked at)" if found["truncated"] else ""
    print(f"{found['matched']} of {found['scanned']} articles match, {found['pushes']} pushes{more}")
    print_rows(found["per_day"], ("date", "articles", "pushes"), as_json=False)
    print_rows([{"type": name, "pushes": count} for name, count in found["by_type"].items()], ("type", "pushes"), False)
    print_rows(found["items"], ("time", "type", "language", "headline"), as_json=False)
