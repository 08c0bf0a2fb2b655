"""`doctor` on the way to a server: certificate, clock and proxy, and who may read this machine's files."""

from __future__ import annotations

import json
import os
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from connectors._greeting import Greeting, greeting
from connectors._network import network
from connectors.simplemdm import CONNECTOR
from fleet.cli.examine.servers import met_lines, proxied, servers
from tests.command import jamf_source
from tests.servers.jamf import JamfServer

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from connectors._connector import SourceSettings
    from tests.command import Office

NOW = datetime(2026, 11, 22, 2, tzinfo=UTC)
ENDS = datetime(2037, 1, 1, tzinfo=UTC)  # judged by the real clock too, by TLS


class Quiet(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert not self.headers.get("Authorization"), "a stranger shows no credential"
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - the library's
        return "Sun, 22 Nov 2026 02:03:00 GMT"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@contextmanager
def over_tls(folder: Path) -> Generator[SourceSettings]:
    """A source whose server has a certificate of an authority of its own, good until `ENDS`."""
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    leaf = authority.issue_cert("localhost", not_after=ENDS)
    leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType]
    server = HTTPServer(("127.0.0.1", 0), Quiet)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield CONNECTOR.settings.model_validate(
            {
                "name": "hq",
                "kind": "simplemdm",
                "url": f"https://localhost:{server.server_address[1]}/api/v1",
                "api_key": "made up",
                "verify": str(folder / "ca.pem"),
            }
        )
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_tells_its_clock_and_certificate(tmp_path: Path) -> None:
    """Over a real socket, before any credential: the end of the certificate, and three minutes between the clocks."""
    with over_tls(tmp_path) as settings:
        (line,) = servers(settings, "source hq", lambda: NOW)
        assert (line.level, line.what) == ("warning", "source hq")
        assert "this clock is 180 seconds behind localhost's" in line.said
        (well,) = servers(settings, "source hq", lambda: NOW + timedelta(minutes=3))
        assert (well.level, well.said) == (
            "ok",
            "localhost answers, certificate until 2037-01-01, clocks agree",
        )
        stranger = settings.model_copy(update={"verify": True})
        assert list(servers(stranger, "source hq", lambda: NOW)) == []


def test_a_server_that_does_not_answer() -> None:
    """Nothing is said here: the line about the login will tell what is wrong."""
    origin = httpx.URL("http://127.0.0.1:9/")
    settings = CONNECTOR.settings.model_validate({"name": "hq", "kind": "simplemdm", "api_key": "made up"})
    with network(settings, origin, 1) as transport:
        assert greeting(transport, origin, 2) is None


@pytest.mark.parametrize(
    ("apart", "days", "levels", "said"),
    [
        (timedelta(0), 100, ["ok"], "clocks agree"),
        (timedelta(seconds=60), 100, ["ok"], "clocks agree"),
        (timedelta(seconds=-61), 100, ["warning"], "61 seconds ahead of"),
        (timedelta(minutes=6), 100, ["error"], "360 seconds behind"),
        (timedelta(0), 14, ["warning"], "ends on 2026-12-06"),
        (timedelta(hours=9), 3, ["error", "warning"], "tell who runs that server"),
    ],
)
def test_what_an_answer_tells(apart: timedelta, days: int, levels: list[str], said: str) -> None:
    """A clock that is off and a certificate that ends soon are said apart, each with what to do."""
    met = Greeting(NOW + apart, NOW + timedelta(days=days))
    lines = list(met_lines(met, "mdm.example", "source hq", NOW))
    assert [line.level for line in lines] == levels
    assert any(said in line.said for line in lines)


def test_the_proxy_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which way it went is said; what the proxy's address carries besides host and port is not."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:canary@proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert proxied(httpx.URL("https://mdm.example/")) == " by the proxy proxy.example:3128"


@pytest.mark.sqlite_file
@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX")
def test_who_else_may_read_and_write(office: Office) -> None:
    """Files that others may read or change are named with the command that ends it."""
    with JamfServer() as server:
        office.configure(jamf_source(server))
        assert office("run").code == 0
        assert "ok       permissions: settings, database and reports" in office("doctor").out
        office.database.chmod(0o644)
        (office.folder / "fleetkeep.toml").chmod(0o644)
        warned = office("doctor")
        (office.folder / "fleetkeep.toml").chmod(0o666)
        broken = office("doctor", "--json")
    assert warned.code == 0
    assert "chmod o-r it" in warned.out
    assert f"others on this computer may open {office.database}" in warned.out
    assert broken.code == 2
    told = json.loads(broken.out)
    assert (told["schema"], told["worst"]) == ("fleetkeep.doctor/1", "error")
    errors = [line for line in told["lines"] if line["level"] == "error"]
    assert [line["what"] for line in errors] == ["permissions"]
    assert "chmod 0600" in errors[0]["message"]


def test_a_new_settings_file_is_for_its_owner_alone(office: Office) -> None:
    """What `init` writes gives the doctor no reason to complain."""
    assert office("init").code == 0
    assert (office.folder / "fleetkeep.toml").stat().st_mode & 0o077 == 0
