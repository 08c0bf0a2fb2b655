"""`halo`: new tickets for HaloITSM and HaloPSA's spreadsheet import, which creates and never updates.

Sources: "Importing additional fields via CSV" (halopsa.com guide 1479: headers are the API's field names), "Halo
importing data" (alliedesm.com: tickets are import only), read 2026-11-25. The numbers of priorities are those of a
fresh instance, known and not verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.finding import Action, Severity
from reports.ticketing._kind import line, one_of, prose
from reports.ticketing._profile import Column, TicketProfile

if TYPE_CHECKING:
    from reports.ticketing._ticket import Ticket

_PRIORITIES = {
    Severity.CRITICAL: 1,
    Severity.HIGH: 2,
    Severity.MEDIUM: 3,
    Severity.LOW: 4,
    Severity.INFO: 4,
}


def _details(ticket: Ticket) -> str:
    parts = (ticket.user_text, ticket.admin_text, f"fleetkeep: {ticket.external_id}")
    return "\n\n".join(part for part in parts if part)


PROFILE = TicketProfile(
    name="halo",
    product="HaloITSM and HaloPSA",
    unique=None,
    takes=(Action.CREATE,),
    spreadsheet=True,
    columns=(
        Column("summary", line(250), lambda ticket: ticket.subject, required=True),
        Column("details", prose(32_000), _details),
        Column("site", line(), lambda ticket: ticket.site),
        Column("user", line(), lambda ticket: ticket.user_email),
        Column(
            "priority_id",
            one_of("1", "2", "3", "4"),
            lambda ticket: _PRIORITIES[ticket.severity],
            required=True,
        ),
    ),
)
