"""The options of `webhook add` and `webhook edit`, written once, and the settings that they give."""

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from newswire_cli.client import comma_list, given, parse_json, read_text
from newswire_cli.failures import UsageProblem

Events = Annotated[str | None, typer.Option(help="Event types, with commas between: article.killed,webhook.*")]
Secret = Annotated[str | None, typer.Option(help="A file with a secret of your own (whsec_…); - is standard input.")]

_OPTIONS: dict[str, Any] = {
    "filter": Annotated[str | None, typer.Option(help="A filter as JSON; {} takes everything.")],
    "events": Events,
    "format": Annotated[str | None, typer.Option(help="article, ninjs or thin.")],
    "description": Annotated[str | None, typer.Option(help="What it is for.")],
    "rate": Annotated[float | None, typer.Option(help="Pushes a second at most.")],
    "concurrency": Annotated[int | None, typer.Option(help="Pushes at one time at most.")],
    "ordered": Annotated[bool | None, typer.Option("--ordered/--unordered", help="One push at a time, in order.")],
    "max_age": Annotated[int | None, typer.Option(help="Seconds after which an event is not pushed any more.")],
    "signature": Annotated[str | None, typer.Option(help="v1 (HMAC-SHA256) or v1a (ed25519).")],
    "retry": Annotated[str | None, typer.Option(help="Seconds between attempts, with commas between: 5,60,600")],
    "header": Annotated[
        list[str] | None,
        typer.Option(help="'Name: value', sent with every push; may be given again. 'Name:' takes it out."),
    ],
    "challenge": Annotated[
        bool | None, typer.Option("--challenge/--no-challenge", help="Push nothing until the address echoes a token.")
    ],
}


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command these options in the place of its ``settings``, which then holds what they give."""

    @functools.wraps(command)
    def called(**options: Any) -> None:
        settings = _settings_of(**{name: options.pop(name) for name in _OPTIONS})
        command(**options, settings=settings)

    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if parameter.name == "settings":
            parameters += [
                inspect.Parameter(name, parameter.kind, default=None, annotation=option)
                for name, option in _OPTIONS.items()
            ]
        else:
            parameters.append(parameter)
    # What typer reads.
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect looks for it
    return called


def _settings_of(**options: Any) -> dict[str, Any]:
    """Return the settings as the API takes them."""
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
    return None if name is None else read_text(name).strip()
