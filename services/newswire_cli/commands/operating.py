"""The operator's commands that look and repair: status, dlq."""

from typing import Annotated, Any

import typer

from newswire_cli.client import Api, AsJson, Refusal, Token, Url, part, print_json, print_rows
from newswire_cli.failures import CommandError

Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, from `newswire dlq list`.")]


def install(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(status)
    dlq = typer.Typer(help="Dead letters: what could not be processed.", no_args_is_help=True)
    dlq.command("list")(dlq_list)
    dlq.command("show")(dlq_show)
    dlq.command("replay")(dlq_replay)
    dlq.command("drop")(dlq_drop)
    app.add_typer(dlq, name="dlq")


def status(url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show streams, schedules, outputs and dead letters."""
    with Api(url, token) as api:
        found = api.call("GET", "/v1/status")
    if as_json:
        print_json(found)
        return
    groups = [
        {"stream": stream["name"], "length": stream["length"], "group": group["name"], **group}
        for stream in found["streams"]
        for group in stream["groups"] or [{"name": "-"}]
    ]
    print_rows(groups, ("stream", "length", "group", "pending", "lag"), as_json=False)
    for name in ("schedules", "webhooks", "accounts", "dead_letters"):
        print(f"{name.replace('_', ' '):13} {_counts(found.get(name))}")
    if unsigned := found["webhooks"]["unsigned"]:
        print(
            f"unsigned      {', '.join(unsigned)}: their pushes wait, as no key of NEWSWIRE_SECRET_KEY opens their "
            "secrets; set the key that encrypted them, or rotate them"
        )


def dlq_list(url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List the dead letters."""
    with Api(url, token) as api:
        print_rows(list(api.items("/v1/dead-letters")), ("id", "at", "stage", "reason", "attempts", "detail"), as_json)


def dlq_show(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show one dead letter, with its bytes."""
    with Api(url, token) as api:
        try:
            found = api.call("GET", f"/v1/dead-letters/{part(id_)}")
        except Refusal as exc:
            if exc.status not in (404, 405):
                raise
            found = next((item for item in api.items("/v1/dead-letters") if item["id"] == id_), None)
    if found is None:
        raise CommandError(f"there is no dead letter {id_}")
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            print(f"{name:10} {value}")


def dlq_replay(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Put a dead letter back where it came from."""
    _act("POST", f"/v1/dead-letters/{part(id_)}/replay", "replayed", id_, url, token, as_json)


def dlq_drop(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Drop a dead letter for good."""
    _act("DELETE", f"/v1/dead-letters/{part(id_)}", "dropped", id_, url, token, as_json)


def _act(method: str, path: str, done: str, id_: str, url: str | None, token: str | None, as_json: bool) -> None:
    with Api(url, token) as api:
        answer = api.call(method, path)
    if as_json:
        print_json(answer if answer is not None else {"id": id_})
    else:
        print(f"{done} {id_}")


def _counts(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_counts(count)}" for name, count in value.items()) or "none"
    return str(len(value)) if isinstance(value, list) else str(value)
