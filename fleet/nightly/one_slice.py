"""The report of one slice of the fleet alone: only its devices are read and judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.errors import SettingsError
from fleet.model.run import Totals
from fleet.nightly.bench import Bench
from fleet.nightly.judge import Passed, beside, number, rebuilt, remade
from fleet.nightly.recall import Recall
from fleet.store import runs
from fleet.store.open_run import open_run
from fleet.toml_table import plain
from reports.slices import SPLITS, Slice, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fleet.model.memory import Memory
    from fleet.model.run import RunReport
    from fleet.nightly.judge import Listener
    from fleet.store.database import Database
    from fleet.store.history import Sighted
    from fleet.store.open_run import OpenRun

_TOGETHER = 500


def judge_slice(
    database: Database, run_id: int | None, split_by: str, name: str, listener: Listener
) -> RunReport:
    """Make the report of one slice of a past run; it is the one that `split_by` writes, and its links are relative.

    Args:
        run_id: the run; None for the newest.
        split_by: by what the slice is one: `site`, `group` or `source`.
        name: which.
        listener: takes the slice's devices, in the order of keys.

    Raises:
        SettingsError: there is no such run, what it judged was pruned, or the slice has no device in it.
    """
    judgement, hold = remade(database, run_id)
    own = Slice()
    with open_run(database, judgement.run_id, number(judgement), judgement.basis, write=False) as run:
        bench = Bench(database, run, judgement, hold=hold or not judgement.chained, whole_fleet=False)
        recall = Recall(bench.readings, listener.device)
        for sighted, memories, superseded in _devices(run, split_by, name):
            report, _ = bench.report(sighted, memories, superseded)
            # What one source says of a device need not be what counts.
            if report is not None and name in SPLITS[split_by](report):
                own.add(report, 0)
                recall.take(report, sighted)
        recall.flush()
    if not own.places:
        raise SettingsError(f'no device of {split_by} "{plain(name)}" in run {judgement.run_id}')
    return run_of(_head(database, judgement.run_id), own, name, "")


def _devices(
    run: OpenRun, split_by: str, name: str
) -> Iterator[tuple[Sighted, dict[str, Memory], list[Memory]]]:
    """Those that may belong to the slice, in the order of keys, a few hundred at a time."""
    numbers = run.members(split_by, name)
    for start in range(0, len(numbers), _TOGETHER):
        some = frozenset(numbers[start : start + _TOGETHER])
        yield from beside(run.devices(among=some), run.memories(among=some))


def _head(database: Database, run_id: int) -> RunReport:
    """The whole run's, as far as the ledger holds it; what is counted over the fleet is the slice's own affair."""
    row = runs.load_run(database, run_id)
    totals = Totals(covered=list(row.totals["covered"])) if row else Totals()
    return rebuilt(database, run_id, Passed(totals, 0, (), ()))
