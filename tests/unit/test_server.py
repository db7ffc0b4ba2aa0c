"""The socket that services listen on."""

import socket

from newswire_runtime.server import listen


def test_accepted_connections_send_small_packets_at_once() -> None:
    with listen("127.0.0.1", 0) as sock:
        sock.listen()
        with socket.create_connection(sock.getsockname()):
            accepted, _ = sock.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
