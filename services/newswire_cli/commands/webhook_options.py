"""The options of `webhook add` and `webhook edit`, and the settings that they give."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from newswire_cli.client import comma_list, given, parse_json
from newswire_cli.failures import UsageProblem

Filter = Annotated[str | None, typer.Option("--filter", help="A filter as JSON; {} takes everything.")]
Events = Annotated[str | None, typer.Option(help="Event types, with commas between: article.killed,webhook.*")]
Format = Annotated[str | None, typer.Option("--format", help="article, ninjs or thin.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
Rate = Annotated[float | None, typer.Option(help="Pushes a second at most.")]
Concurrency = Annotated[int | None, typer.Option(help="Pushes at one time at most.")]
Ordered = Annotated[bool | None, typer.Option("--ordered/--unordered", help="One push at a time, in order.")]
MaxAge = Annotated[int | None, typer.Option(help="Seconds after which an event is not pushed any more.")]
Signature = Annotated[str | None, typer.Option(help="v1 (HMAC-SHA256) or v1a (ed25519).")]
Retry = Annotated[str | None, typer.Option(help="Seconds between attempts, with commas between: 5,60,600")]
Header = Annotated[
    list[str] | None,
    typer.Option(help="'Name: value', sent with every push; may be given again. 'Name:' takes it out."),
]
Challenge = Annotated[
    bool | None, typer.Option("--challenge/--no-challenge", help="Push nothing until the address echoes a token.")
]
Secret = Annotated[str | None, typer.Option(help="A file with a secret of your own (whsec_…); - is standard input.")]


def settings_of(**options: Any) -> dict[str, Any]:
    """Return the settings that the options give, as the API takes them."""
    filter_, events, retry, header = (options.pop(name) for name in ("filter", "events", "retry", "header"))
    return given(
        **options,
        filter=None if filter_ is None else parse_json(filter_, "--filter"),
        events=comma_list(events),
        retry=None if retry is None else [_seconds(word) for word in comma_list(retry) or ()],
        headers=None if header is None else dict(map(_header, header)),
    )


def _seconds(word: str) -> float:
    try:
        return float(word)
    except ValueError as exc:
        raise UsageProblem(f"--retry: {word!r} is no number of seconds") from exc


def _header(text: str) -> tuple[str, str | None]:
    name, colon, value = text.partition(":")
    if not colon:
        raise UsageProblem(f"--header: {text!r} has no colon; write 'Name: value'")
    return name.strip(), value.strip() or None


def read_secret(name: str | None) -> str | None:
    """Return the secret in a file: no shell keeps it then."""
    if name is None:
        return None
    try:
        return (sys.stdin.read() if name == "-" else Path(name).read_text()).strip()
    except OSError as exc:
        raise UsageProblem(f"{name}: {exc.strerror}") from exc
