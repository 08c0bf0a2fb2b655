"""Devices on their way into a redacted report: without names, and in an order that tells nothing.

Devices are judged in the order of their keys. Whoever has a list of serial numbers can sort it in the same way, and
would have found every device in a report of that order. So redacted devices wait in a spool, and come out in the
order of their tokens. What the spool holds is redacted already.
"""

from __future__ import annotations

import pickle
import tempfile
from typing import TYPE_CHECKING, Self

from fleet.nightly import judge
from fleet.redaction import Redactor
from fleet.store.token_key import token_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from fleet.model.device_report import DeviceReport
    from fleet.model.run import RunReport
    from fleet.nightly.judge import Listener
    from fleet.store.database import Database


def judge_again(
    database: Database, run_id: int | None, listener: Listener, *, history: bool = False
) -> RunReport:
    """Make a past run again for a listener who may not know whose devices they are.

    Raises:
        SettingsError: there is no such run, or what it judged was pruned.
    """
    redactor = redactor_of(database)
    with Redacted(redactor) as spool:
        run = judge.judge_again(database, run_id, spool, history=history)
        for report in spool.devices():
            listener.device(report)
    return redactor.run(run)


def redactor_of(database: Database) -> Redactor:
    """It puts the same tokens into whatever is made from that database."""
    return Redactor(token_key(database))


class Redacted:
    """A listener that redacts each device and keeps it until all have come; use it in a `with` block."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end of the block
        self._places: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def device(self, report: DeviceReport) -> None:
        """Take one device."""
        redacted = self._redactor.device(report)
        self._places.append((redacted.device.key, self._spool.tell()))
        pickle.dump(redacted, self._spool)

    def again(self) -> None:
        """Forget all devices."""
        self._places.clear()
        self._spool.seek(0)
        self._spool.truncate()

    def devices(self) -> Iterator[DeviceReport]:
        """Every redacted device, in the order of their tokens."""
        for _, place in sorted(self._places):
            self._spool.seek(place)
            yield pickle.load(self._spool)  # noqa: S301 - this process wrote it, into a file without a name
