"""A made-up vendor: one function answers a request, over a real loopback socket or inside the process."""

from __future__ import annotations

import json
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Asked:
    """One request; header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]

    @property
    def form(self) -> dict[str, str]:
        """The body of a form, or of a JSON object, as text values."""
        if self.headers.get("content-type", "").startswith("application/json"):
            return {key: str(value) for key, value in json.loads(self.body or b"{}").items()}
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Reply:
    """One answer.

    Attributes:
        raw: takes the connection in place of an answer; it is closed afterwards. Over a socket only.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    raw: Callable[[socket.socket], None] | None = None


def raw(take: Callable[[socket.socket], None]) -> Reply:
    """No answer but whatever `take` does to the connection."""
    return Reply(0, b"", raw=take)


def reply(value: object, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON; `retry_after="3"` becomes the header Retry-After."""
    named = {name.replace("_", "-").title(): text for name, text in headers.items()}
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **named})


class Loopback:
    """Subclass it and write `route`; `with` serves it over a socket, `transport` without one.

    Attributes:
        host: the address to listen on.
    """

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def route(self, asked: Asked) -> Reply:
        """The answer to one request."""
        raise NotImplementedError

    def count(self, path: str) -> int:
        """How many requests went to that path."""
        return sum(1 for asked in self.asked if asked.path == path)

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Take down one request and answer it."""
        parts = urlsplit(target)
        lowered = {name.lower(): value for name, value in headers.items()}
        asked = Asked(
            method, unquote(parts.path), parse_qs(parts.query, keep_blank_values=True), lowered, body
        )
        with self._lock:
            self.asked.append(asked)
        return self.route(asked)

    @property
    def transport(self) -> httpx.MockTransport:
        """The same answers without a socket."""

        def answer(request: httpx.Request) -> httpx.Response:
            target = request.url.raw_path.decode()
            found = self.handle(request.method, target, dict(request.headers), request.content)
            return httpx.Response(found.status, headers=found.headers, content=found.body)

        return httpx.MockTransport(answer)

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self.start(0)
        return self

    def start(self, port: int) -> None:
        """Listen; port 0 takes a free one."""
        self._server = (_Sixth if ":" in self.host else _Server)((self.host, port), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's own signature
        """Say nothing of clients that are gone, because they were killed or had enough."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Sixth(_Server):
    address_family = socket.AF_INET6


def _handler(vendor: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            found = vendor.handle(self.command, self.path, dict(self.headers), body)
            if found.raw is not None:
                self.close_connection = True
                with suppress(OSError):
                    found.raw(self.connection)
                return
            # One write, so that no delayed acknowledgement slows a benchmark.
            fields = {
                "Date": self.date_time_string(),
                **found.headers,
                "Content-Length": str(len(found.body)),
            }
            head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
            self.wfile.write(f"HTTP/1.1 {found.status} \r\n{head}\r\n".encode() + found.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the library's own signature
            """Say nothing."""

    return Handler
