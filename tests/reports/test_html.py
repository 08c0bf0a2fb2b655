from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from fleet.errors import OutputError
from fleet.model.brand import Brand
from fleet.model.device_report import PlanStep
from fleet.model.fact import ABSENT, NEVER
from fleet.model.finding import Severity, State
from fleet.model.run import Incident, Outcome
from reports.html import FORMAT, HtmlReport
from reports.html.blob import Blob
from reports.html.columns import Phrases, Prints, Text
from reports.html.headline import headline
from reports.html.numbers import Numbers
from reports.html.personal import Personal
from reports.html.tally import Tally
from reports.html.words import moment
from tests.reports import made_up
from tests.reports.made_up import (
    AS_OF,
    CHECKS,
    HOSTILE,
    at_risk,
    believable,
    protected,
    run_of,
    source,
    unknown,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.model.device_report import DeviceReport


class Page(HTMLParser):
    """A page as someone without a browser reads it: its text, its links, its elements."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._within = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own signature
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style"):
            (self.scripts if self._within == "script" else self.styles).append(data)
        else:
            self.text += f" {data}"

    @property
    def words(self) -> str:
        return " ".join(self.text.split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def head_of(page: Page) -> dict[str, Any]:
    """What the script of the page is told, the columns aside."""
    inside = gzip.decompress(base64.b64decode(page.scripts[-1]))
    length = int.from_bytes(inside[:4], "little")
    return json.loads(inside[4 : 4 + length])


def tally_of(fleet: list[DeviceReport]) -> Tally:
    """What the first page counts of a fleet."""
    tally = Tally()
    for report in fleet:
        tally.add(report)
    return tally


FLEET = [
    at_risk(1, severity=Severity.CRITICAL),
    at_risk(2, check="backup-disabled"),
    at_risk(3),
    unknown(4),
    unknown(5, "not_reported"),
    *(protected(number) for number in range(6, 10)),
]


def test_counts_have_denominators_and_links(tmp_path: Path) -> None:
    """Every number of the summary is the fleet's, says of how many, and leads to its devices."""
    page = Page(write(tmp_path, FLEET))
    assert "3 of 9 devices would lose data tonight; 2 cannot be judged." in page.words
    for expected in (
        "At risk 3 of 9 (33.3 %)",
        "Protected 4 of 9 (44.4 %)",
        "Unknown 2 of 9",
        "Not applicable 0 of 9",
    ):
        assert expected in page.words
    assert "The last backup is old" in page.words
    links = {attributes.get("href") for attributes in page.all("a")}
    assert {
        "#status=at_risk",
        "#status=unknown&reason=stale_data",
        "#check=backup-stale",
        "#check=backup-stale&severity=critical",
        "#source=schools",
    } <= links


def test_sources_stand_above_everything_else(tmp_path: Path) -> None:
    """A failed source is told of before the first count, with its problem and its age; what it never reports, below."""
    words = Page(write(tmp_path, FLEET)).words
    first = words.partition("would lose data")[0]
    assert "✕ Failed schools 0 of 105 read" in first
    assert "schools: page 3 answered HTTP 503; try again (4 times)" in first
    assert "2026-11-13 02:00 UTC (9 days ago)" in first
    assert "Sources read between 9 days ago and this run; 1 of 2 sources not as a whole ·" in first
    assert "· Apple catalogue of 2026-10-05" in first
    assert "hq 105 of 105 read" in first
    assert "Last backup to a computer, Roaming" in words


def test_a_source_that_states_no_total_or_never_answered(tmp_path: Path) -> None:
    """What a source does not state is said to be missing, not made up."""
    silent = replace(source("new", Outcome.FAILED, devices=0), expected=None, facts_at=None)
    words = Page(write(tmp_path, FLEET, run_of(FLEET, sources=(silent,)))).words
    assert "0 total not stated" in words
    assert "this run never" in words


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, "3 of 9 devices would lose data tonight; 2 cannot be judged."),
        (1, "3 of 9 devices would lose data tonight; 2 more at risk than last time; 2 cannot be judged."),
        (8, "3 of 9 devices would lose data tonight; 5 fewer at risk than last time; 2 cannot be judged."),
        (3, "3 of 9 devices would lose data tonight; as many at risk as last time; 2 cannot be judged."),
    ],
)
def test_the_headline_says_how_it_moved(before: int | None, expected: str) -> None:
    """One sentence compares tonight with the run before, where there was one."""
    parts = headline(run_of(FLEET, before=before), tally_of(FLEET))
    assert "".join(part.text for part in parts) == expected


def test_the_first_steps_are_ranked_by_what_a_minute_takes_away(tmp_path: Path) -> None:
    """Each device at risk counts once, with its first step; one minute's work on many comes before ten on few."""
    quick = PlanStep(fix="wifi-and-power", audience="user", why="It was last charged at noon.")
    fleet = [
        *(at_risk(number, severity=Severity.CRITICAL) for number in range(3)),
        *(replace(at_risk(number), plan=(quick,)) for number in range(3, 8)),
        replace(at_risk(9), plan=()),
        protected(10),
    ]
    words = Page(write(tmp_path, fleet)).words.partition("What to do first")[2].partition("Findings by")[0]
    assert "These 2 fixes clear up to 92 % of the risk." in words
    assert "overnight 5 devices 42 % The person with the device, about 1 minute each." in words
    assert words.index("Leave it on Wi-Fi") < words.index("Switch iCloud Backup on 3 devices 50 %")
    assert "Devices at risk without a plan: 1 ." in words


def test_the_fleet_by_age_backup_storage_and_system(tmp_path: Path) -> None:
    """Every device stands in one band of each distribution; a border belongs to the band that is not yet over it."""
    gigabyte = 10**9
    fleet = [
        protected(1, last_cloud_backup_at=AS_OF - timedelta(days=7), available_bytes=10 * gigabyte),
        protected(2, last_cloud_backup_at=AS_OF - timedelta(days=7, minutes=1), os_version="18.7"),
        protected(3, last_cloud_backup_at=NEVER, available_bytes=5 * gigabyte, os_version="beta"),
        protected(4, last_cloud_backup_at=ABSENT, available_bytes=ABSENT),
    ]
    fleet = [replace(one, device=replace(one.device, capacity_bytes=100 * gigabyte)) for one in fleet]
    words = Page(write(tmp_path, fleet)).words.partition("The fleet")[2].partition("Devices")[0]
    for expected in (
        *("1 to 7 days ago 1 25.0 %", "7 to 14 days ago 1", "never 1 25.0 %", "not known 1 25.0 %"),
        *("under 5 % 0 0.0 %", "5 to 10 % 1", "10 to 25 % 1", "50 % and more 1"),
        *("System 26.x 2 50.0 % 18.x 1 25.0 % not known 1", "up to 1 day 4 100.0 %"),
    ):
        assert expected in words


def test_the_trend_is_drawn_and_told(tmp_path: Path) -> None:
    """Up to 30 runs are a drawing with a sentence for those who do not see it, and a table."""
    page = Page(write(tmp_path, FLEET, run_of(FLEET, before=1)))
    [drawing] = [one for one in page.all("svg") if one.get("role") == "img"]
    assert "At risk from 1 to 3, at most 3" in (drawing["aria-label"] or "")
    assert page.all("polyline")[0]["points"] == "0.0,80.0 600.0,0.0"
    assert "The last 2 runs" in page.words
    assert "2026-11-22 02:00 3 2 4 0 Partial 2026-11-21 02:00 1 0 0 0 Complete" in page.words
    assert "The trend begins with the second run." in Page(write(tmp_path, FLEET)).words


def test_at_risk_without_a_backup_problem(tmp_path: Path) -> None:
    """A device with a fresh backup does not count as one that would lose data, whatever else puts it at risk."""
    fleet = [at_risk(1), at_risk(2, check="storage-full"), at_risk(3, check="storage-full")]
    words = Page(write(tmp_path, fleet)).words
    assert "1 of 3 devices would lose data tonight; 3 are at risk in all; 0 cannot be judged." in words
    assert "1 without a recent backup" in words


def test_hints_stand_below_what_puts_devices_at_risk(tmp_path: Path) -> None:
    """Findings of low severity are folded away, and a model that the catalogue lacks is told with its devices."""
    hint = at_risk(2, check="storage-full", severity=Severity.LOW)
    fleet = [at_risk(1), replace(hint, status=protected(2).status, beyond_catalog="model")]
    page = Page(write(tmp_path, fleet))
    assert "1 more of low severity: hints that put no device at risk" in page.words
    assert page.words.index("The last backup is old") < page.words.index("1 more of low severity")
    assert "does not know the model of 1 device : whether" in page.words
    assert "#catalogue=model" in {one.get("href") for one in page.all("a")}


def test_an_empty_fleet(tmp_path: Path) -> None:
    """Without a single device the page is whole, and divides nothing by zero."""
    page = Page(write(tmp_path, [], run_of([], sources=())))
    assert "No device is known yet." in page.words
    assert "No source is set up." in page.words
    assert head_of(page)["rows"] == 0


def test_hold_notes_and_incidents_are_shown(tmp_path: Path) -> None:
    """What is special about tonight stands on the first page."""
    fleet_wide = Incident(
        check="icloud-outage",
        severity=Severity.HIGH,
        summary="Apple reports trouble.",
        devices=9,
        since=AS_OF - timedelta(hours=5),
        finding=FLEET[0].findings[0],
    )
    over = replace(
        fleet_wide, summary="It is over.", finding=replace(fleet_wide.finding, state=State.RESOLVED)
    )
    run = replace(run_of(FLEET, hold=True, notes=("The catalogue is old.",)), incidents=(fleet_wide, over))
    words = Page(write(tmp_path, FLEET, run)).words
    assert "It is over." not in words
    for expected in (
        "on hold",
        "The catalogue is old.",
        "Apple reports trouble. 9 devices held back , since",
        "2026-10-05",
    ):
        assert expected in words


def test_a_wave_that_tonight_cannot_count(tmp_path: Path) -> None:
    """Where tonight's facts do not tell, the number is said to be of the night that knew it, and is no link."""
    seen = AS_OF - timedelta(days=2)
    evidence = {
        "factor": "site",
        "value": "Graz",
        "since": "2026-11-10T00:00:00Z",
        "until": "2026-11-11T00:00:00Z",
    }
    finding = replace(FLEET[0].findings[0], evidence=evidence, last_seen=seen)
    wave = Incident(
        check="backup-wave",
        severity=Severity.HIGH,
        summary="A wave.",
        devices=9,
        since=AS_OF,
        finding=finding,
    )
    page = Page(write(tmp_path, FLEET, replace(run_of(FLEET), incidents=(wave,))))
    assert "A wave. 9 devices as counted on 2026-11-20, since" in page.words
    assert "Tonight they cannot be told from others: all that stopped at that time" in page.words


def test_finding_counts_by_state(tmp_path: Path) -> None:
    """New and waived findings are counted apart from the standing ones."""
    device = at_risk(1)
    waived = replace(device, findings=(replace(device.findings[0], state=State.WAIVED),))
    fresh = at_risk(2)
    fresh = replace(fresh, findings=(replace(fresh.findings[0], state=State.NEW),))
    words = Page(write(tmp_path, [waived, fresh], run_of([waived, fresh], before=1))).words
    assert "New tonight 1 device with 1 finding Reopened none" in words
    assert "Waived, and not counted as standing: 1 device with 1 finding" in words
    assert "Devices, of 2 The last backup is old" in words
    assert "1 50.0 %" in words.partition("Findings by cause")[2]


def test_the_worst_devices_stand_there_without_script(tmp_path: Path) -> None:
    """Without JavaScript the 200 most urgent devices are plain text, those that would lose data first."""
    fleet = [
        *(protected(number) for number in range(300)),
        at_risk(900, name="Ward 3", last_cloud_backup_at=NEVER),
    ]
    words = Page(write(tmp_path, fleet)).words
    plain = words.partition("Probable cause")[2]
    assert "The 200 most urgent of 301 devices." in words
    assert plain.split("Phone")[0].split() == [
        "Ward",
        "3",
        "FK00000900",
        "▲",
        "At",
        "risk",
        "High",
        "never",
        *("No", "visible", "cause"),
    ]
    assert plain.count("FK0000") == 200


def test_nothing_can_run_but_our_own_script(tmp_path: Path) -> None:
    """The policy in the page allows exactly its own style and script, by their hashes, and no request at all."""
    page = Page(write(tmp_path, FLEET))
    [policy] = [
        meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    for kind, text in (("script-src", page.scripts[0]), ("style-src", page.styles[0])):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_nothing_is_fetched_and_no_handler_stands_in_the_markup(tmp_path: Path) -> None:
    """No element names an address outside the page, carries a style or an event handler."""
    page = Page(write(tmp_path, FLEET))
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in ("src", "href", "action", "data", "poster", "srcset"):
                assert (value or "").startswith(("#", "data:,")), (tag, value)
    assert "http" not in page.styles[0] + page.scripts[0]
    assert "innerHTML" not in page.scripts[0]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    """Names, titles, problems and notes that carry markup, templates or half a character change nothing."""
    fleet = [
        at_risk(1, name=HOSTILE),
        at_risk(2, name="W" * 255),
        at_risk(3, name="half \ud800 and \0 and\nnew"),
    ]
    plain = Page(write(tmp_path, [at_risk(1), at_risk(2), at_risk(3)]))
    page = Page(write(tmp_path, fleet, run_of(fleet, title=HOSTILE, notes=(HOSTILE,), before=1)))
    assert [tag for tag, _ in page.elements if tag in ("script", "img")] == ["script", "script"]
    assert "{{ 7*7 }}" in page.words
    assert page.scripts[0] == plain.scripts[0]
    assert page.source.count("</script>") == 2


def test_a_brand_of_ones_own(tmp_path: Path) -> None:
    """Logo, colour and last line are those of the settings; the policy of the page allows the changed style."""
    brand = Brand(logo="data:image/png;base64,AAAA", accent="#7a1fa2", footer="Ask <it@contoso.example>")
    context = made_up.ReportContext(as_of=AS_OF, checks=CHECKS, brand=brand)
    writer = HtmlReport(tmp_path, context, made_up.GUIDE)
    writer.finish(run_of([]))
    page = Page(tmp_path / "index.html")
    assert [one["src"] for one in page.all("img")] == [brand.logo]
    assert "Ask <it@contoso.example>" in page.words
    assert "--accent: #7a1fa2" in page.styles[0]
    digest = base64.b64encode(hashlib.sha256(page.styles[0].encode()).digest()).decode()
    assert digest in page.source


def test_the_same_night_gives_the_same_bytes(tmp_path: Path) -> None:
    """A report made again is the same file."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    assert write(one, list(believable(50))).read_bytes() == write(other, list(believable(50))).read_bytes()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """The file is private, for names stand in it."""
    assert stat.S_IMODE(write(tmp_path, FLEET).stat().st_mode) == 0o600


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    """A page that cannot be written ends in one line that names the file."""
    writer = FORMAT.open(tmp_path / "gone", made_up.ReportContext(as_of=AS_OF, checks=CHECKS))
    writer.device(FLEET[0])
    with pytest.raises(OutputError, match=r"cannot write .*gone/index\.html: No such file"):
        writer.finish(run_of(FLEET))


def test_it_says_how_many_devices_it_wrote(tmp_path: Path) -> None:
    """The manifest's number is that of the devices."""
    writer = HtmlReport(tmp_path, made_up.ReportContext(as_of=AS_OF), made_up.GUIDE)
    for device in FLEET:
        writer.device(device)
    assert [(each.name, each.rows) for each in writer.finish(run_of(FLEET))] == [("index.html", 9)]


def test_texts_of_the_guide_are_stored_once(tmp_path: Path) -> None:
    """However many devices share a fix, its instructions stand in the page once per kind of device."""
    fleet = [at_risk(number) for number in range(40)] + [at_risk(99, model_name="iPad (9th generation)")]
    head = head_of(Page(write(tmp_path, fleet)))
    assert set(head["fixes"]) == {"enable-backup", "wifi-and-power"}
    assert head["howto"]["ipad/26/ipad_hold_home_and_top"]["enable-backup"][0] == "Take the ipad in hand."
    assert len(head["howto"]) == 2
    assert len(head["steps"]) == 2


def test_the_bundled_guide_serves_every_step(tmp_path: Path) -> None:
    """With the guide that is shipped, each fix of a plan has a title and instructions."""
    writer = FORMAT.open(tmp_path, made_up.ReportContext(as_of=AS_OF, checks=CHECKS))
    writer.device(at_risk(1))
    writer.finish(run_of(FLEET[:1]))
    head = head_of(Page(tmp_path / "index.html"))
    [lines] = head["howto"].values()
    assert (
        {fix for fix, steps in lines.items() if steps}
        == set(head["fixes"])
        == {"enable-backup", "wifi-and-power"}
    )


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(days=9), "2026-11-13 02:00 UTC (9 days ago)"),
        (timedelta(hours=47), "2026-11-20 03:00 UTC (47 hours ago)"),
        (timedelta(minutes=119), "2026-11-22 00:01 UTC (119 minutes ago)"),
        (timedelta(seconds=90), "2026-11-22 01:58 UTC (just then)"),
        (-timedelta(hours=3), "2026-11-22 05:00 UTC (3 hours later)"),
    ],
)
def test_ages_are_seen_from_the_report(ago: timedelta, expected: str) -> None:
    """A date carries its zone and its distance from the report's own moment."""
    assert moment(AS_OF - ago, AS_OF) == expected


def test_a_month_old_report_reads_the_same(tmp_path: Path) -> None:
    """No date but those of the run gets onto the page."""
    words = Page(write(tmp_path, FLEET)).words
    dates = set(re.findall(r"\d{4}-\d\d-\d\d", words))
    assert max(dates) == f"{AS_OF:%Y-%m-%d}"
    assert datetime(2026, 10, 1, tzinfo=UTC) < datetime.fromisoformat(f"{min(dates)}T00:00+00:00")


def test_only_what_the_page_cannot_make_again_is_stored() -> None:
    """A fingerprint that follows from what the page holds costs one small number; another stands there whole."""
    prints = Prints()
    prints.extend(["00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"], [1, 0])
    blob = Blob(BytesIO())
    prints.pack(blob)
    assert b"".join(blob.pieces()) == b"\x01\x00" + bytes.fromhex("ffeeddccbbaa99887766554433221100")


def test_sentences_that_differ_in_their_numbers_share_their_wording() -> None:
    """Only plain whole numbers are taken out of a sentence: leading zeros and long digits would not come back."""
    phrases = Phrases()
    phrases.extend(["12 days, 0.5 GB", "7 days, 1.25 GB", "007", "12345678901"])
    blob = Blob(BytesIO())
    spec = phrases.pack(blob)
    assert spec["count"] == 6
    for wording in ("\x1d days, \x1d.\x1d GB\n", "007\n", "12345678901\n"):
        assert wording.encode() in b"".join(blob.pieces())


def test_what_is_made_from_a_name_does_not_repeat_it() -> None:
    """The words of a person's name are left out of what is beside it; other scripts and strangers stay whole."""
    personal = Personal()
    personal.extend_beside(
        ["zoe.muller3@x.example", "Zoë's iPad", "محمد@x.example", "lab@x.example"],
        ["Zoë Müller", "Zoë Müller", "محمد", ABSENT],
    )
    blob = Blob(BytesIO())
    personal.pack(blob)
    assert "\x1ce.\x1cf\x1d@x.example\n" in b"".join(blob.pieces()).decode()
    assert "\x1ca's iPad\n" in b"".join(blob.pieces()).decode()
    assert "محمد@x.example\n" in b"".join(blob.pieces()).decode()


def test_text_that_never_repeats_is_not_indexed() -> None:
    """Serial numbers of a large fleet are stored in the order of the devices, sites once each."""
    serials, sites = Text(), Text()
    for start in range(0, 70_000, 1000):
        serials.extend([made_up.fingerprint(number)[:8] for number in range(start, start + 1000)])
        sites.extend([f"Site {number % 3}" for number in range(start, start + 1000)])
    blob = Blob(BytesIO())
    assert serials.pack(blob)["codes"] is None
    assert sites.pack(blob)["bytes"] == len("\nSite 0\nSite 1\nSite 2\n")


@pytest.mark.parametrize("largest", [0, 1, 255, 256, 65_535, 65_536, 2**32 - 1])
def test_numbers_keep_their_value_in_as_many_bytes_as_they_need(largest: int) -> None:
    """Small numbers and then a large one: each comes back from its bytes, and no byte is stored that is always zero."""
    numbers = Numbers()
    numbers.extend([1, 0, 255])
    numbers.extend([7, largest])
    assert list(numbers) == [1, 0, 255, 7, largest]
    planes = list(numbers.planes())
    assert [sum(plane[row] << 8 * power for power, plane in enumerate(planes)) for row in range(5)] == list(
        numbers
    )
    assert len(planes) == max(1, -(-largest.bit_length() // 8))


def test_a_number_that_no_column_holds_costs_nothing_that_was_there() -> None:
    """What does not fit is a bug; the rows before it stay as they were."""
    numbers = Numbers()
    numbers.extend([3, 70_000])
    for wrong in (-1, 2**32):
        with pytest.raises(OverflowError):
            numbers.extend([5, wrong])
    assert list(numbers) == [3, 70_000]
