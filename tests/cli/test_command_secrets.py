"""Secrets: what happens without them, and that they turn up nowhere."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import ROOT, Ended, Office, jamf_source
from tests.servers.jamf import JamfServer

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

    def _client_token(self, body: bytes) -> Any:
        if SECRET.encode() not in body:
            return super()._client_token(body)
        said = {"access_token": self.token, "token_type": "Bearer", "expires_in": 1200}
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

    def _admitted(self, headers: Any) -> bool:
        return self.accepts and headers.get("authorization") == f"Bearer {self.token}"


def assert_kept(office: Office, ended: Ended, *also: str) -> None:
    """Neither the output nor any file, the database among them, holds a canary."""
    places = {"stdout": ended.out.encode(), "stderr": ended.err.encode(), **office.files()}
    for canary in (SECRET, TOKEN, *also):
        assert [place for place, content in places.items() if canary.encode() in content] == []


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({}, 0),
        ({"accepts": False}, 4),
        ({"fail_from_page": 0}, 4),
        ({"token": TOKEN + "\r\nX: y"}, 4),
        ({"page_hook": lambda _rows: b'"' + TOKEN.encode()}, 4),
    ],
    ids=["well", "refused", "broken", "unsendable", "nonsense"],
)
def test_no_secret_turns_up_anywhere(office: Office, faults: dict[str, Any], code: int, log_format: str) -> None:
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


def plug_in(folder: Path) -> None:
    """Install a kind of source that breaks with the secret on its lips."""
    (folder / "careless.py").write_text(
        '''
from pydantic import SecretStr
from connectors._connector import Connector, SourceSettings

class Careless(SourceSettings):
    api_key: SecretStr

def walk(settings, around):
    secret = settings.api_key.get_secret_value()
    raise RuntimeError(f"cannot cope with {secret}")
    yield

def probe(settings, around):
    yield "login", None

CONNECTOR = Connector(
    kind="careless", title="Careless", settings=Careless, provides=frozenset({"serial"}), permissions=(),
    walk=walk, probe=probe, example="", confirmed="made up",
)
'''
    )
    metadata = folder / "careless-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: careless\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[fleetkeep.connectors]\ncareless = careless:CONNECTOR\n")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_bug_does_not_spill_the_secret(office: Office, log_format: str, tmp_path_factory: Any) -> None:
    """A plug-in that breaks with a secret in its error costs its own source alone, and the error's words stay out."""
    plugs = tmp_path_factory.mktemp("plugs")
    plug_in(plugs)
    office.configure('[[source]]\nname = "c"\nkind = "careless"\napi_key = { env = "KEY" }\n', DEMO)
    ended = office(
        "run", "--as-of", NIGHT, "-vv", "--log-format", log_format, KEY=SECRET, PYTHONPATH=f"{plugs}{os.pathsep}{ROOT}"
    )
    assert ended.code == 3, ended.err
    assert "RuntimeError" in ended.err
    assert "careless.py" in ended.err
    outcomes = {source["name"]: source["outcome"] for source in office.report()["sources"]}
    assert outcomes == {"c": "failed", "made-up": "complete"}
    assert_kept(office, ended)


def test_a_missing_secret_costs_its_own_source_alone(office: Office) -> None:
    """An unset variable makes its source failed, by name of the variable; the other source goes on."""
    office.env.clear()
    with JamfServer() as server:
        office.configure(jamf_source(server), DEMO)
        ended = office("run", "--as-of", NIGHT)
        assert server.requests == []
    assert ended.code == 3
    assert "JAMF_SECRET is not set" in ended.err
    first, second = office.report()["sources"]
    assert (first["outcome"], first["problems"][0]["code"]) == ("failed", "secret_unavailable")
    assert (second["outcome"], second["devices"]) == ("complete", 20)
