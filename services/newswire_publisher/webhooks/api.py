"""The HTTP API of the webhooks: what `app.py` installs, in the order in which paths are tried."""

from collections.abc import Sequence
from typing import Protocol

from fastapi import FastAPI


class Routes(Protocol):
    """Some routes."""

    def install(self, app: FastAPI) -> None: ...


class HookApi:
    """All routes of the webhooks."""

    def __init__(self, parts: Sequence[Routes]) -> None:
        self._parts = parts

    def install(self, app: FastAPI) -> None:
        for part in self._parts:
            part.install(app)
