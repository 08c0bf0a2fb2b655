"""`servicenow`: an import set for the incident table, coalesced on `correlation_id`.

Sources: "Import sets properties" (a column's length is sampled from 20 rows, 40 where they are empty, and longer text
is cut), "Importing data using import sets" (a row of more than 8,126 bytes is skipped; an archived page), both read
2026-11-25. The numbers of states, impact and urgency are those of a fresh instance, known and not verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.finding import Action, Severity
from reports.ticketing._kind import fingerprint, line, moment, one_of, prose
from reports.ticketing._profile import CHANGES, Column, TicketProfile

if TYPE_CHECKING:
    from reports.ticketing._ticket import Ticket

_IMPACT = {
    Severity.CRITICAL: 2,
    Severity.HIGH: 2,
    Severity.MEDIUM: 3,
    Severity.LOW: 3,
    Severity.INFO: 3,
}
_URGENCY = {
    Severity.CRITICAL: 1,
    Severity.HIGH: 2,
    Severity.MEDIUM: 2,
    Severity.LOW: 3,
    Severity.INFO: 3,
}
_STATES = {Action.CREATE: 1, Action.REOPEN: 2, Action.RESOLVE: 6}
"""New, In Progress, Resolved. An update leaves the state as the desk has it."""
_MOMENT = moment("%Y-%m-%d %H:%M:%S", "2026-11-22 02:00:00")
_TEXT = 3400  # both texts and the rest of a row have to stay below 8,126 bytes


def _impact(ticket: Ticket) -> int:
    return 1 if ticket.device is None else _IMPACT[ticket.severity]


def _close_code(ticket: Ticket) -> str | None:
    return "Solution provided" if ticket.action is Action.RESOLVE else None


def _close_notes(ticket: Ticket) -> str | None:
    return ticket.closing if ticket.action is Action.RESOLVE else None


PROFILE = TicketProfile(
    name="servicenow",
    product="ServiceNow",
    unique="correlation_id",
    columns=(
        Column("correlation_id", fingerprint(), lambda ticket: ticket.external_id, required=True),
        Column("action", one_of(*CHANGES, Action.NONE), lambda ticket: ticket.action, required=True),
        Column("short_description", line(160), lambda ticket: ticket.subject, required=True),
        Column("description", prose(_TEXT), lambda ticket: ticket.user_text),
        Column("work_notes", prose(_TEXT), lambda ticket: ticket.admin_text),
        Column("impact", one_of("1", "2", "3"), _impact, required=True),
        Column("urgency", one_of("1", "2", "3"), lambda ticket: _URGENCY[ticket.severity], required=True),
        Column("category", line(40), lambda _: "hardware"),
        Column("cmdb_ci", line(100), lambda ticket: ticket.serial),
        Column("caller_id", line(100), lambda ticket: ticket.user_email),
        Column("location", line(100), lambda ticket: ticket.site),
        Column("state", one_of("1", "2", "6"), lambda ticket: _STATES.get(ticket.action)),
        Column("close_code", line(40), _close_code),
        Column("close_notes", line(160), _close_notes),
        Column("opened_at", _MOMENT, lambda ticket: ticket.opened_at, required=True),
    ),
)
