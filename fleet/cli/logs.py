"""What goes to standard error: text for a terminal, JSON for a log shipper."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fleet.log_fields import current

if TYPE_CHECKING:
    from types import TracebackType

_PACKAGES = {"fleet", "connectors", "reports"}
_OURS = logging.getLogger("fleetkeep")


class _Text(logging.Formatter):
    """What the program has to say goes by its name, everything else by its level."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback where there is one."""
        head = "fleetkeep:" if record.name == _OURS.name else record.levelname
        trace = f"\n{_frames(record.exc_info)}" if record.exc_info else ""
        return f"{head} {record.getMessage()}{trace}"


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Time in UTC, level, logger, message; run and source; an event and its fields; a traceback."""
        line: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **current(),
            **_event(record),
        }
        if record.exc_info:
            line["traceback"] = _frames(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _event(record: logging.LogRecord) -> dict[str, Any]:
    """Of a message made of named fields its first word, which is the event, and the fields by name."""
    if not isinstance(record.args, Mapping):
        return {}
    return {"event": str(record.msg).split(maxsplit=1)[0], **record.args}


def _frames(
    error: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
) -> str:
    """Where an error came about, and its type. Its message stays out: it may hold a secret or a person's name."""
    kind, _, trace = error
    return "".join([*traceback.format_tb(trace), kind.__name__ if kind else ""])


def start(volume: int, *, as_json: bool) -> None:
    """Send log lines to standard error; `volume` is -1 (errors) to 2 (debugging)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if as_json else _Text())
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}.get(volume, logging.DEBUG)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for loud in ("httpx", "httpcore", "alembic"):
        logging.getLogger(loud).setLevel(logging.WARNING)


def tell(text: str) -> None:
    """Print for whoever reads standard output; a night goes on without a reader, and without room for its log."""
    try:
        print(text, flush=True)
    except OSError:
        # What could not be written waits in the stream, and would be tried once more at the end.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - to the end of the program


def say(text: str, *, level: int = logging.ERROR) -> None:
    """Tell the person at the keyboard, or the log shipper, on standard error."""
    if not logging.getLogger().handlers:
        start(0, as_json=False)
    _OURS.log(level, text)


def say_bug(error: Exception) -> None:
    """Tell where the program broke, without the error's own words; the way there only at `-v`."""
    say(
        f"broke on a bug of ours ({type(error).__name__} at {_place(error)}); please report it with what -v shows"
    )
    _OURS.info("the way there", exc_info=error)


def _place(error: Exception) -> str:
    """The last line of ours that the error came through."""
    walked = ((frame.f_globals["__name__"], line) for frame, line in traceback.walk_tb(error.__traceback__))
    ours = [f"{name}:{line}" for name, line in walked if name.split(".")[0] in _PACKAGES]
    return ours[-1] if ours else "an unknown place"
