"""What concerns the fleet as a whole, on whole nights: the number beside it leads to exactly the devices it counts."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from fleet.model.fact import NOT_PERMITTED
from fleet.model.outage import Outage, SystemStatus
from fleet.model.waiver import Waiver
from tests.fleet_of import Value, days
from tests.nightly.a_night import Heard, Office, a_phone, a_source, night, serial
from tests.reports.made_up import writer

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device import DeviceRecord
    from fleet.store.database import Database

pytestmark = pytest.mark.browser

HOUR = timedelta(hours=1)
LYON, NICE = range(1, 16), range(16, 76)
STOPPED = 5
AT = 13


@pytest.fixture
def office(sqlite_database: Database) -> Office:
    """An office without a past."""
    return Office(sqlite_database)


def lyon(at: int, **signals: Value) -> list[DeviceRecord]:
    """The iPads of Lyon: stopped on one day, but for one that goes on, one that stopped later, one that hides when."""
    last = night(STOPPED) - HOUR
    others: dict[int, Value] = {13: night(at) - HOUR, 14: night(STOPPED) + days(1), 15: NOT_PERMITTED}
    return [
        a_phone(number, at, **{"site": "Lyon", "last_cloud_backup_at": others.get(number, last), **signals})
        for number in LYON
    ]


def nice(at: int) -> list[DeviceRecord]:
    """The iPads of Nice, all of them well."""
    return [a_phone(number, at, site="Nice") for number in NICE]


def opened(page: Page, heard: Heard, folder: Path) -> None:
    """The page of a night."""
    report = writer(folder)
    for device in sorted(heard.devices.values(), key=lambda one: one.device.key):
        report.device(device)
    [written] = report.finish(heard.run)
    page.goto((folder / written.name).as_uri())
    page.wait_for_selector("#list:not([hidden])")


def shown(page: Page) -> int:
    """How many devices the list says that it shows."""
    told = re.match(r"[\d,]+", page.locator("#list [role=status]").inner_text())
    assert told
    return int(told[0].replace(",", ""))


@pytest.mark.parametrize(
    ("signals", "factor"),
    [
        ({}, "site"),
        ({"backup_restricted": True}, "restriction"),
        ({"site": NOT_PERMITTED, "os_version": "26.3"}, "os_version"),
        ({"site": NOT_PERMITTED, "groups": ("Ward 3 & co", "Field")}, "group"),
        ({"site": NOT_PERMITTED, "model_name": NOT_PERMITTED, "model_identifier": "iPad7,5"}, "model"),
    ],
)
def test_a_wave_leads_to_its_devices(
    page: Page, office: Office, tmp_path: Path, signals: dict[str, Value], factor: str
) -> None:
    """Those that share what it names and stopped on its day: not who lives there and is well, or stopped later."""
    heard = office.night(AT, a_source([*lyon(AT, **signals), *nice(AT)]))
    (wave,) = heard.run.incidents
    assert (wave.finding.evidence["factor"], wave.devices) == (factor, 12)
    opened(page, heard, tmp_path)
    page.get_by_role("note").get_by_role("link", name="12 devices").click()
    expect(page.get_by_role("status")).to_have_text("12 of 75 devices shown")
    assert page.url.endswith(f"#incident={wave.finding.external_id}")
    page.get_by_role("button", name="Clear filters").click()
    page.locator("summary", has_text="Incident").click()
    page.get_by_role("checkbox", name="stopped together").check()
    expect(page.get_by_role("status")).to_have_text("12 of 75 devices shown")


def test_who_is_waived_or_gone_is_counted_as_the_incident_counts(
    page: Page, office: Office, tmp_path: Path
) -> None:
    """A waived device is none of its devices; one that left the list, or tells nothing tonight, still is."""
    office.with_terms(
        waivers=(
            Waiver(
                checks=("*",),
                serials=(serial(1),),
                reason="kiosk",
                owner="it@contoso.example",
                expires=(night(AT) + days(30)).date(),
            ),
        )
    )
    office.night(AT, a_source([*lyon(AT), *nice(AT)]))
    silent = [
        a_phone(one, AT + 1, site="Lyon", last_cloud_backup_at=NOT_PERMITTED) if one == 2 else record
        for one, record in zip(LYON, lyon(AT + 1), strict=True)
        if one != 3
    ]
    heard = office.night(AT + 1, a_source([*silent, *nice(AT + 1)]))
    (wave,) = heard.run.incidents
    assert (wave.devices, heard.devices[serial(3)].reason) == (11, "gone")
    opened(page, heard, tmp_path)
    page.get_by_role("note").get_by_role("link", name="11 devices").click()
    assert shown(page) == wave.devices


def test_a_wave_of_one_source_among_two(page: Page, office: Office, tmp_path: Path) -> None:
    """Where two sources know a device, the one whose word on the backup counts decides whether it belongs."""
    last = night(STOPPED) - HOUR
    ours = [a_phone(number, AT, last_cloud_backup_at=last) for number in range(1, 13)]
    theirs = [
        a_phone(number, AT, last_cloud_backup_at=NOT_PERMITTED, inventory_at=night(AT) - HOUR)
        for number in range(6, 13)
    ]
    well = [a_phone(number, AT) for number in NICE]
    heard = office.night(AT, a_source(ours, name="old"), a_source([*theirs, *well], name="new"))
    (wave,) = heard.run.incidents
    assert wave.finding.evidence["factor"] == "source"
    opened(page, heard, tmp_path)
    page.get_by_role("note").get_by_role("link", name="12 devices").click()
    assert shown(page) == wave.devices == 12


def test_an_outage_leads_to_whom_it_holds_back(page: Page, office: Office, tmp_path: Path) -> None:
    """While Apple is in trouble, its line leads to the devices whose findings wait, whatever else they have."""
    going = Outage(service="iCloud Backup", kind="Outage", began_at=night(AT - 2))
    rows = [
        *(a_phone(number, AT, last_cloud_backup_at=night(AT - 8) - HOUR) for number in range(1, 10)),
        *(
            a_phone(number, AT, last_cloud_backup_at=night(AT - 9) - HOUR, available_bytes=10**8)
            for number in (10, 11)
        ),
        *nice(AT),
    ]
    heard = office.night(AT, a_source(rows), status=SystemStatus(checked_at=night(AT), outages=(going,)))
    (outage,) = heard.run.incidents
    assert (outage.check, outage.devices) == ("icloud-outage", 11)
    opened(page, heard, tmp_path)
    page.get_by_role("link", name="11 devices held back").click()
    assert shown(page) == 11


def test_a_wave_of_which_tonight_tells_nothing(page: Page, office: Office, tmp_path: Path) -> None:
    """Devices that took another system meanwhile: the number is of the night before, and all of that day are shown."""

    def fleet(at: int, version: str) -> list[DeviceRecord]:
        return [*lyon(at, os_version=version, site="Nice"), *nice(at)]

    office.night(AT, a_source(fleet(AT, "26.5")))
    heard = office.night(AT + 1, a_source(fleet(AT + 1, "26.6")))
    (wave,) = heard.run.incidents
    opened(page, heard, tmp_path)
    line = page.locator(f"[id='d={wave.finding.external_id}']")
    expect(line).to_contain_text(f"12 devices as counted on {night(AT):%Y-%m-%d}")
    line.get_by_role("link", name="all that stopped at that time").click()
    expect(page.get_by_role("status")).to_have_text("12 of 75 devices shown")


def test_a_calm_night_has_no_such_filter(page: Page, office: Office, tmp_path: Path) -> None:
    """Without an incident there is nothing to choose."""
    opened(page, office.night(AT, a_source(nice(AT))), tmp_path)
    assert page.locator("summary", has_text="Incident").count() == 0
