"""The page on this machine: a small server that only this machine, and only its own page, can ask.

Pages of other sites can send requests to 127.0.0.1 too. They are kept out by the name in `Host`
(a site's own name may be made to lead here) and by asking for JSON, which a page may send to
another origin only after that origin has agreed, and this one never does.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from colab_gen.catalog import Catalog
from colab_gen.errors import ColabGenError
from colab_gen.text import one_line
from colab_gen.web.answer import reply
from colab_gen.web.page import POLICY, TYPES, page_files

__all__ = ["LONGEST", "make_server"]

# Bytes of a request's body; a recipe has a few hundred.
LONGEST = 1_000_000


def make_server(catalog: Catalog, port: int = 0) -> ThreadingHTTPServer:
    """Return a server bound to 127.0.0.1, to be started by `serve_forever`; port 0 is any free one.

    Raises:
        OSError: the port is taken.
    """
    files = page_files(catalog, engine="server")
    handler = type("Handler", (_Handler,), {"catalog": catalog, "files": files})
    return _Server(("127.0.0.1", port), handler)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went away before it had its answer."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    catalog: Catalog
    files: dict[str, bytes]
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds that a connection may be silent
    disable_nagle_algorithm = True  # head and body are two packets; the second must not wait

    def do_GET(self) -> None:
        """Send one of the page's files; there is no folder behind them to wander off into."""
        name = self.path.partition("?")[0].removeprefix("/") or "index.html"
        if not self._welcome():
            self._send(403, "text/plain", b"not for this host")
        elif name not in self.files:
            self._send(404, "text/plain", b"there is no such file")
        else:
            self._send(200, TYPES["." + name.rpartition(".")[2]], self.files[name])

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Send the answer to the state in the body."""
        length = self.headers.get("Content-Length", "")
        if not self._welcome():
            self._refuse(403, b"not for this host")
        elif self.path != "/render":
            self._refuse(404, b"there is no such address")
        elif self.headers.get_content_type() != "application/json":
            self._refuse(415, b"only application/json")
        elif not (length.isascii() and length.isdigit()):
            self._refuse(411, b"a Content-Length is needed")
        elif len(length) > 9 or int(length) > LONGEST:
            self._refuse(413, b"too long")
        else:
            self._answer(self.rfile.read(int(length)))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Say in plain text what the base class would say in HTML."""
        self._refuse(code, (message or "refused").encode("latin-1", "replace"))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is the user's."""

    def _answer(self, body: bytes) -> None:
        try:
            text = reply(self.catalog, body.decode())
        except ValueError as error:
            self._send(400, "text/plain", one_line(error).encode())
        except ColabGenError as error:
            self._send(422, "text/plain", str(error).encode())
        else:
            self._send(200, "application/json", text.encode())

    def _welcome(self) -> bool:
        port = self.connection.getsockname()[1]
        hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        origin = self.headers.get("Origin")
        return self.headers.get("Host") in hosts and (
            origin is None or origin.removeprefix("http://") in hosts
        )

    def _refuse(self, code: int, text: bytes) -> None:
        # What is left of a body that was not read would be taken for the next request.
        self.close_connection = True
        self._send(code, "text/plain", text)

    def _send(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", f"{POLICY}; frame-ancestors 'none'")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Return what the header Server says."""
        return "colab-gen"
