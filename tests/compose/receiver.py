"""A webhook receiver that keeps all it gets in memory: ``POST /`` is kept, ``GET /`` lists it as JSON.

Runs on the image's bare Python. Body bytes and headers are kept as they came, so that
the test checks the signature itself.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEPT: list[dict[str, object]] = []


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        KEPT.append({"headers": {name.lower(): value for name, value in self.headers.items()}, "body": body.decode()})
        self._answer(204, b"")

    def do_GET(self) -> None:
        self._answer(200, json.dumps(KEPT).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: the test reads what was kept."""

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", 8080), Receiver).serve_forever()
