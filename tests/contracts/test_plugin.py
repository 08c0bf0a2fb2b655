"""A connector in a package of its own: installed, found, read, and held to the contract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.contract import ConnectorContract, Sample
from tests.example_plugin import fleetkeep_acme
from tests.servers.loopback import Asked, Loopback, Reply, reply

PACKAGE = Path(__file__).parent.parent / "example_plugin"
SETTINGS = """\
[catalog]
refresh = false

[[source]]
name = "acme"
kind = "acme"
url = "{url}"
api_key = {{ env = "ACME_KEY" }}
"""


class Acme(Loopback):
    """Seven devices, three a page."""

    def route(self, asked: Asked) -> Reply:
        if asked.headers.get("authorization") != "Bearer right":
            return reply({}, 401)
        start = int(asked.first("offset", "0"))
        return reply([device(number) for number in range(7)][start : start + 3])


def device(number: int) -> dict[str, object]:
    return {
        "id": f"a-{number}",
        "serial": f"FKACME{number}",
        "model": "iPhone14,5",
        "os": "27.0.1",
        "backup": True,
        "backed_up_at": "2026-11-21T03:00:00Z",
        "seen_at": "2026-11-21T05:00:00Z",
        "colour": "a field that nobody asked for",
    }


class TestAcme(ConnectorContract):
    connector = fleetkeep_acme.CONNECTOR

    def sample(self, folder: Path) -> Sample:  # noqa: ARG002 - other kinds write files
        return Sample({"url": "https://acme.example", "api_key": "right"}, Acme().transport)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed beside ours as its author's users would."""
    site = tmp_path_factory.mktemp("site")
    quiet = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *quiet, "--target", str(site), str(PACKAGE)], check=True
    )
    return site


def fleetkeep(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(site), str(PACKAGE.parent.parent), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", "from fleet.cli import main; main()", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "ACME_KEY": "right"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_installed_plug_in_is_a_kind_like_any_other(installed: Path, tmp_path: Path) -> None:
    """Its kind stands in the matrix, `init` prepares it, and `run` reads it."""
    assert "| `acme` |" in fleetkeep(installed, tmp_path, "connectors").stdout
    assert fleetkeep(installed, tmp_path, "init", "prepared.toml", "--kind", "acme").returncode == 0
    assert "Grant: Devices: read" in (tmp_path / "prepared.toml").read_text("utf-8")
    with Acme() as vendor:
        (tmp_path / "fleetkeep.toml").write_text(SETTINGS.format(url=vendor.url), "utf-8")
        run = fleetkeep(installed, tmp_path, "run", "--as-of", "2026-11-22T02:00:00Z")
    assert run.returncode == 0, run.stderr
    assert "acme: complete, 7 devices" in run.stdout


def test_the_example_is_as_short_as_the_readme_says() -> None:
    """Sixty lines of code make a connector."""
    text = (PACKAGE / "fleetkeep_acme.py").read_text("utf-8")
    code = [line for line in text.splitlines() if line.strip() and not line.startswith(('"""', "#"))]
    assert len(code) <= 60
