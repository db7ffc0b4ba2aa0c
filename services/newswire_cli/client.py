"""What the commands talk to: the services' HTTP API, and how an answer becomes text.

    URL    --url, NEWSWIRE_URL, or http://127.0.0.1:8080; NEWSWIRE_INGEST_URL for ingest where it has a port of its own
    token  --token, NEWSWIRE_TOKEN, or the file ./var/operator.token that ``newswire up`` writes

Every failure is one line: no connection, a problem document (RFC 9457), or an answer that is none of ours.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from newswire_cli.failures import CommandError, UsageProblem, one_line

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:8080"
TOKEN_FILE = Path("var/operator.token")
TIMEOUT_S = 30.0
PAGE = 100

Url = Annotated[str | None, typer.Option(help="Where newswire runs (NEWSWIRE_URL).", show_default=DEFAULT_URL)]
Token = Annotated[
    str | None, typer.Option(help="A token (NEWSWIRE_TOKEN, or what ./var/operator.token holds).", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Filter = Annotated[str, typer.Option("--filter", help="A filter as JSON; {} takes everything.")]


class Refusal(CommandError):  # noqa: N818 - an answer, not a fault
    """The service answered that it will not; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """Calls of the services' API, each with a timeout; use it as a context."""

    def __init__(self, url: str | None, token: str | None) -> None:
        import httpx

        self._url = (url or os.environ.get("NEWSWIRE_URL") or DEFAULT_URL).rstrip("/")
        ingest = None if url else os.environ.get("NEWSWIRE_INGEST_URL")
        self._ingest_url = (ingest or self._url).rstrip("/")
        self._token = token or os.environ.get("NEWSWIRE_TOKEN") or _kept_token()
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            self._http = httpx.Client(timeout=TIMEOUT_S, headers=headers, trust_env=False)
        except UnicodeEncodeError as exc:
            raise UsageProblem("the token has characters that no token has") from exc

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        ingest: bool = False,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        content_type: str | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Any:
        """Return what the service answers, None for no content; raise Refusal or CommandError.

        Args:
            body: Sent as JSON.
            content: Sent as it is, under ``content_type`` if there is one.
        """
        import httpx

        base = self._ingest_url if ingest else self._url
        headers = {"Content-Type": content_type} if content_type else {}
        try:
            answer = self._http.request(
                method, base + path, json=body, content=content, headers=headers, params=params or {}
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
            raise UsageProblem(f"{base}: {one_line(str(exc))}") from exc
        except httpx.TimeoutException as exc:
            raise CommandError(f"{base}: no answer in {TIMEOUT_S:.0f} s") from exc
        except httpx.HTTPError as exc:
            raise _unreachable(base, exc) from exc
        return self._read(answer)

    @contextlib.contextmanager
    def stream(
        self, path: str, params: Mapping[str, str | int], headers: Mapping[str, str], quiet: float
    ) -> Iterator[Iterator[bytes]]:
        """Open an answer that does not end, and yield its bytes as they come; fail after ``quiet`` seconds without any.

        Raise Refusal or CommandError; an answer that ends just ends.
        """
        import httpx

        timeout = httpx.Timeout(TIMEOUT_S, read=quiet)
        try:
            with self._http.stream("GET", self._url + path, params=params, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    answer.read()
                    self._read(answer)
                yield answer.iter_bytes()
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as exc:
            raise UsageProblem(f"{self._url}: {one_line(str(exc))}") from exc
        except httpx.ConnectError as exc:
            raise _unreachable(self._url, exc) from exc
        except httpx.HTTPError as exc:
            raise CommandError(f"{self._url}: the connection is lost ({one_line(str(exc))})") from exc

    def items(self, path: str, limit: int | None = None, **params: str | int) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page by page."""
        taken = 0
        cursor: str | None = None
        while limit is None or taken < limit:
            page = self.call("GET", path, params={**params, **({"cursor": cursor} if cursor else {})})
            for item in page["items"]:
                if limit is not None and taken >= limit:
                    return
                taken += 1
                yield item
            cursor = page.get("cursor")
            if not cursor:
                return

    def _read(self, answer: httpx.Response) -> Any:
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if answer.is_success and not answer.content:
            return None
        try:
            body = answer.json() if kind.endswith("json") else None
        except ValueError:
            body = None
        if answer.is_success and body is not None:
            return body
        if isinstance(body, dict) and "detail" in body:
            hint = ""
            if answer.status_code == 401 and not self._token:
                hint = "; give --token or set NEWSWIRE_TOKEN"
            raise Refusal(answer.status_code, one_line(f"{body['detail']}{hint}"))
        raise Refusal(answer.status_code, f"{answer.request.url}: HTTP {answer.status_code}, which is no newswire's")


def _unreachable(base: str, exc: Exception) -> CommandError:
    why = one_line(str(exc))
    return CommandError(f"{base}: cannot be reached ({why}); is it running? Start it with `newswire up`, or give --url")


def part(text: str) -> str:
    """Return text as one segment of a path."""
    return quote(text, safe="")


def parse_json(text: str, option: str) -> Any:
    """Return the JSON object of an option."""
    try:
        value = json.loads(text)
    except ValueError as exc:
        raise UsageProblem(f"{option}: no JSON: {exc}") from exc
    if not isinstance(value, dict):
        raise UsageProblem(f'{option}: write a JSON object, such as {{"languages": ["de"]}}')
    return value


def read_text(name: str) -> str:
    """Return what a file holds that an option names, or standard input for ``-``: no shell keeps it then."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except OSError as exc:
        raise UsageProblem(f"{name}: {exc.strerror}") from exc


def given(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def comma_list(text: str | None) -> list[str] | None:
    """Return the parts of an option that commas separate."""
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]


def print_json(value: Any) -> None:
    """Print a value as JSON that a person can read too."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_rows(items: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print a list: as ``{"items": […]}``, or one line an item in columns."""
    if as_json:
        print_json({"items": list(items)})
        return
    rows = [[_cell(item.get(column)) for column in columns] for item in items]
    if not rows:
        return
    widths = [max(len(name), *(len(row[n]) for row in rows)) for n, name in enumerate(columns)]
    for row in [list(columns), *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return one_line(str(value))


def _kept_token() -> str | None:
    try:
        return TOKEN_FILE.read_text().strip() or None
    except OSError:
        return None
