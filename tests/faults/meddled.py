"""A made-up Jamf Pro behind a network that meddles with its pages."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from tests.servers.jamf import JamfServer
from tests.servers.loopback import Asked, Reply, raw, reply

if TYPE_CHECKING:
    from collections.abc import Callable

Meddle: TypeAlias = "Callable[[int, Callable[[], Reply]], Reply]"
PAGES = "/api/v2/mobile-devices/detail"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def well(_: int, answer: Callable[[], Reply]) -> Reply:
    """Meddle with nothing."""
    return answer()


@dataclass(kw_only=True)
class Meddled(JamfServer):
    """Attributes:
    meddle: gets the number of the request for a page, from 1, and what the answer would be.
    times: of each such request, monotonic.
    """  # noqa: D205

    meddle: Meddle = well
    times: list[float] = field(default_factory=list[float])

    def _details(self, asked: Asked) -> Reply:
        with self._lock:
            self.times.append(time.monotonic())
            number = len(self.times)
        return self.meddle(number, lambda: JamfServer._details(self, asked))


def throttled(retry_after: str | None) -> Reply:
    """Asks for patience."""
    return reply({}, 429, **({} if retry_after is None else {"retry_after": retry_after}))


def once(first: Callable[[], Reply]) -> Meddle:
    """The first request for a page is answered so, the others well."""
    return lambda number, answer: first() if number == 1 else answer()


def from_page(number: int, other: Callable[[bytes], Reply]) -> Meddle:
    """From that request on every page becomes something else, for ever."""
    return lambda now, answer: answer() if now < number else other(answer().body)


def reset(connection: socket.socket) -> None:
    """End the connection as a crashed server does: by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def sent(data: bytes) -> Reply:
    """Just these bytes, and the end of the connection."""
    return raw(lambda connection: connection.sendall(data))
