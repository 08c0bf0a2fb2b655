"""What a check is, and the engine that runs one.

A check is a pure function of one `Case`. It asks for facts with `need`; a gap ends it, and the engine turns that
into an undetermined verdict which names the missing facts. Health is only believed on fresh facts: a clear verdict
from facts older than `silent_days` becomes undetermined as `stale_data`, a found one stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.errors import FleetkeepError
from fleet.model.fact import Gap, MissingFact
from fleet.model.finding import Basis, Clear, Found, Undetermined, Verdict
from fleet.model.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleet.apple.catalog import Catalog
    from fleet.model.device import Device
    from fleet.model.policy import Policy

STALE = "stale_data"
BROKE = "check_broke"


@dataclass(frozen=True, slots=True)
class Reading:
    """One past observation of a device's fast signals; None where the value was not known."""

    observed_at: datetime
    available_bytes: int | None
    battery_percent: int | None


def no_readings() -> Sequence[Reading]:
    """The history of a device that has none."""
    return ()


@frozen
class Case:
    """One device before the bench.

    Attributes:
        now: `as_of`, the clock of every judgement.
        readings: gives the device's past observations, oldest first, the current one included; asked only when
            a check wants them, because they cost a query.
        falling: False where a glance at a few past nights already shows that storage is not filling up, which
            spares the query.
        seen: False when no source's latest collection read the device.
        plan_known: the policy's iCloud plan is known for this device's source, not assumed for want of better.
    """

    device: Device
    policy: Policy
    now: datetime
    catalog: Catalog
    readings: Callable[[], Sequence[Reading]] = no_readings
    falling: bool = True
    seen: bool = True
    plan_known: bool = False

    def observed_at(self, signal: str) -> datetime:
        """When the device reported the value of `signal` that counts."""
        return self.device.sighting_of(signal).observed_at

    def age_of(self, moment: datetime, *, signal: str) -> timedelta:
        """The age of `moment` at the observation of `signal`, never negative."""
        return max(self.observed_at(signal) - moment, timedelta(0))

    def overdue(self, last_backup: datetime) -> bool:
        """Whether that backup was too old already when the device reported it."""
        age = self.age_of(last_backup, signal="last_cloud_backup_at")
        return age > timedelta(days=self.policy.backup_warn_days)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Check:
    """One check of the catalogue.

    Attributes:
        id: the file name with hyphens; outlives releases.
        rule: one sentence with `{policy_fields}` that says when it is found and how bad.
        clears: likewise, what would end it.
        problem: the ticket it belongs to; `backup` for the outcome checks, else its own id.
        reads: every signal that can change its verdict.
        beside_backup: judged only where the device also has a backup problem.
        judged_at_as_of: its clear verdict does not go stale, because it reads the age of the facts themselves.
        assumes: signals that it may lack, with what it takes for granted then.
        fixes: ids of the guide, the most likely first.
        source: where the rule comes from, with the date read.
        signals: the names of `reads` in order.
    """

    id: str
    title: str
    rule: str
    basis: Basis
    reads: frozenset[str]
    fixes: tuple[str, ...]
    judge: Callable[[Case], Verdict]
    source: str
    problem: str = ""
    clears: str = ""
    beside_backup: bool = False
    judged_at_as_of: bool = False
    assumes: dict[str, str] = field(default_factory=dict[str, str])
    signals: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "problem", self.problem or self.id)
        object.__setattr__(self, "signals", tuple(sorted(self.reads)))  # once, not once per device


UNJUDGED = Undetermined(())


def run(
    check: Check,
    case: Case,
    *,
    backup: Verdict = UNJUDGED,
    fresh: bool = False,
    broke: Callable[[Check, Exception], None] | None = None,
) -> Verdict:
    """The verdict of one check on one case; gaps and stale facts are dealt with here, once.

    Args:
        check: the check to run.
        case: the device and all that is judged by.
        backup: the verdict on the backup problem as a whole, for checks that only matter beside one.
        fresh: no fact of the device is too old, which spares the look at each.
        broke: told of a check that ends with an error of its own, which leaves it undetermined; without it the
            error goes on.
    """
    if check.beside_backup and not isinstance(backup, Found):
        return backup
    try:
        verdict = check.judge(case)
    except MissingFact:
        return Undetermined(gaps(check, case))
    except (FleetkeepError, MemoryError):
        raise  # of the database, which it asked for readings, or of the machine
    except Exception as error:
        if broke is None:
            raise
        broke(check, error)
        return Undetermined(((check.id, BROKE),))
    if fresh or check.judged_at_as_of or not isinstance(verdict, Clear):
        return verdict
    stale = _stale(check, case)
    return Undetermined(stale) if stale else verdict


def stale_before(case: Case) -> datetime:
    """What was observed before this moment proves no health."""
    return case.now - timedelta(days=case.policy.silent_days)


def gaps(check: Check, case: Case) -> tuple[tuple[str, str], ...]:
    """The signals among `check.reads` that have no value, each with its reason."""
    return tuple(
        (signal, str(fact.reason))
        for signal in check.signals
        if isinstance(fact := getattr(case.device, signal), Gap)
    )


def _stale(check: Check, case: Case) -> tuple[tuple[str, str], ...]:
    limit = stale_before(case)
    return tuple((signal, STALE) for signal in check.signals if _too_old(case, signal, limit))


def _too_old(case: Case, signal: str, limit: datetime) -> bool:
    return not isinstance(getattr(case.device, signal), Gap) and case.observed_at(signal) < limit
