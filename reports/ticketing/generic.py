"""`generic`: everything that we know of a ticket, for importers and scripts of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.fact import known
from fleet.model.finding import Action, Basis, Severity, State
from reports._plain import model_of
from reports.ticketing._kind import fingerprint, line, link, matching, moment, number, one_of, prose
from reports.ticketing._profile import Column, TicketProfile

if TYPE_CHECKING:
    from reports.ticketing._ticket import Ticket

SCHEMA_VERSION = 1
_MOMENT = moment("%Y-%m-%dT%H:%M:%SZ", "2026-11-22T02:00:00Z")
_TEXT = 32_000  # a spreadsheet's cell holds 32,767 characters


def _model(ticket: Ticket) -> str | None:
    return model_of(ticket.device) if ticket.device else None


def _fact(name: str) -> Column[Ticket]:
    """A column that holds a signal of the ticket's one device, under the signal's own name."""
    return Column(name, line(), lambda ticket: known(getattr(ticket.device, name)) if ticket.device else None)


PROFILE = TicketProfile(
    name="generic",
    product="your own importer",
    unique="external_id",
    takes=tuple(Action),
    columns=(
        Column("schema_version", number(), lambda _: SCHEMA_VERSION, required=True),
        Column("run_id", number(), lambda ticket: ticket.run.id, required=True),
        Column("generated_at", _MOMENT, lambda ticket: ticket.run.generated_at, required=True),
        Column("tenant", line(), lambda ticket: ticket.run.title),
        Column("source", line(), lambda ticket: "; ".join(ticket.sources)),
        Column("action", one_of(*Action), lambda ticket: ticket.action, required=True),
        Column("state", one_of(*State), lambda ticket: ticket.state, required=True),
        Column("external_id", fingerprint(), lambda ticket: ticket.external_id, required=True),
        Column("device_uid", fingerprint(), lambda ticket: ticket.device.key if ticket.device else None),
        _fact("serial"),
        _fact("asset_tag"),
        Column("device_name", line(), lambda ticket: known(ticket.device.name) if ticket.device else None),
        Column("model", line(), _model),
        _fact("os_version"),
        _fact("user_name"),
        _fact("user_email"),
        _fact("department"),
        _fact("site"),
        Column("devices", number(), lambda ticket: ticket.devices, required=True),
        Column("problem", line(), lambda ticket: ticket.problem, required=True),
        Column("check_id", line(), lambda ticket: ticket.check, required=True),
        Column(
            "check_version",
            matching(r"\S+", "the program's version and the fingerprint of its thresholds, joined by +"),
            lambda ticket: f"{ticket.run.version}+{ticket.run.policy_hash}",
            required=True,
        ),
        Column("severity", one_of(*Severity), lambda ticket: ticket.severity, required=True),
        Column("confidence", one_of(*Basis), lambda ticket: ticket.basis, required=True),
        Column("title", line(), lambda ticket: ticket.title, required=True),
        Column("summary", line(1000), lambda ticket: ticket.summary),
        Column("evidence", line(4000), lambda ticket: ticket.evidence),
        Column("cause", line(), lambda ticket: ticket.cause),
        Column("reason", line(), lambda ticket: ticket.reason),
        Column("observed_at", _MOMENT, lambda ticket: ticket.observed_at, required=True),
        Column("first_seen", _MOMENT, lambda ticket: ticket.first_seen, required=True),
        Column("last_seen", _MOMENT, lambda ticket: ticket.last_seen, required=True),
        Column("days_open", number(), lambda ticket: ticket.days_open, required=True),
        Column("remediation_short", line(1000), lambda ticket: ticket.remediation),
        Column("user_text", prose(_TEXT), lambda ticket: ticket.user_text),
        Column("admin_text", prose(_TEXT), lambda ticket: ticket.admin_text),
        Column("report_url", link(absolute=False), lambda ticket: ticket.url, required=True),
        Column("waiver_until", _MOMENT, lambda ticket: ticket.waiver_until),
    ),
)
