"""What a log line says beside its message: which run, which source. Holds for a block, and for threads begun in it."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping


@contextmanager
def log_fields(**fields: str) -> Generator[None]:
    """Let every log line of the block carry `fields`, in addition to those of the blocks around it."""
    token = _FIELDS.set({**current(), **fields})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def current() -> Mapping[str, str]:
    """The fields that hold here."""
    return _FIELDS.get() or {}


_FIELDS: ContextVar[Mapping[str, str] | None] = ContextVar("log_fields", default=None)
