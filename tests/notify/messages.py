"""Made-up messages, and an outside world that reaches loopback and lets no time go by."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from fleet.model.finding import Severity
from reports.notify._channel import Outside
from reports.notify._message import Entry, Message, SourceNews

if TYPE_CHECKING:
    from reports.notify._channel import ChannelSettings

NOW = datetime(2026, 11, 22, 2, 5, 30, tzinfo=UTC)
HOSTILE = "=Evil* <!channel> [x](http://evil.example) {{DATE(2026-11-22T02:00:00Z)}}<script>alert(1)</script>"


def outside(now: datetime = NOW) -> Outside:
    """The real network at a made-up moment."""
    return Outside(now=lambda: now, transport=_way, user_agent="fleetkeep/test")


def _way(_address: httpx.URL, settings: ChannelSettings) -> httpx.BaseTransport:
    return httpx.HTTPTransport(verify=settings.verify if settings.verify is True else str(settings.verify))


@dataclass
class Patience:
    """Waits without waiting, and remembers for how long."""

    waits: list[float] = field(default_factory=list[float])

    def __call__(self, seconds: float) -> None:
        """Take no time."""
        self.waits.append(seconds)


def an_entry(**changes: object) -> Entry:
    """A device whose backup is off."""
    entry = Entry(
        change="new",
        key="e" * 32,
        check="backup-disabled",
        severity=Severity.HIGH,
        title="iCloud Backup is off",
        summary="iCloud Backup is switched off.",
        where=("Ward 3 iPad", "FK0001", "HQ"),
        url="https://reports.example/index.html#d=" + "e" * 32,
    )
    return replace(entry, **changes)


def a_message(*entries: Entry, **changes: object) -> Message:
    """A night on which three problems began, nine ended, and a source broke off."""
    message = Message(
        id="run-12-20261122T020000Z",
        title="Contoso backups",
        headline="3 new, 9 fixed, 1 source incomplete",
        about=datetime(2026, 11, 22, 2, tzinfo=UTC),
        run_id=12,
        counts={"new": 3, "reopened": 0, "worse": 0, "fixed": 9, "closed": 0},
        entries=entries or (an_entry(),),
        omitted=2,
        incomplete=(SourceNews(name="school", outcome="partial", why="page 5 is HTML"),),
        remarks=("The catalogue is behind.",),
        fleet="1,240 devices: 1,100 protected.",
        report_url="https://reports.example/index.html",
    )
    return replace(message, **changes)
