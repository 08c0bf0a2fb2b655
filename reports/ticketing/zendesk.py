"""`zendesk`: tickets for Zendesk's API. Zendesk imports people and organisations by CSV, and no tickets.

Sources: "Bulk importing users and organizations" (support.zendesk.com), "Ticket Import" and "Tickets"
(developer.zendesk.com, at most 100 tickets in one call), read 2026-11-25.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.finding import Action, Severity
from reports.ticketing._kind import fingerprint, line, matching, one_of, prose
from reports.ticketing._profile import CHANGES, Column, TicketProfile

if TYPE_CHECKING:
    from reports.ticketing._ticket import Ticket

_PRIORITIES = {
    Severity.CRITICAL: "urgent",
    Severity.HIGH: "high",
    Severity.MEDIUM: "normal",
    Severity.LOW: "low",
    Severity.INFO: "low",
}
_STATUSES = {Action.CREATE: "new", Action.REOPEN: "open", Action.RESOLVE: "solved"}
"""An update leaves the status as the desk has it."""


def _tags(ticket: Ticket) -> str:
    return f"fleetkeep {'-'.join(ticket.check.split())}"


PROFILE = TicketProfile(
    name="zendesk",
    product="Zendesk",
    unique="external_id",
    columns=(
        Column("external_id", fingerprint(), lambda ticket: ticket.external_id, required=True),
        Column("action", one_of(*CHANGES, Action.NONE), lambda ticket: ticket.action, required=True),
        Column("subject", line(150), lambda ticket: ticket.subject, required=True),
        Column("description", prose(32_000), lambda ticket: ticket.user_text),
        Column("internal_note", prose(32_000), lambda ticket: ticket.admin_text),
        Column("requester_email", line(), lambda ticket: ticket.user_email),
        Column("requester_name", line(), lambda ticket: ticket.user_name),
        Column(
            "type", one_of("incident", "problem"), lambda ticket: "incident" if ticket.device else "problem"
        ),
        Column(
            "priority",
            one_of("low", "normal", "high", "urgent"),
            lambda ticket: _PRIORITIES[ticket.severity],
            required=True,
        ),
        Column("status", one_of(*_STATUSES.values()), lambda ticket: _STATUSES.get(ticket.action)),
        Column("tags", matching(r"\S+( \S+)*", "tags with one blank between them"), _tags, required=True),
    ),
)
