"""What is done with a webhook: test, verify, enable, disable, events, replay, notices."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from newswire_cli.client import Api, AsJson, Token, Url, given, part, print_json, print_rows
from newswire_cli.failures import CommandError, UsageProblem

Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, from `newswire webhook list`.")]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]


def install(webhook: typer.Typer) -> None:
    """Add the commands to the group of the webhooks'."""
    named: dict[str, Callable[..., None]] = {
        "test": test,
        "verify": verify,
        "enable": enable,
        "disable": disable,
        "events": events,
        "replay": replay,
        "notices": notices,
    }
    for name, command in named.items():
        webhook.command(name)(command)


def test(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Send a test event now, and print what came of it."""
    with Api(url, token) as api:
        answer = api.call("POST", path_of(id_, "test"))
    if as_json:
        print_json(answer)
    elif answer["delivered"]:
        print(f"delivered to {id_}: {answer['status']} in {answer['ms']:.0f} ms")
    if not answer["delivered"]:
        raise CommandError(f"the test was not delivered{told(answer)}")


def verify(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Send a pending webhook's challenge again."""
    with Api(url, token) as api:
        answer = api.call("POST", path_of(id_, "verify"))
    verification = answer.get("verification")
    if verification is not None and not verification["verified"]:
        if as_json:
            print_json(answer)
        raise CommandError(f"the address is not verified{told(verification)}")
    print_done("verified", id_, answer, as_json)


def enable(id_: Id, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """Let a webhook go on, at once; what waited goes first."""
    with Api(url, token) as api:
        print_done("enabled", id_, api.call("POST", path_of(id_, "enable")), as_json)


def disable(
    id_: Id,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever looks later.")] = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Stop pushing; events are kept."""
    with Api(url, token) as api:
        print_done("disabled", id_, api.call("POST", path_of(id_, "disable"), body=given(reason=reason)), as_json)


def events(
    id_: Id,
    after: Annotated[int, typer.Option(min=0, help="Only events after this sequence number.")] = 0,
    limit: Limit = 100,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List a webhook's events, oldest first; --json has the payloads, byte for byte as they are pushed."""
    with Api(url, token) as api:
        found = list(api.items(path_of(id_, "events"), limit=limit, after=after))
    print_rows(found, ("sequence", "time", "type", "version", "uri"), as_json)


def replay(
    id_: Id,
    after: Annotated[
        int | None, typer.Option(min=0, help="Events after this sequence number; 0: from the first.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Events since this time, such as 2026-01-31T12:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="To this sequence number, or before this time.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that were not delivered.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the replays that wait, instead.")] = False,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Push events again, under the same ids, beside what is new."""
    end: str | int | None = int(until) if until is not None and until.isascii() and until.isdigit() else until
    body = given(after=after, since=since, until=end, only="failed" if failed else None)
    if cancel and body:
        raise UsageProblem("--cancel ends all replays that wait; give it alone")
    with Api(url, token) as api:
        if cancel:
            done = api.call("DELETE", path_of(id_, "replays"))
            print_done(f"cancelled {done['cancelled']} events that waited to be replayed to", id_, done, as_json)
            return
        said = api.call("POST", path_of(id_, "replay"), body=body)
    if as_json:
        print_json(said)
    elif said.get("waits_already"):
        print(f"{said['entries']} events from {said['first']} to {said['last']} wait to go out again already")
    elif said["entries"]:
        print(f"{said['entries']} events from {said['first']} to {said['last']} go out again")
    else:
        print("no such events")


def notices(limit: Limit = 100, url: Url = None, token: Token = None, as_json: AsJson = False) -> None:
    """List what was told of the health of webhooks: failing, recovered, disabled, exhausted."""
    with Api(url, token) as api:
        found = api.call("GET", "/v1/webhooks/notices", params={"limit": limit})["items"]
    print_rows(found, ("at", "type", "webhook", "owner", "status", "error", "reason"), as_json)


def told(outcome: Mapping[str, Any]) -> str:
    """Return what came of a test or challenge, to follow what it means."""
    if outcome.get("verified"):
        return ""
    what = outcome["detail"] or (f"the address answered {outcome['status']}" if outcome["status"] else outcome["error"])
    return f": {what}"


def print_one(thing: Mapping[str, Any], as_json: bool) -> None:
    """Print one thing: as JSON, or one line a member, and one more for each member of an object in it."""
    if as_json:
        print_json(thing)
        return
    for name, value in thing.items():
        if isinstance(value, dict) and value and name != "filter":
            print_one({f"{name}.{inner}": more for inner, more in value.items()}, as_json=False)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            print(f"{name:24} {text}")


def print_done(done: str, id_: str, answer: object, as_json: bool) -> None:
    """Print that something was done to a webhook."""
    if as_json:
        print_json(answer)
    else:
        print(f"{done} {id_}")


def path_of(id_: str, *more: str) -> str:
    """Return the path of a webhook, or of something below it."""
    return "/".join(["/v1/webhooks", *map(part, (id_, *more))])
