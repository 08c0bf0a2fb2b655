"""A ticket before any product has spelt it: one problem of one device, several of them, or one of the whole fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.model.fact import known
from reports._plain import model_of
from reports.ticketing._kind import flat

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.device import Device
    from fleet.model.finding import Action, Basis, Severity, State
    from fleet.model.run import RunReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a service desk is told tonight about one ticket.

    Attributes:
        check: the check that names it; that of the worst finding where it holds several.
        title: one line that says what is wrong, without the device.
        summary: one or several sentences with tonight's values.
        evidence: the values behind it, as `key: value; key: value`.
        remediation: titles of the fixes in their order, numbered, on one line.
        cause: the most probable cause of a missing backup, as a check id or `unexplained`.
        reason: why it was closed or opened again, as a code, where that needs saying.
        closing: the sentence that says why nothing of it stands any more; None while something does.
        user_text: what the person at the device reads: the problem and the steps, in plain words.
        admin_text: what an administrator reads: values, sources, rule, and the steps of management.
        device: None where it is about more than one.
        devices: how many it is about.
        url: its place in the report, relative where the report has no address of its own.
    """

    external_id: str
    action: Action
    state: State
    severity: Severity
    basis: Basis
    problem: str
    check: str
    title: str
    summary: str
    evidence: str
    remediation: str
    cause: str | None
    reason: str | None
    closing: str | None
    user_text: str
    admin_text: str
    sources: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    opened_at: datetime
    observed_at: datetime
    waiver_until: datetime | None
    device: Device | None
    devices: int
    url: str
    run: RunReport

    @property
    def days_open(self) -> int:
        """Whole days since it was opened last."""
        return max((self.run.as_of - self.opened_at).days, 0)

    @property
    def subject(self) -> str:
        """Its first line in a queue: what is wrong, and with which device."""
        if self.device is None:
            return self.title
        serial = self.serial
        named = (
            f"{label(self.device)} ({serial})"
            if serial and serial != label(self.device)
            else label(self.device)
        )
        return f"{self.title}: {named}"

    @property
    def serial(self) -> str | None:
        """The serial number of its one device."""
        return known(self.device.serial) if self.device else None

    @property
    def user_email(self) -> str | None:
        """The address of the person who uses its one device."""
        return known(self.device.user_email) if self.device else None

    @property
    def user_name(self) -> str | None:
        """The name of the person who uses its one device."""
        return known(self.device.user_name) if self.device else None

    @property
    def site(self) -> str | None:
        """Where its one device belongs."""
        return known(self.device.site) if self.device else None


def label(device: Device) -> str:
    """What people call the device, on one line; a name that shows nothing is none."""
    names = (known(device.name), known(device.serial), model_of(device))
    return next((shown for name in names if (shown := flat(name or ""))), device.key)
