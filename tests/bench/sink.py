"""An HTTP sink on many addresses of 127.0.0.0/8 that answers 204 as soon as a request is whole.

Run it with ``python -m tests.bench.sink``. It prints its port. It knows nothing of HTTP but
lengths, so that it costs less than who posts to it. To ``/unlike`` each answer is another
one, with the headers that servers send.
"""

import asyncio
from itertools import count

import uvloop

HOSTS = [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(1_000)]
_NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
_UNLIKE = b"HTTP/1.1 200 OK\r\nDate: Fri, 07 Feb 2025 10:00:00 GMT\r\nServer: sink\r\nX-Request-Id: %d\r\n" + (
    b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
)
_numbers = count()


class Sink(asyncio.Protocol):
    """One connection."""

    _data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._data:
            data = self._data + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            size = end + 4 + int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(data) < size:
                break
            data = data[size:]
            unlike = head.startswith(b"post /unlike ")
            self._transport.write(_UNLIKE % next(_numbers) if unlike else _NO_CONTENT)  # type: ignore[attr-defined]
        self._data = data


async def main() -> None:
    loop = asyncio.get_running_loop()
    first = await loop.create_server(Sink, HOSTS[0], 0)
    port = first.sockets[0].getsockname()[1]
    await loop.create_server(Sink, HOSTS[1:], port)
    print(port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
