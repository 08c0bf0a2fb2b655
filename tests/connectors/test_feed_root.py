"""Apple's own root: known by its print wherever it is found, and never done without."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from connectors._feed import Manners
from connectors._feed_cache import Cache
from connectors._feed_root import apple_context
from connectors._feeds import feeds_of
from fleet.errors import SourceError, Unreachable
from tests.servers.raw import listening

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
APPLE, STRANGER = trustme.CA(), trustme.CA()


def der(ca: trustme.CA) -> bytes:
    """A certificate as Apple's page offers it."""
    return ssl.PEM_cert_to_DER_cert(ca.cert_pem.bytes().decode())


FINGERPRINT = hashlib.sha256(der(APPLE)).hexdigest()


def nobody() -> bytes:
    """Apple's page cannot be reached."""
    raise Unreachable("www.apple.com is not known by that name")


def reaches(context: ssl.SSLContext, ca: trustme.CA) -> bool:
    """Whether a server with a certificate of `ca` is believed."""
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(served)  # pyright: ignore[reportUnknownMemberType]
    with listening(lambda _: None, served) as port, socket.create_connection(("127.0.0.1", port)) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost"):
                return True
        except ssl.SSLCertVerificationError:
            return False


@pytest.mark.parametrize(
    "content",
    [
        der(APPLE),
        APPLE.cert_pem.bytes(),
        b"# Apple Root CA, from its page\n\n" + APPLE.cert_pem.bytes() + b"\n",
    ],
    ids=["der", "pem", "pem with words"],
)
def test_the_file_of_the_settings(tmp_path: Path, content: bytes) -> None:
    """The admin's own copy counts, as text or as Apple offers it, and Apple is not asked for one."""
    file = tmp_path / "root"
    file.write_bytes(content)
    context = apple_context(file, Cache(tmp_path / "apple"), nobody, fingerprint=FINGERPRINT)
    assert reaches(context, APPLE)
    assert not reaches(context, STRANGER)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (STRANGER.cert_pem.bytes(), "is not Apple Root CA"),
        (der(STRANGER), "is not Apple Root CA"),
        (b"", "is not Apple Root CA"),
        (b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----", "cannot be read as a certificate"),
        (None, "cannot be read as a certificate"),
    ],
)
def test_another_certificate_is_not_taken_for_apples(tmp_path: Path, content: bytes | None, why: str) -> None:
    """A file with another root is refused by name; nothing else takes its place in silence."""
    file = tmp_path / "root"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SourceError, match=why):
        apple_context(file, Cache(tmp_path / "apple"), lambda: der(APPLE), fingerprint=FINGERPRINT)


def test_it_is_fetched_once_and_kept(tmp_path: Path) -> None:
    """Apple's page is asked where the root is nowhere else; from then on it is at hand."""
    cache, fetched = Cache(tmp_path / "apple"), [der(APPLE)]
    assert reaches(apple_context(None, cache, fetched.pop, fingerprint=FINGERPRINT), APPLE)
    assert reaches(apple_context(None, cache, nobody, fingerprint=FINGERPRINT), APPLE)


def test_the_store_of_this_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an organisation has put the root into the system's store, nothing is fetched."""
    APPLE.cert_pem.write_to_path(tmp_path / "store.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "store.pem"))
    context = apple_context(None, Cache(tmp_path / "apple"), nobody, fingerprint=FINGERPRINT)
    assert reaches(context, APPLE)


def test_a_kept_file_that_somebody_changed_is_fetched_anew(tmp_path: Path) -> None:
    """What lies in the folder counts by its print alone."""
    cache = Cache(tmp_path / "apple")
    cache.write("apple-root.cer", der(STRANGER))
    context = apple_context(None, cache, lambda: der(APPLE), fingerprint=FINGERPRINT)
    assert not reaches(context, STRANGER)
    assert cache.read("apple-root.cer") == der(APPLE)


def test_a_forged_download_is_refused(tmp_path: Path) -> None:
    """Whoever stands between us and Apple cannot hand us a root of his own."""
    cache = Cache(tmp_path / "apple")
    with pytest.raises(SourceError, match="another certificate; name the certificate"):
        apple_context(None, cache, lambda: der(STRANGER), fingerprint=FINGERPRINT)
    assert cache.read("apple-root.cer") is None


def test_without_it_the_host_is_not_asked(tmp_path: Path) -> None:
    """The sentence says why and what to do; verification is not an option to give up."""
    with pytest.raises(
        SourceError, match=r"not known by that name\); name the certificate .* in \[catalog\] apple_root"
    ):
        apple_context(None, Cache(tmp_path / "apple"), nobody, fingerprint=FINGERPRINT)


@dataclass(frozen=True)
class Settings:
    """`[catalog]` with a root that is not Apple's."""

    apple_root: Path | None
    gdmf_url: str
    feeds: tuple[str, ...] = ("sofa", "gdmf", "status")
    sofa_url: str = "https://sofafeed.macadmins.io/v2/ios_data_feed.json"
    status_url: str = "https://www.apple.com/support/systemstatus/data/system_status_en_US.js"
    verify: bool | Path = True


@pytest.mark.parametrize(
    ("gdmf_url", "pinned"),
    [("https://gdmf.apple.com/v2/pmv", True), ("https://mirror.example/v2/pmv", False)],
)
def test_the_root_counts_for_that_one_host(tmp_path: Path, gdmf_url: str, *, pinned: bool) -> None:
    """A mirror and the other feeds are believed by the usual certificates, Apple's list by Apple's root alone."""
    file = tmp_path / "root"
    file.write_bytes(der(STRANGER))
    manners = Manners(now=NOW, user_agent="fleetkeep/1", seconds=1, cache=Cache(tmp_path / "apple"))
    sofa, gdmf, status = feeds_of(Settings(file, gdmf_url), manners)
    assert sofa.trust().verify_mode is status.trust().verify_mode is ssl.CERT_REQUIRED
    if pinned:
        with pytest.raises(SourceError, match="is not Apple Root CA"):
            gdmf.trust()
    else:
        assert gdmf.trust().verify_mode is ssl.CERT_REQUIRED
