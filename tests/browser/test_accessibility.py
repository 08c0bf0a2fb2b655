"""WCAG 2.2 AA as far as a machine can tell, and what a reader with a keyboard or a phone meets."""

from __future__ import annotations

from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from fleet.model.brand import Brand
from fleet.model.finding import Severity
from reports._format import ReportContext
from reports.registry import ready
from reports.user_sheets import UserSheets
from tests.reports.made_up import (
    AS_OF,
    CHECKS,
    GUIDE,
    HOSTILE,
    at_risk,
    believable,
    key_of,
    protected,
    run_of,
    storied,
    unknown,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

pytestmark = pytest.mark.browser

FLEET = [
    storied(1),
    at_risk(2, name=HOSTILE, check="backup-disabled", severity=Severity.CRITICAL),
    at_risk(3, name="W" * 255),
    unknown(4, name="iPad محمد"),
    *(protected(number) for number in range(5, 30)),
    *believable(40),
]
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
RULES_ON_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
WIDTHS = pytest.mark.parametrize("width", [1280, 390])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    fleet = list({report.device.key: report for report in FLEET}.values())
    run = run_of(fleet, title=HOSTILE, before=1, hold=True, notes=("The catalogue is old.",))
    return write(tmp_path_factory.mktemp("page"), fleet, run).as_uri()


def violations(page: Page) -> list[str]:
    """What axe has to say against the page as it stands, and then against its colours in the dark.

    Names, roles, order and sizes are the same in both colour schemes: the rules on colours alone are asked twice.
    """
    light = violated(page, RULES)
    page.emulate_media(color_scheme="dark")
    return [*light, *(f"in the dark, {one}" for one in violated(page, RULES_ON_COLOURS))]


def violated(page: Page, rules: Mapping[str, object]) -> list[str]:
    """What axe has to say by these rules."""
    axe: Any = import_module("axe_playwright_python.sync_playwright").Axe()  # a package without types
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = axe.run(page, options=options).response["violations"]
    return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def as_it_opens(page: Page) -> None:
    page.wait_for_selector("#list:not([hidden])")


def with_everything_unfolded(page: Page) -> None:
    as_it_opens(page)
    page.evaluate("document.querySelectorAll('details:not(.drop)').forEach((one) => (one.open = true))")


def with_a_filter(page: Page) -> None:
    as_it_opens(page)
    page.locator("summary", has_text="Site").click()
    page.get_by_role("checkbox").first.check()


def with_a_device(page: Page) -> None:
    page.evaluate(f"location.hash = 'd={key_of(1)}'")
    page.wait_for_selector("dialog[open]")
    page.evaluate("document.querySelectorAll('dialog details').forEach((one) => (one.open = true))")


@WIDTHS
@pytest.mark.parametrize("look", [as_it_opens, with_everything_unfolded, with_a_filter, with_a_device])
def test_axe_finds_nothing(page: Page, address: str, width: int, look: Callable[[Page], None]) -> None:
    """Names, roles, contrast, order and sizes hold in both colour schemes, on a desk and on a phone."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(address)
    look(page)
    assert violations(page) == []


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The other pages that a run can leave: a person's sheet, the list of sheets, and the portfolio."""
    folder = tmp_path_factory.mktemp("papers")
    brand = Brand(logo="data:image/gif;base64,R0lGODlhAQABAAAAACw=", accent="#7a1fa2", footer=HOSTILE)
    context = ReportContext(as_of=AS_OF, checks=CHECKS, brand=brand)
    fleet = [at_risk(n, site=site, user_name=HOSTILE) for n, site in enumerate(("Graz", HOSTILE, "Leipzig"))]
    for writer in (UserSheets(folder, context, GUIDE), ready(["html"], "site")[-1].open(folder, context)):
        for report in fleet:
            writer.device(report)
        writer.finish(run_of(fleet, title=HOSTILE))
    [sheet] = [path for path in (folder / "user-sheets").iterdir() if path.name != "index.html"]
    places = {
        "sheet": sheet,
        "sheets": folder / "user-sheets" / "index.html",
        "portfolio": folder / "slices" / "index.html",
    }
    return {name: path.as_uri() for name, path in places.items()}


@WIDTHS
@pytest.mark.parametrize("paper", ["sheet", "sheets", "portfolio"])
def test_axe_finds_nothing_on_other_pages(page: Page, papers: dict[str, str], paper: str, width: int) -> None:
    """Sheets and portfolio hold to the same, in the colours of a brand, and need no sideways scroll either."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(papers[paper])
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_axe_is_awake(page: Page) -> None:
    """The judge of the test above does find what is wrong, be it only in the dark."""
    dark = "<style>@media (prefers-color-scheme: dark) { h1 { color: #eee } }</style>"
    page.set_content(
        f"<html lang='en'><title>x</title>{dark}<main><h1>Heading</h1><button></button></main></html>"
    )
    found = [one.partition(":")[0] for one in violations(page)]
    assert found == ["button-name", "in the dark, color-contrast"]


@pytest.mark.parametrize("look", [with_everything_unfolded, with_a_filter, with_a_device])
def test_nothing_is_scrolled_sideways_on_a_phone(
    page: Page, address: str, look: Callable[[Page], None]
) -> None:
    """At 390 pixels, which is also 1280 at 330 %, neither the page nor a device needs a sideways scroll."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    look(page)
    for measured in ("document.documentElement", "document.querySelector('dialog')"):
        assert page.evaluate(f"{measured}.scrollWidth <= {measured}.clientWidth")


def test_headings_are_in_order(page: Page, address: str) -> None:
    """No level is skipped, in the page or in a device's detail."""
    page.goto(address)
    as_it_opens(page)
    with_a_device(page)
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_focus_is_always_seen(page: Page, address: str) -> None:
    """Whatever the Tab key reaches has an outline, and nothing on its way is invisible or covered."""
    page.goto(address)
    as_it_opens(page)
    reached: set[str] = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen = page.evaluate(FOCUSED)
        assert seen["outline"] >= 2, seen
        assert seen["visible"], seen
        reached.add(seen["text"])
    assert len(reached) > 40


def test_who_wants_less_motion_gets_none(page: Page, address: str) -> None:
    """Nothing scrolls smoothly or moves where the system asks for less motion."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(address)
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    assert page.evaluate("document.getAnimations().length") == 0


def test_a_name_from_right_to_left_turns_nothing_around_it(page: Page, address: str) -> None:
    """What follows a hostile or Arabic name stands where it would stand after any other."""
    page.goto(f"{address}#sort=name")
    as_it_opens(page)
    places = page.evaluate(
        "[...document.querySelectorAll('#list tbody tr')].map((tr) => tr.children[2].getBoundingClientRect().left)"
    )
    assert len(set(places)) == 1
    expect(page.locator("h1 bdi")).to_contain_text("img src=x")


FOCUSED = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.left + Math.min(box.width, 20) / 2, box.top + box.height / 2);
  return {
    text: `${element.textContent.trim().slice(0, 60)} at ${Math.round(box.top + scrollY)}`,
    outline: parseFloat(style.outlineWidth),
    visible: box.width > 0 && box.height > 0 && (top === null || element.contains(top) || top.contains(element)),
  };
}"""
