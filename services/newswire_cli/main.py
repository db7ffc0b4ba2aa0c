"""The ``newswire`` command.

An error is one plain line on standard error: exit code 2 for a wrong call, 1 for
anything that could not be done. What a command needs is imported inside it:
``newswire --help`` and the commands that only talk HTTP stay quick.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from newswire_cli.commands import articles, backup, live, operating, setup, webhooks
from newswire_cli.failures import CommandError, one_line

app = typer.Typer(
    name="newswire",
    help="A news agency's wire: articles in, enriched, and out to feeds, webhooks and social queues.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on (127.0.0.1, or NEWSWIRE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (8080, or NEWSWIRE_PORT).")] = None,
    data_dir: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("var"),
    demo: Annotated[bool, typer.Option(help="Send sample stories through and show where they arrive.")] = True,
    ready_file: Annotated[Path | None, typer.Option(help="A file to create once everything is ready.")] = None,
) -> None:
    """Run everything in one process, with an embedded server."""
    from newswire_cli.up import Options, run_all

    run_all(Options(host, port, data_dir, demo, ready_file))


@app.command()
def run(
    service: Annotated[str, typer.Argument(help="ingest, enrichment or publisher.")],
    only: Annotated[str | None, typer.Option(help="Outputs of the publisher: feeds,webhooks,social,api.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (NEWSWIRE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (NEWSWIRE_PORT).")] = None,
) -> None:
    """Run one service on the broker of NEWSWIRE_BROKER_URL."""
    from newswire_cli.composition import SERVICES
    from newswire_cli.failures import UsageProblem

    if service not in SERVICES:
        raise UsageProblem(f"no service {service!r}; there are {', '.join(SERVICES)}")
    from newswire_cli.run import run_service

    run_service(service, only, host, port)


for commands in (articles, live, operating, setup, webhooks, backup):
    commands.install(app)


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(invoke(sys.argv[1:]))


def invoke(arguments: list[str]) -> int:
    """Run one command; return its exit code, and say an error in one line."""
    from typer._click.exceptions import ClickException, UsageError

    try:
        code = app(arguments, standalone_mode=False)
    except CommandError as exc:
        return _fail(str(exc), exc.exit_code)
    except UsageError as exc:
        if type(exc).__name__ == "NoArgsIsHelpError":
            print(exc.format_message())
            return 2
        hint = f"; see {exc.ctx.command_path} --help" if exc.ctx is not None else ""
        return _fail(f"{exc.format_message().rstrip('.')}{hint}", 2)
    except ClickException as exc:
        return _fail(exc.format_message(), 1)
    except (typer.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        return 1
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    print(f"newswire: {one_line(message)}", file=sys.stderr)
    return code
