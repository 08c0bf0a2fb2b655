"""What is remembered of a finding from one run to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from datetime import datetime

    from fleet.model.finding import Basis, Evidence, Severity


class Condition(StrEnum):
    """What holds for a finding, apart from how it came about."""

    OPEN = "open"
    WAIVED = "waived"
    RESOLVED = "resolved"
    GONE = "gone"


class Ticket(StrEnum):
    """What the ticketing system was last told."""

    NONE = "none"
    OPEN = "open"
    CLOSED = "closed"


@frozen
class Memory:
    """What is remembered of a finding from one run to the next.

    Attributes:
        held: every check of the problem that held when it was last found with these values.
        last_seen: when it was last found; None while every run since has found it.
        clean_runs: complete runs in a row that found it clear.
        told: check, severity and cause as last told to the ticketing system.
    """

    external_id: str
    problem: str
    condition: Condition
    check: str
    held: tuple[str, ...]
    basis: Basis
    severity: Severity
    summary: str
    evidence: Evidence
    fixes: tuple[str, ...]
    sources: tuple[str, ...]
    observed_at: datetime
    first_seen: datetime
    last_seen: datetime | None
    opened_at: datetime
    clean_runs: int = 0
    ticket: Ticket = Ticket.NONE
    told: str | None = None
    reason: str | None = None
    waiver_until: datetime | None = None
