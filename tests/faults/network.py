"""Rows 10 and 30: certificates that cannot be trusted, and ways to a server that lead nowhere."""

from __future__ import annotations

import ssl
import time
import warnings
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import trustme

from tests.command import jamf_source
from tests.faults.table import NIGHT, Fault, Scene, Seen, outcomes, serials
from tests.servers.jamf import JamfServer
from tests.servers.raw import listening

if TYPE_CHECKING:
    from pathlib import Path


def certificates(scene: Scene) -> Seen:
    """Four servers with TLS that nobody may trust, each asked by a source that names our authority."""
    ca, folder = trustme.CA(), scene.office.folder
    ca.cert_pem.write_to_path(folder / "ca.pem")
    reached: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(well := JamfServer())
        sources = [jamf_source(well, "well")]
        for name, context in presented(ca, folder).items():
            port = stack.enter_context(listening(lambda _, name=name: reached.append(name), context))
            source = jamf_source(well, name, verify=str(folder / "ca.pem"))
            sources.append(source.replace(well.url, f"https://localhost:{port}"))
        scene.office.configure(*sources)
        ended = scene.office("run", "--as-of", NIGHT)
    assert outcomes(scene.office) == {
        "well": "complete",
        **dict.fromkeys(("expired", "self-signed", "wrong-host", "tls-1-0"), "failed"),
    }
    assert reached == []
    assert "request_retried" not in ended.err
    return Seen(ended, ("none of the four was ever spoken to", "nothing retried", "the fifth is complete"))


def presented(ca: trustme.CA, folder: Path) -> dict[str, ssl.SSLContext]:
    """Each server's side of TLS."""
    made = {
        name: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for name in ("expired", "self-signed", "wrong-host", "tls-1-0")
    }
    install(ca.issue_cert("localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC)), made["expired"])
    install(ca.issue_cert("other.example"), made["wrong-host"])
    install(ca.issue_cert("localhost"), made["tls-1-0"])
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        made["tls-1-0"].minimum_version = made["tls-1-0"].maximum_version = ssl.TLSVersion.TLSv1
    made["tls-1-0"].set_ciphers("ALL:@SECLEVEL=0")
    stranger = trustme.CA()
    both = folder / "own.pem"
    both.write_bytes(stranger.cert_pem.bytes() + stranger.private_key_pem.bytes())
    made["self-signed"].load_cert_chain(both)
    return made


def install(leaf: trustme.LeafCert, context: ssl.SSLContext) -> None:
    """Have the server present that certificate."""
    leaf.configure_cert(context)  # pyright: ignore[reportUnknownMemberType] - it also takes what is not installed


class Sixth(JamfServer):
    """Listens on the sixth version of the Internet Protocol alone."""

    host = "::1"


def no_way(scene: Scene) -> Seen:
    """A name that does not exist, a proxy that is not there, a port that nobody listens at; and IPv6 alone."""
    short = {"deadline_minutes": 0.1}
    with JamfServer() as gone:
        shut = jamf_source(gone, "shut", **short)
    with Sixth() as sixth:
        nameless = jamf_source(sixth, "nameless", **short).replace(sixth.url, "https://mdm.invalid")
        proxied = jamf_source(sixth, "proxied", **short).replace(sixth.url, "https://mdm.example")
        scene.office.configure(nameless, proxied, shut, jamf_source(sixth, "sixth"))
        began = time.monotonic()
        ended = scene.office("run", "--as-of", NIGHT, NO_PROXY="127.0.0.1,localhost,::1,mdm.invalid")
        took = time.monotonic() - began
    assert took < 20
    assert outcomes(scene.office) == {
        **dict.fromkeys(("nameless", "proxied", "shut"), "failed"),
        "sixth": "complete",
    }
    assert len(serials(scene.office)) == 3
    return Seen(ended, ("three lines, one for each cause", "the source on IPv6 is complete"))


ROWS = (
    Fault(
        number=10,
        fault="TLS: expired, self-signed, for another host, TLS 1.0 only",
        outcome="an error that names host and cause, no way around verification, no retry",
        code=3,
        says=(
            "localhost cannot be trusted: its certificate has expired",
            "localhost cannot be trusted: its certificate is self-signed",
            "localhost cannot be trusted: its certificate is for another host name",
            "localhost speaks no TLS that we accept",
        ),
        drive=certificates,
    ),
    Fault(
        number=30,
        fault="no such name, a proxy that refuses, IPv6 alone",
        outcome="a clear error within the deadline, others go on",
        code=3,
        says=(
            "mdm.invalid is not known by that name: check url and DNS",
            "mdm.example cannot be reached: the proxy refuses",
            "127.0.0.1 refuses the connection",
        ),
        drive=no_way,
    ),
)
