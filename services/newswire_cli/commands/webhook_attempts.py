"""What was sent to a webhook and what came back: attempts, attempt, resend.

An attempt is printed with its request and answer as HTTP has them: lines with > were sent, those with < came back.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from newswire_cli.client import Api, AsJson, Token, Url, given, print_json, print_rows
from newswire_cli.commands.webhook_acts import Id, Limit, path_of, print_done, print_one

Attempt = Annotated[str, typer.Argument(metavar="ATTEMPT", help="The attempt's id, from `newswire webhook attempts`.")]
_APART = ("request", "response")


def install(webhook: typer.Typer) -> None:
    """Add the commands to the group of the webhooks'."""
    named: dict[str, Callable[..., None]] = {"attempts": attempts, "attempt": attempt, "resend": resend}
    for name, command in named.items():
        webhook.command(name)(command)


def attempts(
    id_: Id,
    outcome: Annotated[str | None, typer.Option(help="Only delivered, retry, exhausted, superseded, … ones.")] = None,
    sequence: Annotated[int | None, typer.Option(help="Only those of this event.")] = None,
    limit: Limit = 100,
    full: Annotated[
        bool, typer.Option("--full", help="Each with its request and answer, as `attempt` prints it.")
    ] = False,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List the newest attempts to deliver."""
    with Api(url, token) as api:
        found = list(api.items(path_of(id_, "attempts"), limit=limit, **given(outcome=outcome, sequence=sequence)))
        if full:
            found = [api.call("GET", path_of(id_, "attempts", each["id"])) for each in found]
    if not full or as_json:
        columns = ("id", "at", "sequence", "type", "attempt", "outcome", "status", "error", "ms", "uri")
        print_rows(found, columns, as_json)
        return
    for place, each in enumerate(found):
        print("\n" if place else "", end="")
        _print_attempt(each)


def attempt(id_: Id, attempt_id: Attempt, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Show an attempt with its request and the answer, headers and bodies."""
    with Api(url, token) as api:
        found = api.call("GET", path_of(id_, "attempts", attempt_id))
    if as_json:
        print_json(found)
    else:
        _print_attempt(found)


def resend(id_: Id, attempt_id: Attempt, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Push an attempt's event again, under the same id."""
    with Api(url, token) as api:
        said = api.call("POST", path_of(id_, "attempts", attempt_id, "resend"))
    waits = f" (it waits: {said['waits_for']})" if said["waits_for"] else ""
    print_done(f"event {said['sequence']}{waits} goes out again to", id_, said, as_json)


def _print_attempt(found: Mapping[str, Any]) -> None:
    print_one({name: value for name, value in found.items() if name not in _APART}, as_json=False)
    print()
    print("\n".join([*_request(found["request"]), "", *_response(found["response"])]))


def _request(request: Mapping[str, Any] | None) -> list[str]:
    if request is None:
        return ["> nothing was sent"]
    address = request["url"] or "(the address is not known any more)"
    body = request["body"] if request["body"] is not None else "(its version is kept no more)"
    return [f"> {request['method']} {address}", *_lines(">", request["headers"]), "", body]


def _response(response: Mapping[str, Any] | None) -> list[str]:
    if response is None:
        return ["< no answer"]
    lines = [f"< {response['status']}", *_lines("<", response["headers"])]
    if response.get("headers_truncated"):
        lines.append("< (there were more headers)")
    if response["body"]:
        lines += ["", response["body"]]
    return [*lines, "(there was more)"] if response["truncated"] else lines


def _lines(mark: str, headers: Mapping[str, str]) -> list[str]:
    return [f"{mark} {name}: {value}" for name, value in headers.items()]
