"""One service in one process, as compose runs it: ``newswire run ingest``.

Nothing depends on what starts first: the service waits up to a minute for its
broker, says so in the log, and gives up with one line if it does not come.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

import structlog
from redis.exceptions import AuthenticationError, RedisError
from structlog.contextvars import bind_contextvars

from newswire_cli.composition import build_service, parse_outputs, read_settings
from newswire_cli.failures import CommandError, UsageProblem, one_line
from newswire_cli.heap import keep_heap
from newswire_cli.sockets import allow_sockets
from newswire_runtime.broker import BrokerUrlError
from newswire_runtime.client import Client
from newswire_runtime.logs import configure
from newswire_runtime.server import PortTakenError, listen, serve
from newswire_runtime.settings import Settings

PATIENCE_S = 60.0
PAUSE_S = 1.0

log = structlog.get_logger()


def run_service(name: str, only: str | None, host: str | None, port: int | None) -> None:
    """Run one service until a signal ends it; raise CommandError with the reason if it cannot start."""
    settings = read_settings(host=host, port=port)
    outputs = parse_outputs(only)
    if outputs is not None and name != "publisher":
        raise UsageProblem("--only picks the publisher's outputs; the other services have none")
    configure_logs(settings)
    bind_contextvars(service=name)
    run_loop(_run(name, settings, outputs))


async def _run(name: str, settings: Settings, only: frozenset[str] | None) -> None:
    try:
        sock = listen(settings.host, settings.port)
        service = build_service(name, settings, only)
        await wait_for_broker(service.client)
        await serve([service], sock, stop_timeout=settings.stop_timeout, ready=keep_heap)
    except (PortTakenError, BrokerUrlError) as exc:
        raise CommandError(str(exc)) from exc
    except (RedisError, OSError) as exc:
        raise CommandError(f"broker: {one_line(str(exc))}") from exc


async def wait_for_broker(client: Client, patience: float = PATIENCE_S, pause: float = PAUSE_S) -> None:
    """Return once the broker answers; raise CommandError after ``patience`` seconds, or at once for a bad password."""
    deadline = time.monotonic() + patience
    while True:
        try:
            async with asyncio.timeout(5):
                await client.ping()
        except AuthenticationError as exc:
            raise CommandError(f"broker: it refuses the login of NEWSWIRE_BROKER_URL: {one_line(str(exc))}") from exc
        except (RedisError, OSError, TimeoutError) as exc:
            error = one_line(str(exc)) or type(exc).__name__
            if time.monotonic() > deadline:
                raise CommandError(
                    f"broker: no answer in {patience:.0f} s ({error}); start it, or set NEWSWIRE_BROKER_URL"
                ) from exc
            log.warning("broker.awaited", error=error)
            await asyncio.sleep(pause)
        else:
            return


def configure_logs(settings: Settings) -> None:
    """Set the logs up; raise UsageProblem for a level that there is not."""
    try:
        configure(settings.log_level, settings.log_format)
    except KeyError as exc:
        raise UsageProblem("NEWSWIRE_LOG_LEVEL: name DEBUG, INFO, WARNING or ERROR") from exc
    for name in ("faststream", "faststream.access.redis"):  # importing FastStream gives these handlers of their own
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)


def run_loop(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on uvloop, or on asyncio's own loop where there is none."""
    allow_sockets()
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
        return
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)
