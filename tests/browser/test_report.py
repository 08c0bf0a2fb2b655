"""The page in Chromium: what a reader with a mouse, a keyboard, a phone or a screen reader meets."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from fleet.model.device_report import PlanStep
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import Severity
from fleet.model.policy import Policy
from fleet.nightly.publish import context_of
from reports import findings_json, tables
from reports._format import ReportContext
from reports._guide import bundled_guide
from reports.html import HtmlReport
from tests.reports.a_run import an_incident
from tests.reports.made_up import (
    AS_OF,
    HOSTILE,
    at_risk,
    believable,
    id_of,
    key_of,
    protected,
    run_of,
    storied,
    unknown,
    write,
)

pytestmark = pytest.mark.browser

FLEET = [
    at_risk(1, name="Amara's iPhone", severity=Severity.CRITICAL),
    at_risk(2, name=HOSTILE, check="backup-disabled"),
    at_risk(3, name="W" * 255),
    unknown(4, name="Ward 3"),
    *(protected(number) for number in range(5, 60)),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write(tmp_path_factory.mktemp("page"), FLEET, run_of(FLEET, title=HOSTILE, before=1)).as_uri()


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["key"])


def names(page: Page) -> list[str]:
    return page.locator("#list tbody th a").all_inner_texts()


def test_the_list_shows_everyone_and_draws_few(page: Page, address: str) -> None:
    """All devices are counted and announced to a screen reader, and only those in sight are drawn."""
    page.goto(address)
    expect(page.get_by_role("status")).to_have_text("59 of 59 devices shown")
    table = page.get_by_role("table", name="Devices")
    expect(table).to_have_attribute("aria-rowcount", "60")
    assert len(names(page)) < 30
    assert names(page)[0] == "Amara's iPhone"
    expect(page.locator("#worst")).to_have_count(0)
    page.locator(".window").evaluate("frame => frame.scrollTop = frame.scrollHeight")
    expect(table.locator("tbody tr").last).to_have_attribute("aria-rowindex", "60")


def test_counts_lead_to_their_devices_and_the_address_can_be_mailed(page: Page, address: str) -> None:
    """A count is a link; the address then holds the view, and opens it again."""
    page.goto(address)
    page.get_by_role("link", name="High 1").first.click()
    expect(page.get_by_role("status")).to_have_text("1 of 59 devices shown")
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("searchbox").fill("USER1")
    expect(page.get_by_role("status")).to_have_text("11 of 59 devices shown")
    page.get_by_role("button", name="Device", exact=True).click()
    page.get_by_role("button", name="Device", exact=True).click()
    mailed, shown = page.url, names(page)
    assert shown[0] == "Phone 19"
    page.goto("about:blank")
    page.goto(mailed)
    assert names(page) == shown
    expect(page.get_by_role("columnheader", name="Device", exact=True)).to_have_attribute(
        "aria-sort", "descending"
    )


@pytest.mark.parametrize("link", [key_of(1), id_of(key_of(1), "backup-stale")])
def test_a_mailed_device_opens_and_closes(page: Page, address: str, link: str) -> None:
    """The key of a device or the id of its finding opens it; Escape closes, and the focus is on its row."""
    page.goto(f"{address}#d={link}")
    dialog = page.get_by_role("dialog", name="Amara's iPhone")
    expect(dialog).to_contain_text("This device would lose data if it broke tonight.")
    for told in (
        "12 days",
        "2026-11-10 02:00 UTC (12 days ago)",
        "2026-11-21 23:00 UTC (3 hours ago) by hq",
        "Switch iCloud Backup on",
        "an administrator, about 2 minutes",
        "64.3 GB",
        "Asset tag: there, but not in a form that we understand.",
    ):
        expect(dialog).to_contain_text(told)
    expect(dialog.get_by_text("Do what enable-backup asks for.")).to_be_visible()
    dialog.get_by_text("How to do it").nth(1).click()
    expect(dialog.get_by_text("Do what wifi-and-power asks for.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Amara's iPhone")).to_be_focused()
    assert "d=" not in page.url


def test_a_device_tells_why_and_what_it_was_like(page: Page, tmp_path: Path) -> None:
    """Causes with what speaks for and against them, what is ruled out, who disagrees, and the weeks before."""
    fleet = [storied(1), protected(2)]
    page.goto(f"{write(tmp_path, fleet).as_uri()}#d={key_of(1)}")
    dialog = page.get_by_role("dialog")
    for told in (
        "Most probable cause: Device storage is full.",
        "Speaks for itonly 3 GB of storage are free",
        "Speaks against ita backup was still made on 2026-11-20",
        "their cures are in the plan: Leave it on Wi-Fi and power overnight.",
        "iCloud Backup is switched off: no, iCloud Backup is switched on.",
        "Battery: hq says 80 % on 2026-11-21 at 23:00 UTC, schools says 40 % on 2026-11-21 at 21:00 UTC; hq counts",
        "Free storage from 40 GB to 10 GB; 3 backups seen since 2026-10-23.",
        "2026-11-1220 GB2026-11-10",
        "iCloud Backup is switched off (high): 2026-08-24 to 2026-09-23",
        "It ends with a backup.",
    ):
        expect(dialog).to_contain_text(told)
    expect(dialog.get_by_role("img")).to_have_attribute(
        "aria-label", "Free storage from 40 GB to 10 GB; 3 backups seen since 2026-10-23"
    )


def test_a_protected_device_tells_who_disagrees_and_where_its_past_is(page: Page, tmp_path: Path) -> None:
    """Sources that contradict one another are quoted of any device; the weeks before are one command away."""
    quiet = replace(protected(1), device=storied(1).device)
    page.goto(f"{write(tmp_path, [quiet]).as_uri()}#d={key_of(1)}")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Battery: hq says 80 %")
    expect(dialog).to_contain_text("This page keeps them for devices at risk.")
    expect(dialog.locator("code")).to_have_text("fleetkeep device FK00000001 --history")


def test_texts_for_the_user_and_for_a_ticket(page: Page, tmp_path: Path) -> None:
    """One button copies what the person needs and nothing else, another what a ticket needs, with the way back."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    fleet = [at_risk(1, name="Amara's iPhone", user_email="amara@contoso.example")]
    address = f"{write(tmp_path, fleet).as_uri()}#d={key_of(1)}"
    page.goto(address)
    page.get_by_role("button", name="Copy text for the user").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    mail = page.evaluate("navigator.clipboard.readText()")
    for told in (
        'Your iPhone 14 "Amara\'s iPhone" (serial number FK00000001) has made no iCloud backup since 2026-11-21.',
        "1. Leave it on Wi-Fi and power overnight (about 1 minute)",
        "   - Do what wifi-and-power asks for.",
        "   It worked when: The backup screen names today.",
    ):
        assert told in mail
    assert "Switch iCloud Backup on" not in mail  # that is for the administrator
    page.get_by_role("button", name="Copy ticket text").click()
    expect(page.get_by_role("button", name="Copied")).to_have_count(2)
    ticket = page.evaluate("navigator.clipboard.readText()")
    for told in (
        "Amara's iPhone (FK00000001, iPhone 14, 26.7.1, user1, amara@contoso.example)",
        f"- High: The last backup is old. It has been so for 12 days. (ticket id {id_of(key_of(1), 'backup')})",
        "1. [admin] Switch iCloud Backup on: It is off.",
        address,
    ):
        assert told in ticket


def test_a_device_that_is_not_in_this_report(page: Page, address: str) -> None:
    """A link to a device of another night says so, instead of showing another device or nothing."""
    page.goto(f"{address}#d={key_of(999)}")
    expect(page.get_by_role("dialog")).to_contain_text("This report holds no device or finding with that id.")


def test_by_keyboard_alone(page: Page, address: str) -> None:
    """Slash, words, Tab, arrows, Enter and Escape are enough to find, read and leave a device."""
    page.goto(address)
    page.wait_for_selector("#list:not([hidden])")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("phone")
    page.locator('#list tbody a[tabindex="0"]').focus()
    for key in ("ArrowDown", "End", "ArrowUp"):
        page.keyboard.press(key)
    focused = page.locator(":focus")
    expect(focused).to_have_text(names(page)[-2])
    name = focused.inner_text()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=name)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()


def test_hostile_names_are_only_names(page: Page, address: str) -> None:
    """Markup in a name is shown, in the list and in the detail, and never becomes an element."""
    page.goto(f"{address}#d={key_of(2)}")
    expect(page.get_by_role("dialog").get_by_role("heading", level=2)).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0


def test_without_script(browser: Browser, address: str) -> None:
    """A browser that runs nothing still shows sources, sentence, causes and the most urgent devices."""
    with browser.new_context(java_script_enabled=False) as context:
        plain = context.new_page()
        plain.goto(address)
        expect(plain.get_by_text("would lose data tonight; 2 more")).to_be_visible()
        expect(plain.locator("#worst tbody tr")).to_have_count(59)
        expect(plain.locator("noscript p")).to_be_visible()


def test_on_paper(page: Page, address: str) -> None:
    """A print holds whole rows and no boxes to scroll: those at risk, or those of the view; then all is as before."""
    page.goto(address)
    page.wait_for_selector("#list:not([hidden])")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#list tbody tr")).to_have_count(3)
    expect(page.get_by_text("3 devices at risk, of 59")).to_be_visible()
    expect(page.locator(".filters")).to_be_hidden()
    assert page.evaluate("document.querySelector('.window').scrollHeight <= innerHeight * 3")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.get_by_role("status")).to_have_text("59 of 59 devices shown")
    page.goto(f"{address}#status=protected")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("#list tbody tr")).to_have_count(55)
    expect(page.get_by_text("55 devices of the chosen view, of 59")).to_be_visible()


def test_every_number_leads_to_exactly_its_devices(page: Page, tmp_path: Path) -> None:
    """Whatever the first page counts is a link, and the list behind it holds as many devices."""
    fleet = [*believable(250), *FLEET]
    page.goto(write(tmp_path, fleet, run_of(fleet, before=9)).as_uri())
    page.wait_for_selector("#list:not([hidden])")
    counted = page.evaluate(FOLLOW_ALL)
    assert len(counted) > 40
    assert [one for one in counted if one["told"] != one["shown"]] == []
    assert page.evaluate(UNLINKED) == []


def test_facets_tell_how_many_they_would_show(page: Page, tmp_path: Path) -> None:
    """A facet counts with all the other filters, its own values add up, and its choice can be taken back."""
    fleet = list(believable(250))
    page.goto(write(tmp_path, fleet).as_uri() + "#status=at_risk")
    page.locator("summary", has_text="Site").click()
    graz = page.get_by_role("checkbox", name="Graz")
    berlin = page.get_by_role("checkbox", name="Berlin")
    told = [int(page.locator("label", has=box).locator(".number").inner_text()) for box in (graz, berlin)]
    graz.check()
    expect(page.get_by_role("status")).to_have_text(f"{told[0]} of 250 devices shown")
    expect(graz).to_be_focused()
    berlin.check()
    expect(page.get_by_role("status")).to_have_text(f"{sum(told)} of 250 devices shown")
    assert page.url.endswith("#status=at_risk&site=Graz&site=Berlin")
    page.keyboard.press("Escape")
    expect(page.locator("summary", has_text="Site")).to_be_focused()
    page.get_by_role("button", name="Remove the filter Site: Berlin").click()
    expect(page.get_by_role("status")).to_have_text(f"{told[0]} of 250 devices shown")


def test_all_columns_can_be_seen(page: Page, address: str) -> None:
    """On a desk the usual columns fit; more than fit are scrolled sideways within the list, not cut off."""
    page.goto(address)
    page.wait_for_selector("#list:not([hidden])")
    assert page.evaluate(
        "document.querySelector('.window').scrollWidth <= document.querySelector('.window').clientWidth"
    )
    page.goto(
        f"{address}#cols=status+name+backup+cause+fix+system+model+user+email+site+department+groups+source"
    )
    page.wait_for_function("document.querySelectorAll('#list thead th').length === 13")
    page.locator(".window").evaluate("frame => frame.scrollLeft = frame.scrollWidth")
    expect(page.locator("#list").get_by_role("columnheader", name="Source")).to_be_in_viewport()


def test_why_and_what_next_are_not_cut(page: Page, tmp_path: Path) -> None:
    """On a desk of 1360 pixels every cause and every next step that there is stands whole in its row."""
    page.set_viewport_size({"width": 1360, "height": 900})
    guide, context = bundled_guide(), context_of(Policy(), "", AS_OF)
    causes, fixes = sorted(context.checks), sorted(guide.fixes)
    pairs = zip_longest(causes, fixes, fillvalue="unexplained")
    report = HtmlReport(tmp_path, context, guide)
    fleet = [
        replace(at_risk(number), cause=cause, plan=(PlanStep(fix=fix, audience="user", why="Because."),))
        for number, (cause, fix) in enumerate(pairs)
    ]
    for one in fleet:
        report.device(one)
    report.finish(run_of(fleet))
    page.goto((tmp_path / "index.html").as_uri())
    page.wait_for_selector("#list:not([hidden])")
    seen = set[str]()
    for place in range(0, len(fleet), 8):
        page.locator(".window").evaluate(f"frame => frame.scrollTop = {44 * place}")
        page.wait_for_timeout(50)
        seen |= set(page.evaluate(CUT_OR_NOT))
    assert [text for text in seen if text.startswith("cut: ")] == []
    assert {guide.fixes[fix].title for fix in fixes} <= seen


CUT_OR_NOT = """() => [...document.querySelectorAll("#list tbody tr")].flatMap((row) =>
  [...row.querySelectorAll("td:nth-child(4) bdi, td:nth-child(5) bdi")].map((one) =>
    `${one.scrollHeight > one.clientHeight || one.scrollWidth > one.clientWidth ? "cut: " : ""}${one.textContent}`))"""


def test_a_mailed_view_opens_at_its_devices(page: Page, address: str) -> None:
    """Whoever opens the link of a filtered list sees that list, and not the first page above it."""
    page.goto(f"{address}#status=protected")
    expect(page.get_by_role("status")).to_have_text("55 of 59 devices shown")
    expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_in_viewport()
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("#list:not([hidden])")
    assert page.evaluate("scrollY") == 0


def test_who_has_been_without_longest_comes_first(page: Page, tmp_path: Path) -> None:
    """Of devices as grave as one another never comes before long ago, and what nobody knows last."""
    ages = {1: AS_OF - timedelta(days=20), 2: NEVER, 3: ABSENT, 4: AS_OF - timedelta(days=90)}
    fleet = [at_risk(number, last_cloud_backup_at=last) for number, last in ages.items()]
    fleet.append(at_risk(5, severity=Severity.CRITICAL))
    page.goto(write(tmp_path, fleet).as_uri())
    page.wait_for_selector("#list:not([hidden])")
    expected = [f"Phone {number}" for number in (5, 2, 4, 1, 3)]
    assert names(page) == expected
    text = (tmp_path / "index.html").read_text(encoding="utf-8").partition('id="worst"')[2]
    assert sorted(expected, key=text.index) == expected


def test_counts_are_those_of_findings_json(page: Page, tmp_path: Path) -> None:
    """What machines read and what people read agree: statuses, standing severities of devices, and who is in which."""
    fleet = list(believable(250))
    machine = findings_json.FORMAT.open(tmp_path, ReportContext(as_of=AS_OF))
    for report in sorted(fleet, key=lambda one: one.device.key):
        machine.device(report)
    machine.finish(run_of(fleet))
    told = json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))
    page.goto(write(tmp_path, fleet).as_uri())
    page.wait_for_selector("#list:not([hidden])")
    for status in ("at_risk", "unknown", "protected", "not_applicable"):
        page.evaluate(f"location.hash = 'status={status}'")
        expected = sorted(one["key"] for one in told["devices"] if one["status"] == status)
        assert len(expected) == told["totals"][status]
        expect(page.get_by_role("status")).to_have_text(f"{len(expected)} of 250 devices shown")
        with page.expect_download() as taken:
            page.get_by_role("button", name="Download as CSV").click()
        assert [row["key"] for row in read_csv(Path(taken.value.path()))] == expected


def test_columns_are_chosen_and_mailed(page: Page, address: str) -> None:
    """Which columns the list shows stands in the address."""
    page.goto(address)
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Free storage").check()
    page.get_by_role("checkbox", name="Model").uncheck()
    heads = page.locator("#list thead th")
    expect(heads.last).to_have_text("Free storage")
    shown = heads.all_inner_texts()
    assert "Model" not in shown
    mailed = page.url
    page.goto("about:blank")
    page.goto(mailed)
    page.wait_for_selector("#list:not([hidden])")
    assert heads.all_inner_texts() == shown


def test_the_rows_shown_can_be_taken_along(page: Page, tmp_path: Path) -> None:
    """The downloaded table is devices.csv, cut to the rows shown: same columns, same guard against formulas."""
    fleet = [*believable(60), at_risk(900, name="=1+1", user_name='a "quoted", name', groups=("-x", "y"))]
    ours = tables.FORMAT.open(tmp_path, ReportContext(as_of=AS_OF))
    page.goto(write(tmp_path, fleet).as_uri())
    for report in sorted(fleet, key=lambda one: one.device.key):
        ours.device(report)
    ours.finish(run_of(fleet))
    with page.expect_download() as taken:
        page.get_by_role("button", name="Download as CSV").click()
    rows, expected = read_csv(Path(taken.value.path())), read_csv(tmp_path / "devices.csv")
    for row, other in zip(rows, expected, strict=True):
        # The page keeps storage in steps of 100 MB.
        assert abs(float(row.pop("free_percent")) - float(other.pop("free_percent"))) < 0.2
        assert row == other


def test_serial_numbers_for_a_bulk_action(page: Page, address: str) -> None:
    """The serial numbers of the rows shown land on the clipboard, one a line."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}#check=backup-stale&sort=name")
    page.get_by_role("button", name="Copy serial numbers").click()
    expect(page.get_by_text("Copied.")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()").split() == ["FK00000001", "FK00000003"]


UNLINKED = """() => {
  // Not of tonight's devices: past nights in the trend, a source's own count of its records, the policy.
  const other = "a[href], script, dialog, .notes, #list, .chart, .small, #sources";
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const text = walker.currentNode.data.trim();
    const counts = /^[0-9,]+$|[0-9,]+ devices?\\b/.test(text);
    if (counts && !walker.currentNode.parentElement.closest(other)) found.push(text);
  }
  return found;
}"""


FOLLOW_ALL = """async () => {
  const number = (text) => Number((text.match(/[0-9,]+/) ?? ["-1"])[0].replaceAll(",", ""));
  const counts = (link) => link.hash.includes("=") && !link.closest("#list");
  const links = [...document.querySelectorAll("main a[href^='#']")].filter(counts);
  const found = [];
  for (const link of links) {
    const followed = new Promise((resolve) => addEventListener("hashchange", resolve, { once: true }));
    location.hash = link.hash;
    await followed;
    const told = number(link.querySelector("strong")?.textContent ?? link.textContent);
    found.push({ link: link.hash, told, shown: number(document.querySelector(".count").textContent) });
  }
  return found;
}"""


def test_the_link_of_an_incident_leads_to_it(page: Page, tmp_path: Path) -> None:
    """What a ticket about the whole fleet links to is its line at the top, and no device's sheet opens over it."""
    incident = an_incident()
    run = replace(run_of(FLEET), incidents=(incident,))
    page.goto(f"{write(tmp_path, FLEET, run).as_uri()}#d={incident.finding.external_id}")
    expect(page.get_by_role("row").nth(1)).to_be_visible()
    line = page.locator(f"[id='d={incident.finding.external_id}']")
    expect(line).to_contain_text(incident.summary)
    expect(line).to_be_in_viewport()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_phone_shows_the_first_filters_and_the_rest_on_demand(page: Page, tmp_path: Path) -> None:
    """At 390 pixels the list is not pushed off the screen by filters, and an age of a year is not cut."""
    page.set_viewport_size({"width": 390, "height": 844})
    fleet = [at_risk(1, last_cloud_backup_at=AS_OF - timedelta(days=371))]
    page.goto(f"{write(tmp_path, fleet).as_uri()}#status=at_risk")
    expect(page.locator("#list .frame")).to_be_in_viewport()
    model = page.locator("summary", has_text="Model")
    expect(model).to_be_hidden()
    page.get_by_role("button", name="More filters").click()
    expect(model).to_be_visible()
    page.get_by_role("button", name="Fewer filters").click()
    expect(model).to_be_hidden()
    backups = page.locator("#list tbody td:nth-child(3)")
    assert backups.first.inner_text().startswith("371 days ago")
    assert page.evaluate(
        "[...document.querySelectorAll('#list tbody td')].every((one) => one.scrollWidth <= one.clientWidth)"
    )
