"""`jira`: work items for Jira's CSV importer, which creates and does not look for what is there.

Sources: "Import data from a CSV file" and "Create issues using the CSV importer" (support.atlassian.com, read
2026-11-25): a header without punctuation, a column Summary, 250 items from one file for people who do not administer
the site. The wizard's date pattern is `dd/MMM/yy h:mm a`; a repeated header `Labels` gives several labels (known, not
verified).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fleet.model.finding import Action, Severity
from reports.ticketing._kind import fingerprint, line, matching, moment, one_of, prose
from reports.ticketing._profile import Column, TicketProfile

if TYPE_CHECKING:
    from reports.ticketing._ticket import Ticket

_PRIORITIES = {
    Severity.CRITICAL: "Highest",
    Severity.HIGH: "High",
    Severity.MEDIUM: "Medium",
    Severity.LOW: "Low",
    Severity.INFO: "Lowest",
}
_LABEL = matching(r"\S+", "a label without blanks")
_LABEL_DIGITS = 12
_MARKUP = re.compile(r"[\[\]{}!]")


def label_of(external_id: str) -> str:
    """The label by which a ticket of ours is found again."""
    return f"fk-{external_id[:_LABEL_DIGITS]}"


def _description(ticket: Ticket) -> str:
    """Both texts; what the importer would read as a link, a picture or a macro in other people's words is not one."""
    parts = (ticket.user_text, "----", ticket.admin_text, f"fleetkeep: {ticket.external_id}")
    return _MARKUP.sub(r"\\\g<0>", "\n\n".join(part for part in parts if part))


PROFILE = TicketProfile(
    name="jira",
    product="Jira",
    unique="External ID",
    takes=(Action.CREATE,),
    row_limit=250,
    columns=(
        Column("Summary", line(250), lambda ticket: ticket.subject, required=True),
        Column("Issue Type", one_of("Task"), lambda _: "Task", required=True),
        Column(
            "Priority",
            one_of(*_PRIORITIES.values()),
            lambda ticket: _PRIORITIES[ticket.severity],
            required=True,
        ),
        Column("Description", prose(32_000), _description),
        Column("Labels", _LABEL, lambda _: "fleetkeep", required=True),
        Column("Labels", _LABEL, lambda ticket: label_of(ticket.external_id), required=True),
        Column("Labels", _LABEL, lambda ticket: "-".join(ticket.check.split()), required=True),
        Column("External ID", fingerprint(), lambda ticket: ticket.external_id, required=True),
        Column("Action", one_of(*Action), lambda ticket: ticket.action, required=True),
        Column("Serial Number", line(), lambda ticket: ticket.serial),
        Column("User Email", line(), lambda ticket: ticket.user_email),
        Column("Site", line(), lambda ticket: ticket.site),
        Column(
            "Date Created",
            moment("%d/%b/%y %I:%M %p", "22/Nov/26 02:00 AM"),
            lambda ticket: ticket.opened_at,
            required=True,
        ),
    ),
)
