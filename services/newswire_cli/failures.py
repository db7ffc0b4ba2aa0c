"""How a command ends badly: one plain line, and the exit code that says whose fault it was.

CommandError            1: what was asked for could not be done
  └─ UsageProblem       2: it was asked for in the wrong way
"""


class CommandError(Exception):
    """The command cannot do what it was asked for; the message is one line and says what to do."""

    exit_code = 1


class UsageProblem(CommandError):  # noqa: N818 - says what is the case
    """The arguments or settings cannot be used."""

    exit_code = 2


def one_line(text: str) -> str:
    """Return text without line breaks: what a command says of an error is one line."""
    return " ".join(text.split())
