"""The whole wire in this process: `wire`; and a server that takes its pushes: `receiver`, or `faulty`.

`client` is for tests of parts that need no more than a broker.
"""

import functools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.book import Faulty, faulty_receiver
from support.subscriber import Subscriber, subscribing
from support.wire import Receiver, Wire, receiving, running

from newswire_enrichment.steps.language import LanguageStep
from newswire_publisher.webhooks.settling import Settler
from newswire_runtime.broker import make_client
from newswire_runtime.client import Client

one_language_step = functools.cache(LanguageStep)
"""Its models are the same for every wire, and take a second to load."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a wire start and stop without waits that mean nothing here."""
    monkeypatch.setattr("newswire_enrichment.app.LanguageStep", one_language_step)
    monkeypatch.setattr("newswire_runtime.hop.READ_BLOCK_MS", 50)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    made = make_client(redis_url)
    yield made
    await made.aclose()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as server:
        yield server


@pytest.fixture
async def faulty(tmp_path: Path) -> AsyncIterator[Faulty]:
    """A receiver in a process of its own, which answers by a plan and writes down what came when."""
    async with faulty_receiver(tmp_path) as started:
        yield started


@pytest.fixture
async def wire(quick: None, redis_url: str, receiver: Receiver) -> AsyncIterator[Wire]:
    async with running(redis_url) as started:
        yield started
        receiver.let_go.set()


@pytest.fixture
async def subscriber() -> AsyncIterator[Subscriber]:
    async with subscribing() as server:
        yield server


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newswire_publisher.hub.calls.FIRST_DELAY", 50)
    monkeypatch.setattr("newswire_publisher.hub.calls.CHECK_DELAYS", (50, 50, 50))


@pytest.fixture
def without_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing but failures disable an endpoint at once."""
    made = Settler.__init__

    def impatient(self: Settler, *args: Any) -> None:
        made(self, *args[:-1], 0)

    monkeypatch.setattr(Settler, "__init__", impatient)
