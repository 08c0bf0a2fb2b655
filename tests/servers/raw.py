"""Servers below HTTP: each connection in the hands of a function, with TLS or without."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Generator


@contextmanager
def listening(
    serve: Callable[[socket.socket], None], wrap: ssl.SSLContext | None = None
) -> Generator[int, None, None]:
    """A server that hands each connection to `serve`; gives its port."""
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    plain = wrap.wrap_socket(connection, server_side=True) if wrap else connection
                    with plain:
                        plain.recv(65536)
                        serve(plain)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            server.shutdown(socket.SHUT_RDWR)
            server.close()
            thread.join(10)


def drip(connection: socket.socket, first: bytes, drop: bytes) -> None:
    """Send `first`, then `drop` again and again until the other side has enough."""
    connection.sendall(first)
    connection.settimeout(0.02)
    for _ in range(500):
        connection.sendall(drop)
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue
