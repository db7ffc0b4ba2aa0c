"""Runs services behind one HTTP server until a signal ends them, in order."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence

import uvicorn

from newswire_runtime.hot import HotAnswers
from newswire_runtime.hot_protocol import hot_protocol
from newswire_runtime.http import build_app
from newswire_runtime.service import Service


class PortTakenError(Exception):
    """The address cannot be listened on."""


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: we stop the readers before the sockets' owner goes."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """Bind the address; raise `PortTakenError` with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit it. Without it an answer's second packet waits for the client's delayed ACK, 40 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        sock.bind((host, port))
    except OSError as exc:
        sock.close()
        raise PortTakenError(f"cannot listen on {host}:{port}: {exc.strerror}; choose another with --port") from exc
    return sock


async def serve(
    services: Sequence[Service],
    sock: socket.socket,
    *,
    stop_timeout: float,
    ready: Callable[[], Awaitable[None]] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Start the services, serve their routes on ``sock``, and stop all of it on SIGTERM or SIGINT.

    Order of the stop: endless answers end, the HTTP server ends its requests, then each service finishes the
    work in hand. ``ready`` runs once, when every service answers that it is ready.
    """
    stop = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    started: list[Service] = []
    hot = [service.hot for service in services if service.hot is not None]
    config = uvicorn.Config(
        build_app(services),
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(stop_timeout),
        server_header=False,
        ws="none",
        http=hot_protocol(hot[0] if hot else HotAnswers()),
        forwarded_allow_ips=services[0].settings.trusted_proxies if services else "",
    )
    logging.getLogger("uvicorn.access").disabled = True  # its lines have the query, which may be a reader's token
    server = _Server(config)
    http: asyncio.Task[None] | None = None
    try:
        for service in services:
            started.append(service)
            await service.start()
        http = asyncio.create_task(server.serve(sockets=[sock]))
        stopping = asyncio.create_task(stop.wait())
        becoming = asyncio.create_task(_when_ready(services, server, ready))
        await asyncio.wait({http, stopping}, return_when=asyncio.FIRST_COMPLETED)
        becoming.cancel()
        stopping.cancel()
        await asyncio.gather(becoming, stopping, return_exceptions=True)
    finally:
        for service in started:
            service.end_streams()
        server.should_exit = True
        if http is not None:
            await http
        for service in reversed(started):
            await service.stop()
        sock.close()


async def _when_ready(
    services: Sequence[Service], server: _Server, ready: Callable[[], Awaitable[None]] | None
) -> None:
    while not server.started or [reason for service in services for reason in await service.unready()]:  # noqa: ASYNC110
        await asyncio.sleep(0.05)  # readiness is what the broker says: nothing here could set an event
    if ready is not None:
        await ready()
