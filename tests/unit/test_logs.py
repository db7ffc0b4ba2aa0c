"""A log that cannot be written stops nobody."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import structlog

from newswire_runtime.logs import configure

FULL = Path("/dev/full")


@pytest.fixture
def configuration() -> Iterator[None]:
    """Let a test configure the logs of its own."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here: it is Linux's")
@pytest.mark.parametrize("word", ["debug", "info", "warning", "error", "critical", "exception"])
def test_a_full_disk_loses_the_line_and_whoever_logs_goes_on(
    configuration: None, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    full = FULL.open("w", buffering=1)
    try:
        monkeypatch.setattr("sys.stderr", full)
        configure("DEBUG")
        with pytest.raises(OSError, match="No space"):
            full.write("It really is full.\n")
        getattr(structlog.get_logger(), word)("story.told", uri="urn:test:1")
    finally:
        with suppress(OSError):
            full.close()
