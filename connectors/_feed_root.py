"""By which certificates the servers of public feeds are believed.

Apple's software lookup is signed by Apple's own root, which no public bundle holds. That root is known here by its
SHA-256 print, so it does not matter where its certificate is found: in the settings, among what was kept, in this
system's store, or at Apple's page of roots. It counts for that one host. Verification is never off: without the root
the host is not asked.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from typing import TYPE_CHECKING

import httpx

from fleet.errors import SourceError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors._feed_cache import Cache

HOST = "gdmf.apple.com"
# Apple Root CA, valid 2006-04-25 to 2035-02-09 (www.apple.com/certificateauthority, print computed 2026-11-22).
PRINT = "b0b1730ecbc7ff4505142c49f1295e6eda6bcaed7e2c68c5be91b5a11001f024"
ROOT_URL = "https://www.apple.com/appleca/AppleIncRootCertificate.cer"
_KEPT = "apple-root.cer"


def public_context(bundle: Path | None) -> ssl.SSLContext:
    """The usual certificates, or those of the CA bundle alone; raises `SourceError` where that is none."""
    if bundle is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=bundle)
    except OSError:
        raise Unreachable(f"[catalog] verify: {bundle} is no readable CA bundle (PEM)") from None


def apple_context(
    file: Path | None,
    cache: Cache,
    download: Callable[[], bytes],
    *,
    fingerprint: str = PRINT,
) -> ssl.SSLContext:
    """A context that believes what Apple's root has signed, and nothing else.

    Args:
        file: the certificate, where the settings name one.
        cache: where it is kept from then on.
        download: gets it from Apple; asked only where it is nowhere else.
        fingerprint: the SHA-256 by which it is known.

    Raises:
        SourceError: it was found nowhere, or the file holds another certificate.
    """
    if file is not None:
        root = _in_file(file, fingerprint)
    elif found := next((one for one in _at_hand(cache) if _is_it(one, fingerprint)), None):
        root = found
    else:
        root = _from_apple(download, fingerprint)
        cache.write(_KEPT, root)
    # Not the default context: Python 3.13 makes that one strict, and the root is older than what it asks for.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=root)
    return context


def _at_hand(cache: Cache) -> Iterator[bytes]:
    kept = cache.read(_KEPT)
    if kept is not None:
        yield kept
    yield from ssl.create_default_context().get_ca_certs(binary_form=True)


def _in_file(file: Path, fingerprint: str) -> bytes:
    try:
        content = file.read_bytes()
        root = _der(content)
    except (OSError, ValueError):
        raise Unreachable(
            f"[catalog] apple_root: {file} cannot be read as a certificate (PEM or DER)"
        ) from None
    if not _is_it(root, fingerprint):
        raise Unreachable(
            f"[catalog] apple_root: {file} is not Apple Root CA, whose SHA-256 is {fingerprint}"
        )
    return root


def _der(content: bytes) -> bytes:
    """The certificate's own bytes; text may say before and after a PEM block what it is."""
    block = _PEM.search(content)
    return ssl.PEM_cert_to_DER_cert(block[0].decode("ascii")) if block else content


_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def _from_apple(download: Callable[[], bytes], fingerprint: str) -> bytes:
    advice = f"name the certificate (Apple PKI page, Apple Inc. Root) in [catalog] apple_root to ask {HOST}"
    try:
        root = download()
    except SourceError as error:
        raise Unreachable(
            f"Apple Root CA is not at hand and cannot be fetched ({error}); {advice}"
        ) from error
    if not _is_it(root, fingerprint):
        raise Unreachable(f"what came as Apple Root CA is another certificate; {advice}")
    return root


def _is_it(certificate: bytes, fingerprint: str) -> bool:
    return hashlib.sha256(certificate).hexdigest() == fingerprint
