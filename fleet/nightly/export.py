"""Exporting: a past run's devices, from the same judging pass as its report, as one product's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.model.run import Totals
from fleet.nightly import judge, redacted
from fleet.nightly.publish import context_of
from reports._guide import bundled_guide
from reports.ticketing._night import Night
from reports.ticketing._text import Texts

if TYPE_CHECKING:
    from fleet.store.database import Database
    from reports.ticketing._export import AssetExport, Exported, TicketExport


def night_of(database: Database, run_id: int | None, *, redact: bool = False) -> Night:
    """What all tickets of a run share; the newest without `run_id`.

    Args:
        redact: with tokens in place of what people typed, as in a redacted report.

    Raises:
        SettingsError: there is no such run, or what it judged was pruned.
    """
    again, _ = judge.remade(database, run_id)
    head = judge.rebuilt(database, again.run_id, judge.Passed(Totals(), 0, (), ()))
    if redact:
        head = redacted.redactor_of(database).run(head)
    context = context_of(head.policy, head.base_url or "", head.as_of)
    return Night(run=head, texts=Texts(bundled_guide(), context.checks), base_url=context.base_url)


def export(
    database: Database, run_id: int, listener: TicketExport | AssetExport, *, redact: bool = False
) -> Exported:
    """Judge that run again and hand every device to `listener`, redacted in the way of a redacted report or as it is.

    Raises:
        OutputError: a file could not be written.
    """
    again = redacted.judge_again if redact else judge.judge_again
    return listener.finish(again(database, run_id, listener))
