"""The made-up fleet: its shape, its stories, and that the real connectors can read it."""

from __future__ import annotations

import csv
import json
import multiprocessing
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest

from connectors import demo, file, jamf_pro
from connectors._connector import Page, Surroundings
from connectors._jamf_profiles import BY_PROFILES
from connectors.demo import jamf_pages, people
from connectors.demo.deck import Source
from connectors.demo.fleet import FIRST_ID, made_up_fleet
from connectors.demo.hardware import RELEASES
from connectors.demo.press import LARGE, Order, press_for, printed, serve
from connectors.demo.story import Life, Story, condition
from fleet.errors import ServerTrouble
from fleet.model.device import SIGNALS, DeviceRecord, Enrollment, Platform
from fleet.model.fact import NEVER, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Asked: TypeAlias = "str | int | list[str]"
Row: TypeAlias = dict[str, Any]
TOKEN = "a-made-up-token"
LAST = datetime(2026, 11, 22, 2, tzinfo=UTC)
NIGHTS = 30
FLEET = made_up_fleet(250, NIGHTS, 7)
ALL_SECTIONS = ("GENERAL", "HARDWARE", "USER_AND_LOCATION", "SECURITY", "NETWORK", "GROUPS")


def at(night: int) -> datetime:
    return demo.night_time(LAST, night, NIGHTS)


def lives(story: Story) -> list[Life]:
    fleet = made_up_fleet(1000, NIGHTS, 7)
    return [fleet.life(index) for index in range(fleet.devices) if fleet.card(index).story is story]


def ask(desk: jamf_pages.Desk, path: str, params: Mapping[str, Asked], token: str = TOKEN) -> httpx.Response:
    with httpx.Client(transport=desk.transport(), base_url="https://demo.larkmoor.example") as client:
        return client.get(path, params=dict(params), headers={"authorization": f"Bearer {token}"})


def detail(desk: jamf_pages.Desk, **params: Asked) -> Row:
    named = {name.replace("_", "-"): value for name, value in params.items()}
    return ask(desk, "/api/v2/mobile-devices/detail", named).json()


def headquarters(night: int = NIGHTS - 1) -> jamf_pages.Desk:
    return jamf_pages.Desk(FLEET, night, at(night), (Source.HEADQUARTERS,))


def everywhere(fleet: demo.Fleet = FLEET) -> jamf_pages.Desk:
    return jamf_pages.Desk(fleet, fleet.nights - 1, LAST, tuple(Source))


def around(transport: httpx.BaseTransport | None = None, waits: list[float] | None = None) -> Surroundings:
    passed = [] if waits is None else waits
    return Surroundings(
        collected_at=LAST,
        now=lambda: sum(passed),
        sleep=passed.append,
        transport=transport,
        user_agent="test",
    )


def read(source: demo.DemoSource, waits: list[float] | None = None) -> list[Page]:
    connector: Any = {"jamf_pro": jamf_pro.CONNECTOR, "file": file.CONNECTOR}[source.kind]
    settings = connector.settings.model_validate(source.values)
    return list(connector.walk(settings, around(source.transport, waits)))


def records(pages: list[Page]) -> dict[str, DeviceRecord]:
    rows = [row for page in pages for row in page.rows]
    return {row.native_id: row for row in rows if isinstance(row, DeviceRecord)}


@pytest.fixture(scope="module")
def shown() -> dict[str, DeviceRecord]:
    settings = demo.CONNECTOR.settings.model_validate({"name": "show", "kind": "demo"})
    return records(list(demo.CONNECTOR.walk(settings, around())))


def test_same_seed_same_fleet() -> None:
    """Two demos with the same seed show the same devices; another seed shows others."""
    pages = [
        json.dumps(detail(everywhere(made_up_fleet(60, 30, seed)), section="HARDWARE")) for seed in (7, 7, 8)
    ]
    assert pages[0] == pages[1]
    assert pages[0] != pages[2]


def test_a_device_needs_no_fleet_around_it() -> None:
    """A device's life does not depend on how many others there are, so none is held in memory."""
    assert made_up_fleet(100_000, NIGHTS, 7).life(42) == made_up_fleet(50, NIGHTS, 7).life(42)


def test_identities_are_unique_and_plainly_made_up() -> None:
    """Serials begin with FK and never repeat, and neither do UDIDs."""
    fleet = made_up_fleet(20_000, NIGHTS, 7)
    drawn = [fleet.life(index) for index in range(0, fleet.devices, 7)]
    assert all(re.fullmatch("FK[0-9A-Z]{8}", life.serial) for life in drawn)
    assert len({life.serial for life in drawn}) == len({life.udid for life in drawn}) == len(drawn)


def test_mail_addresses_lead_nowhere() -> None:
    """Whatever script a name is written in, its address is plain and at a domain that cannot exist."""
    owners = [life.owner for index in range(2000) if (life := made_up_fleet(2000, 1, 3).life(index)).owner]
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d*@larkmoor\.example", owner.email) for owner in owners if owner)
    assert any(not owner.real_name.isascii() for owner in owners if owner)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Jürgen", "jurgen"), ("Łukasz", "lukasz"), ("Weiß", "weiss"), ("李", "li"), ("Đặng", "dang")],
)
def test_latin_letters(name: str, expected: str) -> None:
    """A name becomes the mail address its owner would be given."""
    assert people.latin(name) == expected


def test_every_story_is_told_in_a_default_demo() -> None:
    """The default fleet has a device for every story, and most of it is fine."""
    told = Counter(FLEET.card(index).story for index in range(FLEET.devices))
    assert set(told) == set(Story)
    assert told[Story.HEALTHY] > FLEET.devices * 0.45


def test_sources_share_the_fleet() -> None:
    """Headquarters has about 55 %, the schools 35 %, the field the rest; a few devices are in two of them."""
    ids = {source: set(FLEET.listed(0, source)) for source in Source}
    assert 0.5 < len(ids[Source.HEADQUARTERS]) / 250 < 0.6
    assert 0.3 < len(ids[Source.SCHOOLS]) / 250 < 0.4
    assert ids[Source.HEADQUARTERS] & ids[Source.FIELD]
    assert {member for members in ids.values() for member in members} == set(FLEET.listed(0, *Source))


def test_pages_cover_the_list_once() -> None:
    """A walk by page and size meets every id once, in the order asked for, and ends at an empty page."""
    pages = [detail(headquarters(), page=page, page_size=40, sort="mobileDeviceId:asc") for page in range(5)]
    ids = [int(row["mobileDeviceId"]) for page in pages for row in page["results"]]
    assert ids == sorted(set(ids))
    assert {page["totalCount"] for page in pages} == {len(ids)}
    assert pages[-1]["results"] == []


def descending(row: Row) -> int:
    return -int(row["mobileDeviceId"])


def shown_name(row: Row) -> str:
    return row["general"]["displayName"]


@pytest.mark.parametrize(
    ("sort", "key"), [("mobileDeviceId:desc", descending), ("displayName:asc", shown_name)]
)
def test_pages_honour_the_order(sort: str, key: Callable[[Row], int | str]) -> None:
    """The server sorts as it is asked to."""
    rows = detail(headquarters(), page_size=200, sort=sort)["results"]
    assert rows == sorted(rows, key=key)


def test_sections_not_asked_for_are_null() -> None:
    """Only the sections asked for are filled, without any it is GENERAL; the others are null, not missing."""
    row = detail(headquarters(), section=["HARDWARE", "GROUPS"], sort="mobileDeviceId:asc")["results"][0]
    assert row["hardware"]
    assert row["groups"]
    assert row["general"] is row["security"] is row["profiles"] is None
    plain = detail(headquarters())["results"][0]
    assert plain["general"]
    assert plain["hardware"] is None


@pytest.mark.parametrize(
    ("path", "token", "params", "status"),
    [
        ("/api/v2/mobile-devices/detail", "wrong", {}, 401),
        ("/api/v2/mobile-devices/detail", TOKEN, {"sort": "colour:asc"}, 400),
        ("/api/v2/mobile-devices/detail", TOKEN, {"section": "ALL"}, 400),
        ("/api/v2/computers", TOKEN, {}, 404),
    ],
)
def test_server_refuses_what_it_does_not_know(
    path: str, token: str, params: dict[str, str], status: int
) -> None:
    """The in-process server is as strict as the real one, so that the demo proves something."""
    assert ask(headquarters(), path, params, token).status_code == status


def test_server_wants_the_right_secret() -> None:
    """A token is only given for the right credential."""
    with httpx.Client(
        transport=headquarters().transport(), base_url="https://demo.larkmoor.example"
    ) as client:
        assert (
            client.post("/api/v1/oauth/token", data={"client_id": "x", "client_secret": "y"}).status_code
            == 401
        )


def test_vendor_shape() -> None:
    """A television has no backup keys and no storage, a private phone no identity and no backup state."""
    rows = detail(everywhere(), section=list(ALL_SECTIONS), page_size=500)["results"]
    television = next(row for row in rows if row["deviceType"] == "tvOS")
    private = next(
        row for row in rows if row["general"]["deviceOwnershipType"] == "AccountDrivenUserEnrollment"
    )
    assert "cloudBackupEnabled" not in television["general"]
    assert television["hardware"]["capacityMb"] == television["hardware"]["batteryLevel"] == 0
    assert (private["hardware"]["serialNumber"], private["general"]["udid"]) == ("", "")
    assert (private["general"]["cloudBackupEnabled"], private["general"]["lastCloudBackupDate"]) == (
        False,
        None,
    )
    assert {row["hardware"]["capacityMb"] % 1024 for row in rows} == {0}


def test_switching_off_is_seen_and_mended() -> None:
    """A backup that is switched off ages from that night on; switched on again, it is fresh at once."""
    mended = [life for life in lives(Story.SWITCHED_OFF) if life.spans[0].end < NIGHTS]
    assert mended
    for life in mended:
        start, end = life.spans[0]
        assert (
            not condition(life, end - 1, at(end - 1)).backup_enabled or life.reported_night(end - 1) < start
        )
        assert life.backup_night(end - 1) == life.backup_night(start - 1)
        assert (life.backup_night(end) or 0) >= end


def test_the_last_night_has_news() -> None:
    """On the night that a demo shows, something new went wrong and something was mended."""
    spans = [span for index in range(FLEET.devices) for span in FLEET.life(index).spans]
    assert any(span.start == NIGHTS - 1 for span in spans)
    assert any(span.end == NIGHTS - 1 for span in spans)


def test_some_problems_come_back() -> None:
    """A part of the problems recovers, and a part of those returns within the nights."""
    spans = [life.spans for life in lives(Story.STOPS)]
    assert any(len(of_life) == 1 and of_life[0].end < NIGHTS for of_life in spans)
    assert any(len(of_life) == 2 and of_life[1].start < NIGHTS for of_life in spans)


@pytest.mark.parametrize(("story", "least", "most"), [(Story.STALE, 60, 172), (Story.EXPIRED, 170, 402)])
def test_old_backups_are_as_old_as_told(story: Story, least: int, most: int) -> None:
    """Stale and expired backups have the ages that their checks look for on the last night."""
    ages = [_age(life) for life in lives(story) if life.spans[0].end >= NIGHTS]
    assert ages
    assert all(least <= age <= most for age in ages)


def _age(life: Life) -> int:
    state = condition(life, NIGHTS - 1, LAST)
    assert state.last_backup_at
    return (state.observed_at - state.last_backup_at).days


def test_storage_fills_up_night_by_night() -> None:
    """Storage that fills up shrinks every week until it is full; then there are no backups."""
    for life in lives(Story.FILLS_UP):
        full = min(life.spans[0].start, NIGHTS)
        weekly = [life.free_at(night) for night in range(full - 21, full, 7)]
        assert weekly == sorted(weekly, reverse=True)
        assert life.free_at(life.spans[0].start) < 0.03
    assert any(life.spans[0].start > NIGHTS for life in lives(Story.FILLS_UP))


def test_silent_devices_repeat_themselves() -> None:
    """A silent device's record stands still while the nights go on."""
    life = next(life for life in lives(Story.SILENT) if life.spans[0].end > NIGHTS)
    silent = range(life.spans[0].start + 1, NIGHTS)
    assert len({condition(life, night, at(night)) for night in silent}) == 1


def test_leaving_and_coming_back() -> None:
    """One device leaves the list for good; another comes back under a new id, both listed for a while."""
    gone, again = (lives(story)[0] for story in (Story.VANISHES, Story.REENROLLED))
    fleet = made_up_fleet(1000, NIGHTS, 7)
    lists = [set(fleet.listed(night, *Source)) for night in range(NIGHTS)]
    assert [FIRST_ID + gone.index in ids for ids in lists] == [
        night < gone.spans[0].start for night in range(NIGHTS)
    ]
    old, new = FIRST_ID + again.index, FIRST_ID + again.index + fleet.devices
    assert sum({old, new} <= ids for ids in lists) == 4
    assert new in lists[-1]
    assert old not in lists[-1]
    assert fleet.record(new).serial == fleet.record(old).serial


@pytest.mark.parametrize("story", [Story.HEALTHY, Story.PATCH_BEHIND, Story.OLD_MAJOR, Story.LAST_SYSTEM])
def test_systems_are_not_from_the_future(story: Story) -> None:
    """No device runs a release before its day, none goes back, and none runs what its hardware cannot."""
    early = datetime(2026, 9, 10, 2, tzinfo=UTC)
    for life in lives(story):
        run = [condition(life, night, early + timedelta(days=night)).release for night in range(NIGHTS)]
        assert all(life.model.first_major <= release.major <= life.model.last_major for release in run)
        assert all(
            release.released <= (early + timedelta(days=night)).date() for night, release in enumerate(run)
        )
        assert [RELEASES.index(release) for release in run] == sorted(
            (RELEASES.index(release) for release in run), reverse=True
        )


def test_twice_reported_devices_differ_in_age(tmp_path: Path) -> None:
    """A device that two sources know is older in the field's export than at headquarters."""
    main, _, field = (
        records(read(source)) for source in demo.demo_sources(FLEET, NIGHTS - 1, LAST, tmp_path)
    )
    fresh = {record.serial: record for record in main.values()}
    pairs = [(record, fresh[record.serial]) for record in field.values() if record.serial in fresh]
    assert pairs
    assert all(_observed(old) < _observed(new) for old, new in pairs)


def _observed(record: DeviceRecord) -> datetime:
    return record.observed_at(LAST)


def test_export_is_a_table_a_console_would_write(tmp_path: Path) -> None:
    """The field's export has one row per device, no storage, and an empty date for a backup never made."""
    demo.demo_sources(FLEET, 0, at(0), tmp_path)
    with (tmp_path / "field-export.csv").open(encoding="utf-8-sig", newline="") as opened:
        rows = list(csv.DictReader(opened, delimiter=";"))
    assert len(rows) == len(FLEET.listed(0, Source.FIELD))
    assert not any("storage" in column.lower() for column in rows[0])
    assert any(row["Last iCloud backup"] == "" for row in rows)


def test_all_three_sources_are_read_whole(tmp_path: Path) -> None:
    """The real connectors read every listed device of a night without a rejected row or a trouble."""
    for source, name in zip(demo.demo_sources(FLEET, 3, at(3), tmp_path), Source, strict=True):
        pages = read(source)
        assert len(records(pages)) == pages[-1].expected == len(FLEET.listed(3, name))
        assert not [trouble for page in pages for trouble in page.troubles]


def test_schools_fail_on_one_night(tmp_path: Path) -> None:
    """Eight nights before the last, the schools' server breaks after a page; the next night it works."""
    night = NIGHTS - 1 - demo.FAILED_NIGHT_BEFORE_LAST
    broken, well = (demo.demo_sources(FLEET, when, at(when), tmp_path)[1] for when in (night, night + 1))
    with pytest.raises(ServerTrouble):
        read(broken)
    assert records(read(well))


def test_the_kind_demo_shows_the_whole_fleet(shown: dict[str, DeviceRecord]) -> None:
    """`kind = "demo"` yields every device of every source once, through the Jamf Pro connector."""
    assert set(shown) == {str(record_id) for record_id in FLEET.listed(NIGHTS - 1, *Source)}
    assert {record.platform for record in shown.values()} == {
        Platform.IOS,
        Platform.IPADOS,
        Platform.TVOS,
        Platform.VISIONOS,
    }
    assert {Enrollment.USER, Enrollment.AUTOMATED, Enrollment.DEVICE} == {
        row.enrollment for row in shown.values()
    }
    assert NEVER in {record.last_cloud_backup_at for record in shown.values()}


def test_demo_reports_what_it_declares(shown: dict[str, DeviceRecord]) -> None:
    """The declared signals are those of Jamf Pro without its profiles, and each is known for some device."""
    known = {
        name for name in SIGNALS if any(not isinstance(getattr(row, name), Gap) for row in shown.values())
    }
    assert demo.CONNECTOR.provides == jamf_pro.CONNECTOR.provides - BY_PROFILES == known


@pytest.mark.parametrize(("devices", "nights"), [(1, 1), (3, 2), (200, 1)])
def test_small_fleets_work_too(devices: int, nights: int, tmp_path: Path) -> None:
    """The smallest fleets and shortest stories are read whole on their first and last night."""
    fleet = made_up_fleet(devices, nights, 7)
    for night in (0, nights - 1):
        read_whole = [records(read(source)) for source in demo.demo_sources(fleet, night, LAST, tmp_path)]
        assert sum(map(len, read_whole)) == sum(len(fleet.listed(night, source)) for source in Source)


def test_demo_has_nothing_to_prove() -> None:
    """`doctor` finds nothing wrong with a fleet that needs no server."""
    settings = demo.CONNECTOR.settings.model_validate({"name": "show", "kind": "demo"})
    assert [error for _, error in demo.CONNECTOR.probe(settings, around())] == [None]


def test_a_large_fleet_is_printed_by_another_process_to_the_byte() -> None:
    """Whichever process prints a page, and whoever asks meanwhile, it is the same; the other one ends with its work."""
    sections = frozenset(ALL_SECTIONS)
    orders = [
        Order(LARGE, NIGHTS, 7, night, LAST, list(range(first, first + 5)), sections)
        for night, first in ((0, FIRST_ID), (9, FIRST_ID + 400), (NIGHTS - 1, FIRST_ID + LARGE - 5))
    ]
    with press_for(LARGE) as press, ThreadPoolExecutor(3) as threads:
        assert list(threads.map(press, orders)) == [printed(order) for order in orders]
        assert press is not printed
    assert multiprocessing.active_children() == []
    with press_for(LARGE - 1) as press:
        assert press is printed


def test_whoever_prints_ends_quietly_when_nobody_takes_the_page(capfd: pytest.CaptureFixture[str]) -> None:
    """Somebody who ends between order and page, as by Ctrl-C, leaves neither a process nor its traceback."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(its,))
    process.start()
    its.close()
    ours.send(Order(LARGE, NIGHTS, 7, 0, LAST, [FIRST_ID], frozenset(ALL_SECTIONS)))
    ours.close()
    process.join()
    assert process.exitcode == 0
    assert capfd.readouterr().err == ""
