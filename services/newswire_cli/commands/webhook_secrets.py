"""The commands for webhooks' secrets: rotate, and the operator's rekey."""

from typing import Annotated

import typer

from newswire_cli.client import Api, AsJson, Token, Url, given, part, print_json
from newswire_cli.commands.webhook_acts import Id
from newswire_cli.commands.webhook_options import Secret, read_secret
from newswire_cli.failures import CommandError


def install(webhook: typer.Typer) -> None:
    """Add the commands to the group of the webhooks'."""
    webhook.command()(rotate)
    webhook.command()(rekey)


def rotate(
    id_: Id,
    grace: Annotated[
        int | None, typer.Option(help="Seconds that the old secret still signs too; a day if not given.")
    ] = None,
    secret: Secret = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make a new secret, shown this once; the old one signs beside it for a while."""
    body = given(grace=grace, secret=read_secret(secret))
    with Api(url, token) as api:
        made = api.call("POST", f"/v1/webhooks/{part(id_)}/rotate-secret", body=body)
    if as_json:
        print_json(made)
    else:
        print(f"id      {made['id']}\nsecret  {made['secret']}")


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
