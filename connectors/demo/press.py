"""Printing a made-up server's records: at once, or for a large fleet in a process of its own.

To make a record up costs as much as to read it. Where there is a second processor core, a large fleet is made up
there, as it would be on the vendor's machine.
"""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import orjson

from connectors.demo.fleet import made_up_fleet
from connectors.demo.jamf_record import record
from connectors.demo.story import condition

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime
    from multiprocessing.connection import Connection

LARGE = 20_000
"""Devices of a fleet from which on a process of its own is worth its start."""


class Order(NamedTuple):
    """Records to print: of a fleet by its arguments, on one night, with these sections of each."""

    devices: int
    nights: int
    seed: int
    night: int
    at: datetime
    ids: list[int]
    sections: frozenset[str]


Press: TypeAlias = "Callable[[Order], bytes]"


def printed(order: Order) -> bytes:
    """The records as a JSON array."""
    fleet = _fleet(order.devices, order.nights, order.seed)
    lives = ((record_id, fleet.record(record_id)) for record_id in order.ids)
    return orjson.dumps(
        [
            record(record_id, life, condition(life, order.night, order.at), order.sections)
            for record_id, life in lives
        ]
    )


@contextmanager
def press_for(devices: int) -> Generator[Press]:
    """What prints for a fleet of so many devices, from any thread; a process started for it ends with the block.

    To be entered in the main thread, for Ctrl-C is for the one who asks alone.
    """
    if devices < LARGE:
        yield printed
        return
    ours, its = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")  # a process with threads had better not be forked
    process = context.Process(target=serve, args=(its,), name="made-up servers", daemon=True)
    with _ctrl_c_ignored():  # as the other process then does from its first moment
        process.start()
    its.close()
    try:
        yield _Remote(ours)
    finally:
        ours.close()
        process.join()


@contextmanager
def _ctrl_c_ignored() -> Generator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Remote:
    """Hands orders to the other process, one at a time."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = Lock()

    def __call__(self, order: Order) -> bytes:
        with self._lock:
            self._pipe.send(order)
            return self._pipe.recv_bytes()


def serve(pipe: Connection) -> None:
    """Print until nobody can order or take any more: the one who asks has ended, whichever way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # not every system hands that on
    with pipe, suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(printed(pipe.recv()))


_fleet = lru_cache(maxsize=2)(made_up_fleet)
