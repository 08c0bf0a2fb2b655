"""The real command in a process of its own, in a folder with a settings file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.kept_warm import SECONDS, Begun, Ended, Warm
from tests.servers.jamf import JamfServer

__all__ = ["Ended", "Office", "by_serial", "fleetkeep", "jamf_source", "started"]

ROOT = Path(__file__).parent.parent
SECRET = JamfServer.client_secret
FILES = {"devices.csv", "findings.csv", "findings.json", "index.html", "manifest.json", "metrics.prom"}
Json = dict[str, Any]

_SCRIPT = Path(sys.executable).with_name("fleetkeep")
COMMAND = [str(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-c", "from fleet.cli import main; main()"]


def started(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """The command under way; it sees the settings of `cwd` and of nobody else."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=cwd,
        env=_environment(cwd, env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _environment(cwd: Path, env: dict[str, str] | None) -> dict[str, str]:
    surroundings = {name: value for name, value in os.environ.items() if name != "FLEETKEEP_CONFIG"}
    own = {
        "PYTHONPATH": str(ROOT),
        "XDG_CONFIG_HOME": str(cwd),
        "XDG_CONFIG_DIRS": str(cwd),
        "XDG_CACHE_HOME": str(cwd),
        # Whatever a test forgot to switch off ends at a closed door of this machine.
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1,localhost",
        "COLUMNS": "110",
    }
    return {**surroundings, **own, **(env or {})}


def fleetkeep(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> Ended:
    """Run the command to its end, which has to come within two minutes."""
    if hasattr(os, "fork") and not any(name.startswith("PYTHON") for name in env or {}):
        return _warm().run(arguments, cwd, _environment(cwd, env))
    with started(*arguments, cwd=cwd, env=env) as process:
        out, err = process.communicate(timeout=SECONDS)
        return Ended(process.returncode, out, err)


@cache
def _warm() -> Warm:
    """One warm program for this test process; it ends with it."""
    return Warm(ROOT)


def jamf_source(server: JamfServer, name: str = "hq", **more: object) -> str:
    """The `[[source]]` that reads `server` over its socket, its secret in `JAMF_SECRET`."""
    keys: Json = {"name": name, "kind": "jamf_pro", "url": server.url, "client_id": "reader", **more}
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["[[source]]", *lines, 'client_secret = { env = "JAMF_SECRET" }', ""])


@dataclass
class Office:
    """A folder with `fleetkeep.toml`, a database and a report directory, and an admin at its keyboard.

    Attributes:
        env: what the admin's environment has besides the usual.
        url: of the database.
    """

    folder: Path
    env: dict[str, str] = field(default_factory=lambda: {"JAMF_SECRET": SECRET})
    url: str = "sqlite:///fleetkeep.db"

    @property
    def reports(self) -> Path:
        return self.folder / "reports-out"

    @property
    def database(self) -> Path:
        return self.folder / "fleetkeep.db"

    def configure(self, *sources: str, head: str = "") -> None:
        """Write the settings file: defaults, `head`, and the sources; Apple's feeds are not asked unless it says so."""
        quiet = "" if "[catalog]" in head else "[catalog]\nrefresh = false"
        text = "\n".join([f'[database]\nurl = "{self.url}"', quiet, head, *sources])
        settings = self.folder / "fleetkeep.toml"
        settings.write_text(text, encoding="utf-8")
        settings.chmod(0o600)

    def __call__(self, *arguments: str, **env: str) -> Ended:
        """Run a command to its end."""
        return fleetkeep(*arguments, cwd=self.folder, env={**self.env, **env})

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """A command under way."""
        return started(*arguments, cwd=self.folder, env=self.env)

    def begun(
        self, *arguments: str, limits: dict[str, int] | None = None, says_to: str | None = None
    ) -> Begun:
        """A command under way, begun warm; see `Warm.begin`."""
        env = _environment(self.folder, self.env)
        return _warm().begin(arguments, self.folder, env, limits=limits, says_to=says_to)

    def report(self, name: str = "latest") -> Json:
        """`findings.json` of a run."""
        loaded: Json = json.loads((self.reports / name / "findings.json").read_text(encoding="utf-8"))
        return loaded

    def files(self) -> dict[str, bytes]:
        """Every file below the folder, by its path."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file()
        }


def by_serial(report: Json) -> dict[str, Json]:
    """The devices of a `findings.json` by serial."""
    return {device["serial"]: device for device in report["devices"]}
