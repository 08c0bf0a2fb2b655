"""The pages in `docs/` tell the truth: they are made from the code, or what they show is run here."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from connectors import registry
from connectors._connector import SourceSettings
from fleet import settings
from fleet.checks import CHECKS
from fleet.model.policy import Policy
from fleet.settings import load
from reports._format import ReportContext
from reports.notify.registry import CHANNELS
from reports.registry import OWN_FORMATS
from tests import reference
from tests.fleet_of import a_case, a_device
from tests.reports.made_up import at_risk, protected, run_of

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TOML = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL))
]
MODELS = [
    *(
        settings.DatabaseKeys,
        settings.Report,
        settings.Privacy,
        settings.Run,
        settings.Catalog,
        settings.WaiverKeys,
    ),
    *(SourceSettings, *(channel.settings for channel in CHANNELS.values())),
]


@pytest.mark.parametrize("path", [*reference.pages()], ids=lambda path: path.stem)
def test_a_page_that_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    """Whoever reads a page reads this version; else run `python -m tests.reference`."""
    assert path.read_text("utf-8") == reference.pages()[path]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_key_of_the_settings_has_a_meaning(model: type[BaseModel]) -> None:
    """No admin has to guess what a key does: its model's docstring says it."""
    assert set(model.model_fields) <= set(reference.meanings(model))


def test_every_threshold_has_a_meaning() -> None:
    """Likewise the policy; and no meaning is left of a threshold that went."""
    assert set(reference.meanings(Policy)) == set(Policy.__dataclass_fields__)


@pytest.mark.parametrize("block", TOML)
def test_the_examples_are_settings_that_the_program_reads(block: str, tmp_path: Path) -> None:
    """What a reader copies works."""
    path = tmp_path / "fleetkeep.toml"
    path.write_text(block, "utf-8")
    load(
        path,
        registry.SettingsModels(),
        known_checks=[check.id for check in CHECKS],
        known_formats=list(OWN_FORMATS),
        channels={kind: channel.settings for kind, channel in CHANNELS.items()},
    )


@pytest.mark.parametrize("page", [*PAGES, ROOT / "SECURITY.md"], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    """A page, file or heading that a page names is there."""
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text("utf-8")):
        leads_to = page.parent / target if target else page
        assert leads_to.exists(), target
        if anchor:
            assert anchor in _anchors(leads_to), f"{target}#{anchor}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_check_of_the_guide_for_authors_judges() -> None:
    """Copied as it stands, it finds, clears, and cannot guess."""
    check = _example("CHECK")
    for roaming, verdict in ((True, "Found"), (False, "Clear")):
        assert type(check.judge(a_case(a_device(roaming=roaming)))).__name__ == verdict


def test_the_format_of_the_guide_for_authors_writes(tmp_path: Path) -> None:
    """Copied as it stands, it lists exactly the devices at risk."""
    fleet = [protected(1), at_risk(2), at_risk(3)]
    writer = _example("FORMAT").open(tmp_path, ReportContext(as_of=datetime(2026, 11, 22, 2, tzinfo=UTC)))
    for report in fleet:
        writer.device(report)
    (written,) = writer.finish(run_of(fleet))
    rows = (tmp_path / written.name).read_text("utf-8").split()
    assert rows == ["serial", *(str(report.device.serial) for report in fleet[1:])]
    assert written.rows == len(fleet) - 1


def _example(name: str) -> Any:  # noqa: ANN401 - a check or a format
    page = (ROOT / "docs" / "extending.md").read_text("utf-8")
    (block,) = [
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if f"\n{name} = " in block
    ]
    scope: dict[str, Any] = {}
    exec(block, scope)  # noqa: S102 - our own page
    return scope[name]
