"""Fourteen nights in one story, and any nights at all: the tickets of whoever follows our actions are the truth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.errors import BadAnswer
from fleet.model.fact import ABSENT
from fleet.model.finding import Action, Finding, State
from fleet.model.run import Outcome
from fleet.model.waiver import Waiver
from tests.databases import opened
from tests.examples import examples
from tests.fleet_of import Value, days
from tests.nightly.a_night import POLICY, Office, a_phone, a_source, ill, night, serial

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fleet.model.device_report import DeviceReport
    from fleet.nightly.collect import Source
    from fleet.store.database import Database
    from tests.databases import Place
    from tests.nightly.a_night import Heard, Row

DOWN = BadAnswer("page 2 is HTML")
HQ, LAB = range(1, 25), range(31, 35)
MASS = range(11, 23)
Ticket: TypeAlias = tuple[str, str]


@dataclass
class ServiceDesk:
    """An importer that knows nothing of devices: it does what each night's actions say, and complains of nonsense.

    Attributes:
        tickets: by external id, what it was told last; None for a closed one.
        whose: by external id, the serial and the problem that it was created for.
    """

    tickets: dict[str, Ticket | None] = field(default_factory=dict[str, "Ticket | None"])
    whose: dict[str, Ticket] = field(default_factory=dict[str, Ticket])

    def follow(self, heard: Heard) -> None:
        """Import one night's findings."""
        for name, report in heard.devices.items():
            for finding in report.findings:
                self._do(name, finding)

    def _do(self, name: str, finding: Finding) -> None:
        key, told = finding.external_id, (finding.check, str(finding.severity))
        stands = self.tickets.get(key) is not None
        match finding.action:
            case Action.CREATE:
                assert key not in self.tickets, f"a second ticket for {name}"
                self.whose[key] = (name, finding.problem)
            case Action.REOPEN:
                assert key in self.tickets
                assert not stands, f"told to reopen an open ticket of {name}"
            case Action.UPDATE | Action.RESOLVE:
                assert stands, f"told to {finding.action} no open ticket of {name}"
            case Action.NONE:
                return
        self.tickets[key] = None if finding.action is Action.RESOLVE else told

    @property
    def open(self) -> set[Ticket]:
        """Whose problems have an open ticket."""
        return {self.whose[key] for key, told in self.tickets.items() if told}


@dataclass(frozen=True, kw_only=True)
class Night:
    """How one night went, and what is true after it.

    Attributes:
        ill: phones whose backup is off.
        away: phones that no source lists.
        rows: of the phones with these numbers, the records listed in place of the usual one.
        breaks: the source `hq` breaks off after so many rows.
        says: the terms by which it is judged, where they change.
        true: phones whose tickets stand open.
        reasons: why a phone's ticket moved, where that is said.
        hold: more changed than the brake lets pass.
    """

    ill: Sequence[int] = ()
    away: Sequence[int] = ()
    rows: Mapping[int, Sequence[Row]] = field(default_factory=dict[int, "Sequence[Row]"])
    breaks: int | None = None
    says: Mapping[str, Value] = field(default_factory=dict[str, Value])
    true: Sequence[int] = ()
    reasons: Mapping[int, str] = field(default_factory=dict[int, str])
    hold: bool = False


def five_days_old(at: int) -> Row:
    """Phone 6: its last backup is always five days old, which is well by one policy and ill by another."""
    return a_phone(6, at, last_cloud_backup_at=night(at) - timedelta(hours=6) - days(5))


def enrolled_again(at: int, **signals: Value) -> Row:
    """Phone 3 after it was wiped: the same serial number under a new record."""
    return a_phone(3, at, native_id="3b", udid="UDID-3b", enrolled_at=night(5), **signals)


ACCEPTED = Waiver(
    checks=("backup-disabled",), serials=(serial(32),), reason="A kiosk", owner="it", expires=night(10).date()
)
TERMS = replace(POLICY, retire_after_days=9)
STRICT = replace(TERMS, backup_warn_days=3)
STORY = {
    # Three problems begin.
    1: Night(ill=[1, 2, 31], says={"policy": TERMS}, true=[1, 2, 31]),
    # hq breaks off: that phone 1 is well there closes nothing, that phone 3 is ill there opens; the lab is whole.
    2: Night(ill=[2, 3], breaks=10, true=[1, 2, 3]),
    # The same again, and hq is whole.
    3: Night(ill=[2, 3], true=[2, 3]),
    # Phone 2 is gone from its source: nobody mended it.
    4: Night(ill=[3], away=[2], true=[2, 3]),
    # hq does not answer at all.
    5: Night(ill=[32], away=[2], breaks=0, true=[2, 3, 32]),
    # Phone 3 is wiped and enrolled again: two records of it, one ticket.
    6: Night(
        ill=[32],
        away=[2],
        rows={3: [ill(3, 6, inventory_at=night(5)), enrolled_again(6, backup_enabled=False)]},
        true=[2, 3, 32],
    ),
    # The new record is well; the old one still says what it said.
    7: Night(
        ill=[32], away=[2], rows={3: [ill(3, 7, inventory_at=night(5)), enrolled_again(7)]}, true=[2, 32]
    ),
    # Phone 32 is accepted for three nights.
    8: Night(
        ill=[5, 32],
        away=[2],
        rows={3: [enrolled_again(8)]},
        says={"waivers": (ACCEPTED,)},
        true=[2, 5],
        reasons={32: "waived"},
    ),
    # A stricter rule makes a problem of what phone 6 has been all along.
    9: Night(
        ill=[5, 32],
        away=[2],
        rows={3: [enrolled_again(9)]},
        says={"policy": STRICT},
        true=[2, 5, 6],
        reasons={6: "rule_changed"},
    ),
    10: Night(ill=[32], away=[2], rows={3: [enrolled_again(10)]}, true=[2, 6]),
    # The waiver has ended and the problem has not.
    11: Night(
        ill=[32],
        away=[2],
        rows={3: [enrolled_again(11)]},
        true=[2, 6, 32],
        reasons={32: "waiver_expired"},
    ),
    # Half of hq turns ill at once: nothing is told until it is certain.
    12: Night(ill=[32, *MASS], away=[2], rows={3: [enrolled_again(12)]}, true=[2, 6, 32], hold=True),
    # It is still so. And phone 2 has been away for longer than the grace.
    13: Night(
        ill=[32, *MASS],
        away=[2],
        rows={3: [enrolled_again(13)]},
        true=[6, 32, *MASS],
        reasons={2: "device_gone"},
    ),
    # The rule is taken back.
    14: Night(
        ill=[32, *MASS],
        away=[2],
        rows={3: [enrolled_again(14)]},
        says={"policy": TERMS},
        true=[32, *MASS],
        reasons={6: "rule_changed"},
    ),
}


def sources_of(at: int, told: Night) -> Iterator[Source]:
    """Both sources as they answer that night."""
    for name, numbers in (("hq", HQ), ("lab", LAB)):
        rows = [row for number in numbers if number not in told.away for row in records(number, at, told)]
        broken = name == "hq" and told.breaks is not None
        yield a_source(rows[: told.breaks] if broken else rows, name=name, error=DOWN if broken else None)


def records(number: int, at: int, told: Night) -> Sequence[Row]:
    """What its source lists of a phone."""
    if number in told.rows:
        return told.rows[number]
    if number == 6:
        return [five_days_old(at)]
    return [ill(number, at) if number in told.ill else a_phone(number, at)]


def test_fourteen_nights(database: Database) -> None:
    """After each night the open tickets are exactly the problems that stand, say what they are, and why they moved."""
    office, desk = Office(database), ServiceDesk()
    for at, told in STORY.items():
        office.with_terms(**told.says)
        heard = office.night(at, *sources_of(at, told))
        desk.follow(heard)
        assert heard.run.hold is told.hold
        assert desk.open == {(serial(number), "backup") for number in told.true}, f"night {at}"
        assert {number: heard.finding(number).reason for number in told.reasons} == told.reasons
        for report in heard.devices.values():
            assert_told(desk, report)
        if not told.hold:
            again = office.judge(at)
            assert again.actions <= {Action.NONE}, f"night {at} a second time"
    assert office.again(None).run.outcome is Outcome.COMPLETE


def assert_told(desk: ServiceDesk, report: DeviceReport) -> None:
    """An open ticket says of its problem what the report says."""
    for finding in report.findings:
        ticket = desk.tickets.get(finding.external_id)
        if ticket and finding.state.standing:
            assert ticket == (finding.check, finding.severity)


# Any nights at all: two sources, of which one knows two phones, the other two, and both know phone 1.

KNOWS = {"hq": (1, 2), "lab": (1, 3)}
WORDS = ("ill", "ill", "well", "missing", "away")
ENDS = ("whole", "whole", "cut", "miscounted", "down")


@dataclass(frozen=True)
class Answer:
    """What a source says in one night: a word on each of its phones, and how its answer ends."""

    words: tuple[str, ...]
    ends: str


ANSWERS = st.builds(Answer, words=st.tuples(*[st.sampled_from(WORDS)] * 2), ends=st.sampled_from(ENDS))
NIGHTS = st.lists(st.fixed_dictionaries(dict.fromkeys(KNOWS, ANSWERS)), min_size=2, max_size=8)


def listed(name: str, answer: Answer, at: int) -> list[Row]:
    """The records of a source's answer."""
    own = zip(KNOWS[name], answer.words, strict=True)
    return [_record(number, word, at, native_id=f"{name}{number}") for number, word in own if word != "away"]


def _record(number: int, word: str, at: int, **own: Value) -> Row:
    gaps: dict[str, Value] = {"backup_enabled": ABSENT, "last_cloud_backup_at": ABSENT}
    signals: dict[str, Value] = {"ill": {"backup_enabled": False}, "well": {}, "missing": gaps}[word]
    return a_phone(number, at, **own, **signals)


def answering(name: str, answer: Answer, at: int) -> Source:
    """The source with that answer."""
    rows = listed(name, answer, at)
    match answer.ends:
        case "cut":
            return a_source(rows[:1], name=name, error=DOWN)
        case "miscounted":
            return a_source(rows, name=name, expected=9)
        case "down":
            return a_source(name=name, error=DOWN)
        case _:
            return a_source(rows, name=name)


def seen_well(number: int, said: Mapping[str, Answer]) -> bool:
    """Some source read the phone well tonight, in an answer that was whole."""
    return any(
        answer.ends == "whole" and word == "well"
        for name, answer in said.items()
        for one, word in zip(KNOWS[name], answer.words, strict=True)
        if one == number
    )


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NIGHTS)
def test_nothing_resolves_unseen(usual_place: Place, nights: list[dict[str, Answer]]) -> None:
    """Whatever fails, and however long, no finding of a device resolves on a night on which nobody saw it well."""
    with opened(usual_place.ready()) as database:
        office, desk = Office(database), ServiceDesk()
        for at, said in enumerate(nights, 1):
            heard = office.night(at, *(answering(name, answer, at) for name, answer in said.items()))
            desk.follow(heard)
            for number in (1, 2, 3):
                report = heard.devices.get(serial(number))
                for finding in report.findings if report else ():
                    if finding.state is State.RESOLVED and finding.problem == "backup":
                        assert seen_well(number, said), f"phone {number}, night {at}"
