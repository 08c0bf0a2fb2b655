"""Who runs in the benchmark: fleetkeep as it is installed, the floor, and the peers that users would pick."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tests.benchmarks.jamf_fleet import moment
from tests.benchmarks.jamf_server import ROOT, SECRET
from tests.benchmarks.measured import Cost, measure, size

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE_SIZE = 500
"""What fleetkeep asks for where nothing else is set."""


@dataclass(frozen=True, slots=True)
class Result:
    """One night of one contender; bytes.

    Attributes:
        stages: seconds of CPU of each part, where it tells them; and of the clock in `waits`.
    """

    cost: Cost
    database: int
    report: int
    stages: Mapping[str, float] = field(default_factory=dict[str, float])
    waits: Mapping[str, float] = field(default_factory=dict[str, float])


class Contender(Protocol):
    """Somebody who can do a night."""

    @property
    def name(self) -> str:
        """As the table calls it."""
        ...

    def night(self, number: int) -> Result:
        """Do that night."""
        ...


@dataclass(frozen=True, slots=True)
class Fleetkeep:
    """The installed command with a settings file."""

    url: str
    folder: Path
    name: str = "fleetkeep"

    def night(self, number: int) -> Result:
        """`fleetkeep run` at the clock of that night."""
        settings = self.settle()
        command = [installed(), "--config", str(settings), *self.arguments(number)]
        cost = measure(command, self.folder, SECRETS)
        stages, waits = self.told()
        return Result(
            cost,
            database=size(*self.folder.glob("fleetkeep.db*")),
            report=size(self.folder / "reports-out" / "latest"),
            stages={"start": cost.cpu - sum(stages.values()), **stages},
            waits=waits,
        )

    def settle(self) -> Path:
        """Make the folder and the settings file in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "fleetkeep.toml"
        settings.write_text(_SETTINGS.format(url=self.url), encoding="utf-8")
        settings.chmod(0o600)
        return settings

    @staticmethod
    def arguments(number: int) -> list[str]:
        """What the command is asked for on that night."""
        return ["run", "--as-of", f"{moment(number):%Y-%m-%dT%H:%M:%SZ}"]

    def told(self) -> tuple[dict[str, float], dict[str, float]]:
        """The stages of the last run: seconds of CPU of each, and of the clock."""
        told: dict[str, Any] = json.loads((self.folder / "reports-out" / "last_run.json").read_text("utf-8"))
        cpu = {stage["name"]: float(stage["cpu_seconds"]) for stage in told["stages"]}
        return cpu, {stage["name"]: float(stage["seconds"]) for stage in told["stages"]}


SECRETS = {"JAMF_SECRET": SECRET}
_SETTINGS = """\
[catalog]
refresh = false

[[source]]
name = "hq"
kind = "jamf_pro"
url = "{url}"
client_id = "reader"
client_secret = {{ env = "JAMF_SECRET" }}
"""


def installed() -> str:
    """The command that the installation of this Python put into its folder of scripts."""
    found = shutil.which("fleetkeep", path=str(Path(sys.executable).parent)) or shutil.which("fleetkeep")
    if found is None:
        sys.exit("fleetkeep is not installed: pip install -e '.[test]'")
    return found


@dataclass(frozen=True, slots=True)
class Floor:
    """The least program."""

    url: str
    folder: Path
    name: str = "floor"

    def night(self, number: int) -> Result:
        """One night in the same folder as the one before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        arguments = [self.url, SECRET, str(self.folder), moment(number).isoformat()]
        command = [sys.executable, "-m", "tests.benchmarks.floor", *arguments]
        cost = measure(command, ROOT, {"PYTHONHASHSEED": "0"})
        return Result(
            cost,
            database=size(*self.folder.glob("floor.db*")),
            report=size(self.folder / "devices.csv", self.folder / "index.html"),
        )


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody else's program, in a virtual environment of its own.

    Attributes:
        requirement: what is installed there.
        script: its file beside this one, in `peers`.
        kept: the file that it leaves: rows or a database.
    """

    name: str
    requirement: str
    script: str
    kept: str
    url: str
    folder: Path

    def night(self, number: int) -> Result:  # noqa: ARG002 - peers know one night only
        """Fetch everything into a fresh folder."""
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        script = Path(__file__).parent / "peers" / self.script
        cost = measure([str(self._python), str(script), self.url, SECRET, str(work)], work)
        return Result(cost, database=size(work / self.kept), report=0)

    def install(self) -> str | None:
        """Make its environment; why that did not work, or None."""
        if self._python.exists():
            return None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for command in (
                [sys.executable, "-m", "venv", str(self.folder / "venv")],
                [str(self._python), "-m", "pip", "install", "--quiet", self.requirement],
            ):
                subprocess.run(command, check=True, capture_output=True)
        except (subprocess.CalledProcessError, OSError):
            shutil.rmtree(self.folder / "venv", ignore_errors=True)
            return f"{self.name} could not be installed: pip install {self.requirement} failed"
        return None

    @property
    def _python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"


def peers(url: str, folder: Path) -> list[Peer]:
    """What an admin would take in place of fleetkeep to have the devices in a file or a database."""
    told = (
        ("jamf-pro-sdk to CSV", "jamf-pro-sdk>=0.9a1", "jamf_pro_sdk_to_csv.py", "devices.csv"),
        ("dlt to DuckDB", "dlt[duckdb]>=1", "dlt_to_duckdb.py", "devices.duckdb"),
    )
    return [
        Peer(name, requirement, script, kept, url, folder / script.removesuffix(".py"))
        for name, requirement, script, kept in told
    ]
