"""A deadline under the socket.

httpx counts its timeouts per read, so a server that sends one byte now and then is never too slow for it.
Here every wait on the socket (connect, TLS, write, read) gets what is left of one deadline for the request.
"""

from __future__ import annotations

import math
import ssl
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

_ends: ContextVar[float] = ContextVar("ends", default=math.inf)


@contextmanager
def within(seconds: float) -> Generator[None, None, None]:
    """Let every socket operation of this thread share `seconds`; what is too late raises an httpx timeout."""
    token = _ends.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends.reset(token)


class DeadlineTransport(httpx.HTTPTransport):
    """The usual transport of httpx, obeying `within`."""

    def __init__(self, *, verify: ssl.SSLContext, proxy: str | None, limits: httpx.Limits) -> None:
        super().__init__(verify=verify, proxy=proxy, limits=limits, trust_env=False)
        # httpx has no parameter for the backend of its pool. Reading it first makes a renamed attribute loud.
        usual = self._pool._network_backend  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._pool._network_backend = _Backend(usual)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self._by_proxy = proxy is not None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; where the proxy itself cannot be reached, an error that says so."""
        try:
            return super().handle_request(request)
        except httpx.ConnectError as error:
            if self._by_proxy and not _of_tls(error):
                raise httpx.ProxyError("no connection to the proxy", request=request) from error
            raise


def _of_tls(error: BaseException | None) -> bool:
    """Within a proxy's tunnel TLS is spoken with the server itself."""
    return error is not None and (
        isinstance(error, ssl.SSLError) or _of_tls(error.__cause__ or error.__context__)
    )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, usual: httpcore.NetworkBackend) -> None:
        self._usual = usual

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._usual.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, usual: httpcore.NetworkStream) -> None:
        self._usual = usual

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._usual.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._usual.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._usual.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._usual.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the library's own signature
        return self._usual.get_extra_info(info)


def _left(timeout: float | None, too_late: type[Exception]) -> float:
    left = _ends.get() - time.monotonic()
    if left <= 0:
        raise too_late("the deadline of the whole request has passed")
    return left if timeout is None else min(left, timeout)
