"""Everything in one process: ``newswire up``.

    start   port bound ─▶ Valkey starts, while the services are built ─▶ services start ─▶ HTTP ─▶ ready file ─▶ demo
    stop    (SIGTERM, Ctrl-C)  demo ─▶ HTTP ─▶ hops and loops ─▶ Valkey ─▶ exit 0

The port is bound first, so that a taken one is told before anything is written.
The log goes to ``<data-dir>/newswire.log``: the terminal belongs to the reader.

What may go wrong: the port is taken, the data dir is another's, its data is damaged, the
binary is missing, the disk is full: one line each, and exit code 1. If Valkey dies while
we run it is started again, and the hops go on where they were.
"""

import asyncio
import contextlib
import ipaddress
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from redis.exceptions import RedisError

from newswire_cli.composition import build_all, read_settings
from newswire_cli.embedded import EmbeddedServer, EmbeddedServerError
from newswire_cli.failures import CommandError, one_line
from newswire_cli.heap import keep_heap
from newswire_cli.kept_secrets import keep_secret_key, keep_token, operator_token, secret_key
from newswire_cli.run import configure_logs, run_loop
from newswire_runtime.server import PortTakenError, listen, serve
from newswire_runtime.service import Service
from newswire_runtime.settings import Settings

DEMO_NETWORK = ipaddress.ip_network("127.0.0.1/32")
LOG_BYTES = 20_000_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Options:
    """What ``newswire up`` was asked for; None leaves it to the settings."""

    host: str | None
    port: int | None
    data_dir: Path
    demo: bool
    ready_file: Path | None


def run_all(options: Options) -> None:
    """Run everything until a signal ends it; raise CommandError with the reason if it cannot start."""
    try:
        run_loop(_run(options))
    except (PortTakenError, EmbeddedServerError) as exc:
        raise CommandError(str(exc)) from exc
    except RedisError as exc:
        raise CommandError(f"embedded server: {one_line(str(exc))}; see {options.data_dir}/newswire.log") from exc
    except OSError as exc:
        raise CommandError(f"{options.data_dir}: {one_line(str(exc))}") from exc
    print("Stopped; everything is kept.")


async def _run(options: Options) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    data_dir = options.data_dir.resolve()
    embedded = EmbeddedServer(data_dir)
    own_key = secret_key(data_dir)
    settings = _settings(options, embedded.url, operator_token(data_dir), own_key)
    sock = listen(settings.host, settings.port)
    if not settings.base_url:
        settings = settings.model_copy(update={"base_url": base_url(settings.host, sock.getsockname()[1])})
    with contextlib.closing(sock):
        data_dir.mkdir(parents=True, exist_ok=True)
        if options.ready_file is not None:
            options.ready_file.unlink(missing_ok=True)
        try:
            async with _running(embedded, settings, stop) as services:
                if services:
                    if settings.secret_keys() == (own_key,):
                        keep_secret_key(data_dir, own_key)
                    keep_token(data_dir, settings)
                    await _serve(services, sock, settings, options, stop)
        finally:
            if options.ready_file is not None:
                options.ready_file.unlink(missing_ok=True)


@contextlib.asynccontextmanager
async def _running(embedded: EmbeddedServer, settings: Settings, stop: asyncio.Event) -> AsyncIterator[list[Service]]:
    """Start the server and keep it running; yield the services, none if a signal came first."""
    building = asyncio.create_task(asyncio.to_thread(build_all, settings))
    starting = asyncio.create_task(embedded.start())
    stopping = asyncio.create_task(stop.wait())
    keeping: asyncio.Task[None] | None = None
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set() and not starting.done():
            starting.cancel()
            await asyncio.gather(starting, building, return_exceptions=True)
            yield []
            return
        await starting
        with _log_file(embedded.directory.parent / "newswire.log", settings):
            keeping = asyncio.create_task(embedded.keep_running(lambda line: log.warning("embedded.ended", said=line)))
            yield await building
    finally:
        stopping.cancel()
        if keeping is not None:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
        await asyncio.gather(building, return_exceptions=True)
        await embedded.stop()


async def _serve(
    services: list[Service], sock: socket.socket, settings: Settings, options: Options, stop: asyncio.Event
) -> None:
    url = base_url(settings.host, sock.getsockname()[1])
    data_dir = options.data_dir.resolve()
    demo: list[asyncio.Task[None]] = []

    async def ready() -> None:
        await keep_heap()
        if options.ready_file is not None:
            options.ready_file.parent.mkdir(parents=True, exist_ok=True)
            options.ready_file.write_text(f"{url}\n")
        if options.demo:
            from newswire_cli.demo import show

            demo.append(asyncio.create_task(show(url, data_dir, _token_of(settings), addresses(url, data_dir))))
        else:
            print(f"newswire is ready on {url}", addresses(url, data_dir), "Ctrl-C ends it.", sep="\n", flush=True)

    async def end_demo() -> None:
        await stop.wait()
        for task in demo:
            task.cancel()

    ending = asyncio.create_task(end_demo())
    try:
        await serve(services, sock, stop_timeout=settings.stop_timeout, ready=ready, stop=stop)
    finally:
        ending.cancel()
        for task in demo:
            task.cancel()
        await asyncio.gather(ending, *demo, return_exceptions=True)


def addresses(url: str, data_dir: Path) -> str:
    """Return the lines that say what to open."""
    return (
        f"  pages   {url}/\n"
        f"  feeds   {url}/feeds\n"
        f"  console {url}/console\n"
        f"  API     {url}/docs\n"
        f"  token   {_shown(data_dir / 'operator.token')}\n"
        f"  log     {_shown(data_dir / 'newswire.log')}"
    )


def base_url(host: str, port: int) -> str:
    """Return the address a person opens: a wildcard host is this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _settings(options: Options, broker_url: str, kept_token: str, own_key: str) -> Settings:
    settings = read_settings(broker_url=broker_url, host=options.host, port=options.port)
    given = settings.first_operator_token()
    allow = settings.ssrf_allow
    if options.demo and DEMO_NETWORK not in allow:
        allow = (*allow, DEMO_NETWORK)
    return read_settings(
        broker_url=broker_url,
        host=options.host,
        port=options.port,
        operator_token=given or kept_token,
        secret_key=None if settings.secret_keys() else own_key,
        ssrf_allow=allow,
    )


def _token_of(settings: Settings) -> str:
    return settings.first_operator_token() or ""


@contextlib.contextmanager
def _log_file(path: Path, settings: Settings) -> Iterator[None]:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    file = path.open("a", buffering=1, encoding="utf-8")
    try:
        with contextlib.redirect_stderr(file):
            configure_logs(settings)
            yield
    finally:
        with contextlib.suppress(OSError):  # the disk is full: its last lines are lost
            file.close()


def _shown(path: Path) -> str:
    try:
        return f"./{path.relative_to(Path.cwd())}"
    except ValueError:
        return str(path)
