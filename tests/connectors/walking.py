"""One walk over a made-up vendor, counted as a collector would count it, in a world where only waiting takes time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from connectors._connector import S, Surroundings
from fleet.errors import AuthRefused
from fleet.model.device import DeviceRecord, Rejected

if TYPE_CHECKING:
    import httpx

    from connectors._connector import Connector
    from fleet.model.run import Trouble
    from tests.servers.loopback import Loopback

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)


@dataclass
class Clock:
    """Monotonic time that only passes while somebody waits; `waits` are the pauses in their order."""

    seconds: float = 100.0
    waits: list[float] = field(default_factory=list[float])

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    def around(self, transport: httpx.BaseTransport | None = None) -> Surroundings:
        return Surroundings(collected_at=NOW, now=self.now, sleep=self.sleep, transport=transport)


@dataclass
class Night:
    """Everything one walk brought.

    Attributes:
        came: the native id of every record in order, those that came again included.
        expected: the last number that was stated.
        pages: how many steps the walk took.
        waits: how long it waited, pause by pause.
    """

    devices: dict[str, DeviceRecord] = field(default_factory=dict[str, DeviceRecord])
    came: list[str] = field(default_factory=list[str])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    troubles: list[Trouble] = field(default_factory=list["Trouble"])
    expected: int | None = None
    pages: int = 0
    waits: list[float] = field(default_factory=list[float])

    def __getitem__(self, native_id: str) -> DeviceRecord:
        return self.devices[native_id]

    @property
    def codes(self) -> list[str]:
        return [trouble.code for trouble in self.troubles]

    def add(self, row: DeviceRecord | Rejected) -> None:
        if isinstance(row, Rejected):
            self.rejected.append(row)
        else:
            self.came.append(row.native_id)
            self.devices[row.native_id] = row


def walked(
    connector: Connector[S],
    settings: S,
    transport: httpx.BaseTransport | None = None,
    *,
    clock: Clock | None = None,
    into: Night | None = None,
    since: datetime | None = None,
) -> Night:
    """What one walk brings; over a socket where no transport is given.

    `since` asks for an increment.

    Whoever expects an error hands in the clock to see what was waited for, and the night to see what came before.
    """
    clock, found = clock or Clock(), into or Night()
    found.waits = clock.waits
    for page in connector.walk(settings, replace(clock.around(transport), since=since)):
        found.pages += 1
        found.troubles.extend(page.troubles)
        found.expected = found.expected if page.expected is None else page.expected
        for row in page.rows:
            found.add(row)
    return found


def probed(
    connector: Connector[S], settings: S, transport: httpx.BaseTransport | None = None
) -> list[tuple[str, str | None]]:
    """The steps of `doctor`, each with its error or None."""
    return list(connector.probe(settings, Clock().around(transport)))


def failed(
    connector: Connector[S], settings: S, transport: httpx.BaseTransport | None = None
) -> dict[str, str]:
    """The steps of `doctor` that fail, with their errors."""
    return {step: error for step, error in probed(connector, settings, transport) if error is not None}


def assert_refused(
    connector: Connector[S], settings: S, vendor: Loopback, *, match: str, secret: str
) -> None:
    """A wrong credential ends the source with its first request and one line, which does not quote it."""
    with pytest.raises(AuthRefused, match=match) as caught:
        walked(connector, settings, vendor.transport)
    assert len(vendor.asked) == 1
    assert secret not in str(caught.value)
