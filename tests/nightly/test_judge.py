from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from fleet.apple.catalog import Catalog
from fleet.errors import BadAnswer, SettingsError
from fleet.model.device import Platform
from fleet.model.fact import ABSENT, NOT_PERMITTED
from fleet.model.finding import Action, Severity, State, Status
from fleet.model.policy import Policy
from fleet.model.waiver import Waiver
from fleet.nightly.judge import Terms
from fleet.nightly.past import devices_by
from fleet.store.findings import remembered
from fleet.store.retention import prune
from fleet.store.tables import run
from tests.fleet_of import GB, Value, days
from tests.nightly.a_night import CATALOG, FIRST, POLICY, Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fleet.nightly.collect import Source
    from fleet.store.database import Database
    from tests.nightly.a_night import Heard, Row

DOWN = BadAnswer("page 1 is HTML")
NEW, OPEN, REOPENED, WAIVED = State.NEW, State.OPEN, State.REOPENED, State.WAIVED
RESOLVED, GONE = State.RESOLVED, State.GONE
CREATE, NONE, RESOLVE, REOPEN, UPDATE = (
    Action.CREATE,
    Action.NONE,
    Action.RESOLVE,
    Action.REOPEN,
    Action.UPDATE,
)


@pytest.fixture
def office(database: Database) -> Office:
    """An office without a past, on each kind of database."""
    return Office(database)


@pytest.fixture
def small_office(usual_database: Database) -> Office:
    """An office without a past, for what does not depend on the kind of database."""
    return Office(usual_database)


@pytest.mark.parametrize(
    ("signals", "status", "reason"),
    [
        ({}, Status.PROTECTED, None),
        ({"backup_enabled": False}, Status.AT_RISK, None),
        ({"platform": Platform.MACOS}, Status.NOT_APPLICABLE, "platform"),
        ({"shared_ipad": True, "backup_enabled": False}, Status.NOT_APPLICABLE, "shared_ipad"),
        ({"last_cloud_backup_at": NOT_PERMITTED}, Status.UNKNOWN, "not_permitted"),
    ],
)
def test_statuses(
    small_office: Office, signals: dict[str, Value], status: Status, reason: str | None
) -> None:
    """Each device is counted under one status, with the reason where it is unknown or not ours to judge."""
    heard = small_office.night(1, a_source([a_phone(1, 1, **signals)]))
    device = heard.devices[serial(1)]
    assert (device.status, device.reason) == (status, reason)
    assert heard.run.totals.statuses == {**dict.fromkeys(Status, 0), status: 1}
    assert heard.run.totals.devices == 1


def test_life_of_a_ticket(office: Office) -> None:
    """A ticket is created, left alone, updated, resolved and reopened as the device's backup fares."""
    nights = [
        (ill(1, 1), (NEW, CREATE)),
        (ill(1, 2), (OPEN, NONE)),
        (ill(1, 3, backup_restricted=True), (OPEN, UPDATE)),
        (a_phone(1, 4), (RESOLVED, RESOLVE)),
        (ill(1, 5), (REOPENED, REOPEN)),
    ]
    heard: list[Heard] = []
    for at, (phone, expected) in enumerate(nights, 1):
        heard.append(office.night(at, a_source([phone])))
        assert heard[-1].told() == expected
    assert len({one.finding().external_id for one in heard}) == 1
    assert [one.run.totals.changes["resolved"] for one in heard] == [0, 0, 0, 1, 0]
    assert [one.devices[serial(1)].severity for one in heard[2:4]] == [Severity.HIGH, None]
    assert heard[4].finding().opened_at == night(5)


def test_ended_finding_is_shown_once(office: Office) -> None:
    """A resolved finding is in the report of the one night in which it ends."""
    office.night(1, a_source([ill(1, 1)]))
    office.night(2, a_source([a_phone(1, 2)]))
    assert office.night(3, a_source([a_phone(1, 3)])).devices[serial(1)].findings == ()


def unread(at: int) -> list[Row]:
    return [a_phone(2, at)]


def nothing(_: int) -> list[Row]:
    return []


def without_facts(number: int, at: int) -> Row:
    return a_phone(number, at, backup_enabled=ABSENT, last_cloud_backup_at=ABSENT)


def read_without_facts(at: int) -> list[Row]:
    return [a_phone(2, at), without_facts(1, at)]


def read_well(at: int) -> list[Row]:
    return [a_phone(2, at), a_phone(1, at)]


def read_ill(at: int) -> list[Row]:
    return [a_phone(2, at), ill(1, at)]


@pytest.mark.parametrize(
    ("rows", "how", "expected"),
    [
        (read_well, {}, (RESOLVED, RESOLVE)),
        (read_well, {"error": DOWN}, (OPEN, NONE)),
        (read_well, {"expected": 9}, (OPEN, NONE)),
        (unread, {"error": DOWN}, (OPEN, NONE)),
        (unread, {}, (GONE, NONE)),
        (nothing, {"error": DOWN}, (OPEN, NONE)),
        (read_without_facts, {}, (OPEN, NONE)),
    ],
    ids=["well", "well, broken off", "well, miscounted", "not read", "away", "failed", "says nothing"],
)
def test_only_a_complete_collection_closes(
    small_office: Office,
    rows: Callable[[int], list[Row]],
    how: dict[str, Value],
    expected: tuple[State, Action],
) -> None:
    """A finding ends by a complete collection that shows the device well; whatever is missing ends nothing."""
    small_office.night(1, a_source(read_ill(1)))
    assert small_office.night(2, a_source(rows(2), **how)).told() == expected


@pytest.mark.parametrize("how", [{}, {"error": DOWN}, {"expected": 9}])
def test_a_device_that_was_read_opens(small_office: Office, how: dict[str, Value]) -> None:
    """A problem that was read opens a ticket, even where the rest of the collection failed."""
    small_office.night(1, a_source(read_well(1)))
    assert small_office.night(2, a_source(read_ill(2), **how)).told() == (NEW, CREATE)


def test_old_facts_open_nothing(small_office: Office) -> None:
    """A device that was not read opens no ticket, though by a stricter policy its last known facts are a problem."""
    small_office.night(1, a_source([a_phone(1, 1, last_cloud_backup_at=night(-5))]))
    stricter = Terms(policy=Policy(backup_warn_days=3))
    small_office.terms = stricter
    assert small_office.night(2, a_source(error=DOWN)).devices[serial(1)].findings == ()
    assert small_office.night(3, a_source([a_phone(1, 3, last_cloud_backup_at=night(-5))])).told() == (
        NEW,
        CREATE,
    )


def test_old_facts_open_nothing_beside_a_source_that_read_the_device(small_office: Office) -> None:
    """A source that read the device and knows nothing of its backups does not vouch for another one's old facts."""
    without: dict[str, Value] = {"backup_enabled": ABSENT, "last_cloud_backup_at": ABSENT, "native_id": "L"}
    past = [a_phone(1, 1, last_cloud_backup_at=night(-5))]
    small_office.night(1, *hq_and_lab(past, [a_phone(1, 1, **without)]))
    small_office.terms = Terms(policy=Policy(backup_warn_days=3))
    heard = small_office.night(2, *hq_and_lab([], [a_phone(1, 2, **without)], hq_error=DOWN))
    assert [one for one in heard.devices[serial(1)].findings if one.problem == "backup"] == []


def hq_and_lab(
    hq: Sequence[Row],
    lab: Sequence[Row],
    *,
    hq_error: Exception | None = None,
    lab_error: Exception | None = None,
) -> list[Source]:
    return [a_source(hq, name="hq", error=hq_error), a_source(lab, name="lab", error=lab_error)]


def test_source_that_failed_keeps_its_findings(office: Office) -> None:
    """While one of two sources fails, what it said stands, and the other's findings go their way."""
    office.night(1, *hq_and_lab([ill(1, 1)], [ill(2, 1)]))
    heard = office.night(2, *hq_and_lab([], [a_phone(2, 2)], hq_error=DOWN))
    assert (heard.told(1), heard.told(2)) == ((OPEN, NONE), (RESOLVED, RESOLVE))
    assert heard.run.outcome == "partial"
    assert heard.finding(1).last_seen == night(2)


def test_evidence_is_withdrawn_by_who_gave_it(office: Office) -> None:
    """A problem that one source reported is not ended by another one's fresher word while the first is down."""
    office.night(1, *hq_and_lab([ill(1, 1)], [a_phone(1, 1, native_id="L", inventory_at=night(0))]))
    quiet = office.night(2, *hq_and_lab([], [a_phone(1, 2, native_id="L")], hq_error=DOWN))
    assert quiet.told() == (OPEN, NONE)
    back = office.night(3, *hq_and_lab([a_phone(1, 3)], [a_phone(1, 3, native_id="L")]))
    assert back.told() == (RESOLVED, RESOLVE)


@pytest.mark.parametrize(
    ("hq", "how", "expected"),
    [
        ([], {"hq_error": DOWN}, (OPEN, NONE)),
        ([], {}, (OPEN, NONE)),
        ([a_phone(1, 3, inventory_at=night(1))], {}, (OPEN, NONE)),
        ([a_phone(1, 3)], {"hq_error": DOWN}, (OPEN, NONE)),
        ([a_phone(1, 3)], {}, (RESOLVED, RESOLVE)),
    ],
    ids=["down", "gone from it", "older word", "broken off", "fresh word"],
)
def test_what_was_known_before_the_problem_does_not_end_it(
    small_office: Office, hq: list[Row], how: dict[str, Value], expected: tuple[State, Action]
) -> None:
    """When the one who reported a problem falls silent, another one's word from before it is no evidence."""
    small_office.night(1, *hq_and_lab([a_phone(1, 1)], [without_facts(1, 1)]))
    small_office.night(2, *hq_and_lab([], [ill(1, 2, native_id="L")], hq_error=DOWN))
    silent = a_phone(1, 3, native_id="L", backup_enabled=ABSENT, last_cloud_backup_at=ABSENT)
    assert small_office.night(3, *hq_and_lab(hq, [silent], **how)).told() == expected


def test_device_that_vanished(office: Office) -> None:
    """A vanished device is gone without any action, and resolved when it has been away for longer than the grace."""
    office.night(1, a_source(read_ill(1)))
    gone = office.night(2, a_source(unread(2)))
    assert gone.told() == (GONE, NONE)
    assert (gone.devices[serial(1)].status, gone.devices[serial(1)].reason) == (Status.UNKNOWN, "gone")
    last = office.night(31, a_source(unread(31)))
    assert last.devices[serial(1)].findings == ()
    retired = office.night(32, a_source(unread(32)))
    assert (retired.told(), retired.finding().reason) == ((RESOLVED, RESOLVE), "device_gone")
    after = office.night(33, a_source(unread(33)))
    assert set(after.devices) == {serial(2)}
    assert after.run.totals.devices == 1


def test_device_that_returned(office: Office) -> None:
    """A device that comes back within the grace goes on with its ticket; one that retired has it reopened."""
    office.night(1, a_source(read_ill(1)))
    office.night(2, a_source(unread(2)))
    assert office.night(3, a_source(read_ill(3))).told() == (OPEN, NONE)
    office.night(4, a_source(unread(4)))
    office.night(40, a_source(unread(40)))
    assert office.night(41, a_source(read_ill(41))).told() == (REOPENED, REOPEN)


def test_failing_source_retires_nobody(small_office: Office) -> None:
    """A source that is down for months keeps its devices, unknown for the age of their facts."""
    small_office.night(1, a_source(read_ill(1)))
    heard = small_office.night(100, a_source(error=DOWN))
    assert heard.told(1) == (OPEN, NONE)
    assert (heard.devices[serial(2)].status, heard.devices[serial(2)].reason) == (
        Status.UNKNOWN,
        "stale_data",
    )


def test_device_that_is_not_ours_to_judge_any_more(small_office: Office) -> None:
    """A device that becomes a shared iPad has its ticket resolved with that reason."""
    small_office.night(1, a_source([ill(1, 1)]))
    heard = small_office.night(2, a_source([ill(1, 2, shared_ipad=True)]))
    assert (heard.told(), heard.finding().reason) == ((RESOLVED, RESOLVE), "shared_ipad")
    assert heard.devices[serial(1)].status is Status.NOT_APPLICABLE


def waiver(until: int, **scope: Value) -> Waiver:
    given: dict[str, Value] = scope or {"serials": (serial(1).lower(),)}
    return Waiver(
        checks=("backup-disabled",), reason="A kiosk", owner="it", expires=night(until).date(), **given
    )


def test_waiver_on_a_standing_finding(office: Office) -> None:
    """A waiver resolves a ticket, keeps the device out of the risk, and on the day after its last one reopens it."""
    assert office.night(1, a_source([ill(1, 1)])).told() == (NEW, CREATE)
    office.with_terms(waivers=(waiver(3),))
    waived = office.night(2, a_source([ill(1, 2)]))
    assert waived.told() == (WAIVED, RESOLVE)
    assert waived.finding().waiver_until == night(3).replace(hour=23, minute=59, second=59)
    assert (waived.run.totals.waived, waived.run.totals.findings[Severity.HIGH]) == (1, 0)
    assert waived.devices[serial(1)].status is not Status.AT_RISK
    assert office.night(3, a_source([ill(1, 3)])).told() == (WAIVED, NONE)
    expired = office.night(4, a_source([ill(1, 4)]))
    assert (expired.told(), expired.finding().reason) == ((REOPENED, REOPEN), "waiver_expired")


def test_waiver_before_any_ticket(office: Office) -> None:
    """A problem that was waived from the start has its first ticket created when the waiver ends."""
    office.with_terms(waivers=(waiver(1, sources=("hq",)),))
    assert office.night(1, a_source([ill(1, 1)])).told() == (WAIVED, NONE)
    assert office.night(2, a_source([ill(1, 2)])).told() == (NEW, CREATE)


def many(at: int, sick: int, count: int = 20) -> Value:
    return a_source([ill(n, at) if n < sick else a_phone(n, at) for n in range(count)])


@pytest.mark.parametrize(
    ("before", "after", "count", "hold"),
    [
        (0, 4, 20, False),
        (0, 5, 20, True),
        (5, 0, 20, True),
        (4, 0, 20, False),
        (0, 19, 19, False),
        (3, 7, 20, False),
    ],
)
def test_mass_change_brake(small_office: Office, before: int, after: int, count: int, *, hold: bool) -> None:
    """More than a fifth of twenty or more devices changing sides in a night holds that night's ticket actions."""
    small_office.night(1, many(1, before, count))
    heard = small_office.night(2, many(2, after, count))
    assert heard.run.hold is hold
    assert (heard.actions <= {NONE}) is hold
    assert heard.run.totals.changes["new"] == max(after - before, 0)
    assert heard.run.totals.statuses[Status.AT_RISK] == after


def test_first_run_is_not_braked(small_office: Office) -> None:
    """The first run has nothing to compare with, so it tells all that it found."""
    heard = small_office.night(1, many(1, 20))
    assert not heard.run.hold
    assert heard.actions == {CREATE}


def test_first_run_that_reads_anything_is_not_braked(small_office: Office) -> None:
    """A first night with a wrong address leaves nothing to compare with; an empty fleet does."""
    assert small_office.night(1, a_source(error=DOWN)).run.totals.devices == 0
    heard = small_office.night(2, many(2, 20))
    assert not heard.run.hold
    assert heard.actions == {CREATE}


def test_a_fleet_that_was_empty_is_compared_with(small_office: Office) -> None:
    """Where the source said that it has no devices, twenty that are all ill are a mass change."""
    small_office.night(1, a_source())
    assert small_office.night(2, many(2, 20)).run.hold


def test_not_applicable_devices_do_not_count_for_the_brake(small_office: Office) -> None:
    """Twenty devices of which one is a Mac are nineteen to the brake."""

    def fleet_of(at: int, sick: int) -> Value:
        mac = a_phone(99, at, platform=Platform.MACOS)
        return a_source([mac, *(ill(n, at) if n < sick else a_phone(n, at) for n in range(19))])

    small_office.night(1, fleet_of(1, 0))
    assert not small_office.night(2, fleet_of(2, 19)).run.hold


def test_held_actions_are_released(office: Office) -> None:
    """The next unchanged night asks for exactly what was withheld, and the one after for nothing."""
    office.night(1, many(1, 0))
    held = office.night(2, many(2, 10))
    assert held.run.hold
    assert held.told(3) == (NEW, NONE)
    released = office.night(3, many(3, 10))
    assert not released.run.hold
    assert {released.told(number) for number in range(10)} == {(OPEN, CREATE)}
    assert released.finding(3).first_seen == night(2)
    assert office.night(4, many(4, 10)).actions == {NONE}


def test_held_resolutions_are_released(office: Office) -> None:
    """Resolutions that were withheld come on the next night as well, each once."""
    office.night(1, many(1, 10))
    held = office.night(2, many(2, 0))
    assert held.run.hold
    assert held.told(3) == (RESOLVED, NONE)
    released = office.night(3, many(3, 0))
    assert {released.told(number) for number in range(10)} == {(RESOLVED, RESOLVE)}
    assert office.night(4, many(4, 0)).devices[serial(3)].findings == ()


def test_accepted_mass_change(office: Office) -> None:
    """The admin may say that so much has truly changed, on the night itself or after a held one."""
    office.night(1, many(1, 0))
    assert office.night(2, many(2, 10), accept=True).actions == {CREATE}
    office.night(3, many(3, 0))
    assert office.judge(3, accept=True).actions == {RESOLVE}


def test_same_night_twice(office: Office) -> None:
    """Judging, or collecting, the same input a second time asks nothing of anybody."""
    office.night(1, a_source([ill(1, 1), a_phone(2, 1)]))
    assert office.judge(1).told() == (OPEN, NONE)
    again = office.night(1, a_source([ill(1, 1), a_phone(2, 1)]))
    assert again.told() == (OPEN, NONE)
    assert sum(again.run.totals.changes.values()) == 0


def story(office: Office) -> list[Heard]:
    office.terms = Terms(policy=POLICY, waivers=(waiver(3, sources=("lab",)),), plans={"lab": 50.0})
    told = [
        office.night(
            1,
            *hq_and_lab([ill(1, 1), a_phone(2, 1), ill(5, 1)], [a_phone(1, 1, native_id="L"), ill(3, 1)]),
        ),
        office.night(2, *hq_and_lab([a_phone(1, 2), ill(2, 2)], [ill(3, 2)], lab_error=DOWN)),
        office.night(3, *hq_and_lab([], [a_phone(1, 3, native_id="L"), a_phone(3, 3)], hq_error=DOWN)),
    ]
    office.terms = Terms(policy=Policy(silent_days=1, backup_warn_days=1))
    told.append(
        office.night(4, *hq_and_lab([ill(1, 4, name="Renamed"), ill(2, 4)], [ill(3, 4), a_phone(4, 4)]))
    )
    return told


def test_past_run_made_again(office: Office) -> None:
    """Every past run can be made again exactly as it was, whatever was collected and decided since."""
    for told in story(office):
        assert office.again(told.run.id) == told


def test_latest_run_made_again(office: Office) -> None:
    """Without a number the latest run is made again, and that changes nothing of what is remembered."""
    told = story(office)[-1]
    with office.database.engine.connect() as connection:
        before = list(remembered(connection, told.run.id))
    assert office.again(None) == told
    with office.database.engine.connect() as connection:
        assert list(remembered(connection, told.run.id)) == before


def test_held_run_made_again(office: Office) -> None:
    """A held run that is made again still holds."""
    office.night(1, many(1, 0))
    held = office.night(2, many(2, 10))
    office.night(3, many(3, 10))
    assert office.again(held.run.id) == held


def test_second_look_at_a_past_night(office: Office) -> None:
    """Judging a past night anew shows it as it would have been, asks for nothing, and moves no later night."""
    nights = enumerate([ill(1, 1), a_phone(1, 2), ill(1, 3)], 1)
    told = [office.night(at, a_source([phone, ill(2, at)])) for at, phone in nights]
    office.with_terms(policy=Policy(backup_warn_days=0))
    strict = office.judge(2)
    assert (strict.run.as_of, strict.finding().action) == (night(2), NONE)
    office.with_terms(policy=POLICY, waivers=(waiver(9),))
    assert office.judge(1).told() == (WAIVED, NONE)
    office.with_terms(waivers=())
    assert office.again(None) == told[2]
    assert office.again(strict.run.id) == strict
    _, (seen,) = devices_by(office.database, serial(1), strict.run.id)
    assert seen.report == strict.devices[serial(1)]
    following = [
        office.night(4, a_source([ill(1, 4), without_facts(2, 4)])),
        office.night(5, a_source([without_facts(1, 5), without_facts(2, 5)])),
    ]
    assert [one.told() for one in following] == [(OPEN, NONE), (OPEN, NONE)]
    assert [one.finding().reason for one in following] == [None, None]
    assert (following[0].finding(2).last_seen, following[1].finding(1).last_seen) == (night(3), night(4))
    assert [point.run_id for point in following[0].run.trend] == [one.run.id for one in told]


def test_trend(small_office: Office) -> None:
    """A run's report carries the totals of the runs before it, oldest first."""
    heard = [small_office.night(at, many(at, sick, 3)) for at, sick in enumerate((0, 1, 2), 1)]
    points = heard[-1].run.trend
    assert [point.as_of for point in points] == [night(1), night(2)]
    assert [point.statuses[Status.AT_RISK] for point in points] == [0, 1]
    assert [point.findings[Severity.HIGH] for point in points] == [0, 1]


def test_nothing_to_judge(small_office: Office) -> None:
    """Judging before anything was collected says what to do first."""
    small_office.names = ["hq"]
    with pytest.raises(SettingsError, match="fleetkeep collect"):
        small_office.judge(1)
    with pytest.raises(SettingsError, match="no run yet"):
        small_office.again(None)
    small_office.night(5, a_source([a_phone(1, 5)]))
    with pytest.raises(SettingsError, match="fleetkeep collect"):
        small_office.judge(4)
    with pytest.raises(SettingsError, match="no run 77"):
        small_office.again(77)


def test_forgotten_run(small_office: Office) -> None:
    """A run whose facts were pruned is said to be beyond the retention; it is no report of an empty fleet."""
    old = small_office.night(1, a_source([ill(1, 1)]))
    small_office.night(90, a_source([ill(1, 90)]))
    prune(small_office.database, before=night(60))
    with pytest.raises(SettingsError, match="pruned"):
        small_office.again(old.run.id)
    assert small_office.night(91, a_source([a_phone(1, 91)])).told() == (RESOLVED, RESOLVE)


def test_younger_runs_outlive_the_forgetting(office: Office) -> None:
    """A run within the retention is made again as it was, though it looked back at nights that are beyond it."""

    def filling(at: int, **signals: Value) -> Row:
        return a_phone(1, at, available_bytes=int((70 - 0.7 * at) * GB), **signals)

    for at in range(30, 72, 4):
        office.collect(at, a_source([filling(at)]))
    found = office.night(74, a_source([filling(74)]))
    assert {finding.check for finding in found.devices[serial(1)].findings} == {"storage-filling"}
    prune(office.database, before=night(73))
    assert office.again(found.run.id) == found


def test_what_a_run_went_on_from_outlives_the_forgetting(office: Office) -> None:
    """A night without a new collection counts no clean run, whether or not the night before it is still kept."""
    office.with_terms(policy=replace(POLICY, resolve_after_clean_runs=2))
    office.night(1, a_source([ill(1, 1)]))
    before = office.night(2, a_source([a_phone(1, 2)]))
    again = office.judge(3)
    assert again.told() == (OPEN, NONE)
    prune(office.database, before=night(3))
    assert office.again(again.run.id) == again
    with pytest.raises(SettingsError, match="pruned"):
        office.again(before.run.id)


def test_terms_survive_the_ledger() -> None:
    """Policy, waivers and plans that judged a run read back from its ledger entry as they were."""
    terms = Terms(
        policy=POLICY,
        waivers=(waiver(9), waiver(3, sites=("HQ",), groups=("kiosk",), models=("iPad Air",))),
        plans={"hq": 50.0},
        title="Backups",
        base_url="https://reports.example/",
    )
    assert Terms.from_json(terms.to_json()) == terms


def test_moment_of_judgement(small_office: Office) -> None:
    """The report's clock is the night's own, whatever the wall clock says."""
    heard = small_office.night(3, a_source([a_phone(1, 3)]))
    assert (heard.run.as_of, heard.run.generated_at) == (FIRST + days(3), FIRST + timedelta(days=3))


def test_source_taken_out_of_the_settings(office: Office) -> None:
    """Its devices count as gone, keep their tickets for the grace, and are resolved with it; other sources go on."""
    here, there = a_source([ill(1, 1)], name="hq"), a_source([ill(2, 1)], name="old")
    assert office.night(1, here, there).told(2) == (State.NEW, Action.CREATE)
    office.names = ["hq"]
    after = office.night(2, a_source([ill(1, 2)], name="hq"))
    assert [source.name for source in after.run.sources] == ["hq"]
    assert after.told(1) == (State.OPEN, Action.NONE)
    assert after.told(2) == (State.GONE, Action.NONE)
    assert after.devices[serial(2)].reason == "gone"
    retired = office.night(40, a_source([ill(1, 40)], name="hq"))
    assert retired.told(2) == (State.RESOLVED, Action.RESOLVE)
    assert retired.finding(2).reason == "device_gone"
    assert serial(2) not in office.night(41, a_source([ill(1, 41)], name="hq")).devices


def test_source_that_takes_another_name(office: Office) -> None:
    """The same devices under a new name keep their tickets."""
    assert office.night(1, a_source([ill(1, 1)], name="old")).told() == (State.NEW, Action.CREATE)
    office.names = ["new"]
    assert office.night(2, a_source([ill(1, 2)], name="new")).told() == (State.OPEN, Action.NONE)


def test_clean_runs_are_counted_by_collections(office: Office) -> None:
    """With two clean runs asked for, judging one clean collection twice is not enough."""
    office.with_terms(policy=replace(POLICY, resolve_after_clean_runs=2))
    office.night(1, a_source([ill(1, 1)]))
    assert office.night(2, a_source([a_phone(1, 2)])).told() == (State.OPEN, Action.NONE)
    assert office.judge(2).told() == (State.OPEN, Action.NONE)
    assert office.night(3, a_source([a_phone(1, 3)])).told() == (State.RESOLVED, Action.RESOLVE)


def test_what_the_catalogue_does_not_know(small_office: Office) -> None:
    """A model and a release newer than the catalogue are counted, and no device is outdated for them.

    What an update of the catalogue may mend is a note of the night; a model that it lacks would be one for ever.
    """
    strange = a_phone(1, 1, model_identifier="iPhone99,1", model_name="iPhone 99")
    ahead = a_phone(2, 1, os_version="99.0")
    heard = small_office.night(1, a_source([strange, ahead, a_phone(3, 1)]))
    (behind,) = heard.run.notes
    assert heard.run.totals.beyond_catalog == {"model": 1, "release": 1}
    assert "newer systems than it knows run on 1 device," in behind
    assert not any(report.findings for report in heard.devices.values())
    assert small_office.again(None).run.notes == heard.run.notes


def test_an_old_catalogue_is_told_with_its_age(small_office: Office) -> None:
    """Two months without news from Apple are no quiet months: the report says so, and says it again."""
    for date, told in (("2026-07-27", 0), ("2026-07-26", 1)):
        small_office.catalog = replace(CATALOG, date=date)
        heard = small_office.night(1, a_source([a_phone(1, 1)]))
        assert len(heard.run.notes) == told
        assert small_office.again(None).run.notes == heard.run.notes
    assert heard.run.notes[0].startswith("The catalogue of Apple's systems is of 2026-07-26, 61 days old")


def stale(days_old: float, at: int = 2) -> Row:
    """A phone whose last backup was so many days old when it reported."""
    return a_phone(1, at, last_cloud_backup_at=night(at) - timedelta(hours=6) - days(days_old))


@pytest.mark.parametrize(
    ("before", "stricter", "after", "expected"),
    [
        (10, {"backup_high_days": 9}, 11, (OPEN, UPDATE, "rule_changed")),
        (4, {"backup_warn_days": 3}, 5, (NEW, CREATE, "rule_changed")),
        (10, {"backup_warn_days": 13}, 11, (RESOLVED, RESOLVE, "rule_changed")),
        (10, {"backup_high_days": 12, "backup_warn_days": 9}, 15, (OPEN, UPDATE, None)),
        (10, {"backup_warn_days": 13}, 1, (RESOLVED, RESOLVE, None)),
        (4, {"backup_warn_days": 3}, 8, (NEW, CREATE, None)),
        (10, {"silent_days": 6}, 15, (OPEN, UPDATE, None)),
        (10, {"silent_days": 6}, 11, (OPEN, NONE, None)),
    ],
    ids=[
        "worse",
        "found",
        "clear",
        "worse by both",
        "mended",
        "found by both",
        "worse by itself",
        "the same",
    ],
)
def test_rules_that_changed(
    small_office: Office,
    before: int,
    stricter: dict[str, Value],
    after: int,
    expected: tuple[State, Action, str | None],
) -> None:
    """What a changed threshold alone made of a ticket is marked so; what the device did, by either rule, is not."""
    small_office.night(1, a_source([stale(before, 1)]))
    small_office.with_terms(policy=replace(POLICY, **stricter))
    heard = small_office.night(2, a_source([stale(after)]))
    assert (*heard.told(), heard.finding().reason) == expected
    (note,) = heard.run.notes
    assert all(f"{name} " in note for name in stricter)
    assert small_office.again(heard.run.id) == heard
    following = small_office.night(3, a_source([stale(after, 3)]))
    assert following.actions <= {NONE}
    assert following.run.notes == ()


def test_rules_that_changed_on_a_held_night(small_office: Office) -> None:
    """A change of rules that moves too many tickets is held, and still marked when it is released."""
    fleet_of = [a_source([stale_one(n, at) for n in range(20)]) for at in (1, 2, 3, 4)]
    small_office.night(1, fleet_of[0])
    small_office.with_terms(policy=replace(POLICY, backup_warn_days=3))
    held, released, after = (small_office.night(at, fleet_of[at - 1]) for at in (2, 3, 4))
    assert [one.run.hold for one in (held, released, after)] == [True, False, False]
    assert [one.told(7) for one in (held, released, after)] == [(NEW, NONE), (OPEN, CREATE), (OPEN, NONE)]
    assert [one.finding(7).reason for one in (held, released, after)] == [
        "rule_changed",
        "rule_changed",
        None,
    ]


def stale_one(number: int, at: int) -> Row:
    return a_phone(number, at, last_cloud_backup_at=night(at) - timedelta(hours=6) - days(5))


def test_catalogue_that_changed(small_office: Office) -> None:
    """A finding that only a newer catalogue makes is marked, and the report says that the catalogue is another."""
    small_office.with_terms(policy=Policy())
    plain = json.loads(CATALOG.to_json())
    plain["releases"] = [one for one in plain["releases"] if one["date"] < "2025-09-16"]
    small_office.catalog = Catalog.from_json(json.dumps(plain))
    small_office.night(1, a_source([a_phone(1, 1)]))
    small_office.catalog = CATALOG
    heard = small_office.night(2, a_source([a_phone(1, 2)]))
    found = heard.finding(problem="os-outdated")
    assert (found.action, found.reason) == (CREATE, "rule_changed")
    assert any("catalogue changed since the run before" in note for note in heard.run.notes)


def test_version_that_changed(small_office: Office) -> None:
    """What a new version of the program judges differently it cannot tell apart; the report says so."""
    small_office.night(1, a_source([a_phone(1, 1)]))
    with small_office.database.engine.begin() as connection:
        connection.execute(sa.update(run).values(version="0.0.1"))
    heard = small_office.night(2, a_source([a_phone(1, 2)]))
    assert "after 0.0.1: some findings may have moved" in heard.run.notes[0]


def test_waivers_that_need_a_hand(office: Office) -> None:
    """The report counts what each waiver covers, and names those that end soon, have ended, or cover nothing."""
    every = tuple(waiver(night_, serials=(serial(n),)) for night_, n in ((40, 1), (10, 1), (1, 1), (40, 2)))
    office.with_terms(waivers=every)
    heard = office.night(2, a_source([ill(1, 2), a_phone(2, 2)]))
    assert [(use.waiver, use.findings, use.state) for use in heard.run.waivers] == [
        (every[0], 1, "active"),
        (every[1], 1, "expiring"),
        (every[2], 0, "expired"),
        (every[3], 0, "dead"),
    ]
    assert [note.split(":")[0] for note in heard.run.notes] == [
        "Waivers that end within 14 days",
        "Waivers that have ended",
        "Waivers that cover no finding",
    ]
    assert f"serial {serial(2)} (until {night(40).date()})" in heard.run.notes[2]
    office.with_terms(waivers=())
    assert office.night(3, a_source([a_phone(1, 3)])).run.waivers == ()
    assert office.again(heard.run.id) == heard


def test_waiver_that_is_taken_back(small_office: Office) -> None:
    """A waiver that goes before its end reopens the ticket, and says that it did not expire."""
    small_office.night(1, a_source([ill(1, 1)]))
    small_office.with_terms(waivers=(waiver(30),))
    assert small_office.night(2, a_source([ill(1, 2)])).told() == (WAIVED, RESOLVE)
    small_office.with_terms(waivers=())
    back = small_office.night(3, a_source([ill(1, 3)]))
    assert (back.told(), back.finding().reason) == ((REOPENED, REOPEN), "no_longer_waived")
