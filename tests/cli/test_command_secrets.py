"""Secrets: what happens without them, and that they turn up nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.command import ROOT, Ended, Json, Office, jamf_source
from tests.servers.jamf import JamfServer
from tests.servers.loopback import Asked, Reply, reply

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "canary-secret-5f1c"
TOKEN = "canary-token-77ab"
NIGHT = "2026-03-02T04:30:00Z"
DEMO = '[[source]]\nname = "made-up"\nkind = "demo"\ndevices = 20\n'


@dataclass(kw_only=True)
class Leaky(JamfServer):
    """A server whose tokens are easy to recognise.

    Attributes:
        token: what it hands out.
        accepts: whether it then takes its own token.
    """

    token: str = TOKEN
    accepts: bool = True

    def _client_token(self, asked: Asked) -> Reply:
        if SECRET.encode() not in asked.body:
            return super()._client_token(asked)
        return reply({"access_token": self.token, "token_type": "Bearer", "expires_in": 1200})

    def _admitted(self, asked: Asked) -> bool:
        return self.accepts and asked.headers.get("authorization") == f"Bearer {self.token}"


def assert_kept(office: Office, ended: Ended, *also: str) -> None:
    """Neither the output nor any file, the database among them, holds a canary."""
    places = {"stdout": ended.out.encode(), "stderr": ended.err.encode(), **office.files()}
    for canary in (SECRET, TOKEN, *also):
        assert [place for place, content in places.items() if canary.encode() in content] == []


def cut_short(_rows: list[bytes]) -> bytes:
    """A list of devices that is no JSON, and has the token in it."""
    return b'"' + TOKEN.encode()


BEHAVIOURS: dict[str, tuple[Json, int]] = {
    "well": ({}, 0),
    "refused": ({"accepts": False}, 4),
    "broken": ({"fail_from_page": 0}, 4),
    "unsendable": ({"token": TOKEN + "\r\nX: y"}, 4),
    "nonsense": ({"page_hook": cut_short}, 4),
}


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(("faults", "code"), BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_no_secret_turns_up_anywhere(office: Office, faults: Json, code: int, log_format: str) -> None:
    """Whatever the server does, neither secret nor token is in the most talkative output or in any file."""
    office.env["JAMF_SECRET"] = SECRET
    with Leaky(devices=3, **faults) as server:
        office.configure(jamf_source(server))
        ended = office("run", "--as-of", NIGHT, "-vv", "--log-format", log_format)
        assert server.count("/api/v1/oauth/token") >= 1
    assert ended.code == code, ended.err
    assert_kept(office, ended)


def test_a_refused_secret_is_not_repeated(office: Office) -> None:
    """A client secret that the server refuses is named by its place, never by its value."""
    office.env["JAMF_SECRET"] = "canary-wrong-0d0d"
    with JamfServer() as server:
        office.configure(jamf_source(server))
        ended = office("run", "--as-of", NIGHT, "-vv")
    assert ended.code == 4
    assert "refused the credential" in ended.err
    assert_kept(office, ended, "canary-wrong-0d0d")


WALKS = {
    "in the connector": 'raise RuntimeError(f"cannot cope with {secret}")\n    yield',
    "in the store": 'yield Page(rows=[DeviceRecord(native_id="1", serial=secret.encode())])',
}


def plug_in(folder: Path, walk: str) -> None:
    """Install a kind of source that breaks with the secret on its lips."""
    (folder / "careless.py").write_text(
        f"""
from pydantic import SecretStr
from connectors._connector import Connector, Page, SourceSettings
from fleet.model.device import DeviceRecord

class Careless(SourceSettings):
    api_key: SecretStr

def walk(settings, around):
    secret = settings.api_key.get_secret_value()
    {walk}

def probe(settings, around):
    yield "login", None

CONNECTOR = Connector(
    kind="careless", title="Careless", settings=Careless, provides=frozenset(["serial"]), permissions=(),
    walk=walk, probe=probe, example="", confirmed="made up",
)
"""
    )
    metadata = folder / "careless-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: careless\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[fleetkeep.connectors]\ncareless = careless:CONNECTOR\n")


AFTERWARDS = {
    "doctor": 0,
    "status": 0,
    "report --redact": 0,
    "report --run 1 --out again": 0,
    "evaluate --as-of 2026-03-02T05:00:00Z": 0,
    "device C39XTEST0001": 0,
    "history --on 2026-03-02": 0,
    "export --profile generic": 0,
    "waivers": 0,
    "catalog show": 0,
    "db check": 0,
    "forget C39XTEST0001": 0,
    "forget nobody@contoso.example": 2,
}


def test_no_command_knows_a_secret(office: Office) -> None:
    """After a run every other command is as silent about secrets, at its most talkative, and so are its files."""
    office.env["JAMF_SECRET"] = SECRET
    with Leaky(devices=3) as server:
        office.configure(jamf_source(server))
        assert office("run", "--as-of", NIGHT).code == 0
        serial = office.report()["devices"][0]["serial"]
        for line, code in AFTERWARDS.items():
            ended = office(*line.replace("C39XTEST0001", serial).split(), "-vv", "--log-format", "json")
            assert ended.code == code or line in {"status", "doctor"}, (line, ended.err)
            assert_kept(office, ended)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("place", WALKS)
def test_a_bug_does_not_spill_the_secret(
    office: Office, place: str, log_format: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A plug-in that breaks, or breaks the store, costs its own source alone, and no secret comes out with it."""
    plugs = tmp_path_factory.mktemp("plugs")
    plug_in(plugs, WALKS[place])
    office.configure('[[source]]\nname = "c"\nkind = "careless"\napi_key = { env = "KEY" }\n', DEMO)
    options = ("--as-of", NIGHT, "-vv", "--log-format", log_format)
    ended = office("run", *options, KEY=SECRET, PYTHONPATH=f"{plugs}{os.pathsep}{ROOT}")
    assert ended.code == 3, ended.err
    assert "source_broke_on_a_bug source=c" in ended.err
    outcomes = {source["name"]: source["outcome"] for source in office.report()["sources"]}
    assert outcomes == {"c": "failed", "made-up": "complete"}
    assert_kept(office, ended)


def test_a_bug_of_the_whole_program(tmp_path: Path) -> None:
    """An error that nobody foresaw ends in one line with its kind and place, without its words, and exit code 70."""
    script = (
        "from fleet.cli import app, main\n"
        "def broken(*_, **__): raise RuntimeError('canary-secret-5f1c')\n"
        "app.app = broken\n"
        "main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (70, "", 1)
    assert "RuntimeError at fleet.cli:" in ended.stderr
    assert SECRET not in ended.stderr


def test_a_missing_secret_costs_its_own_source_alone(office: Office) -> None:
    """An unset variable makes its source failed, by name of the variable; the other source goes on."""
    office.env.clear()
    with JamfServer() as server:
        office.configure(jamf_source(server), DEMO)
        ended = office("run", "--as-of", NIGHT)
        assert server.asked == []
    assert ended.code == 3
    assert "JAMF_SECRET is not set" in ended.err
    first, second = office.report()["sources"]
    assert (first["outcome"], first["problems"][0]["code"]) == ("failed", "secret_unavailable")
    assert (second["outcome"], second["devices"]) == ("complete", 20)
