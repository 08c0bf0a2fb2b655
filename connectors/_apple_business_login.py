"""Signing in to the Apple Business API: an assertion signed with the API account's key, traded for a token.

Source: Apple Business API, "Implementing OAuth for the Apple Business API", third-party copies, read 2026-11-22.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, Field, SecretStr

from connectors._auth import Token, oauth_token
from connectors._connector import SourceSettings, Surroundings
from connectors._http import Api, open_api, origin_url
from connectors._jwt import signed
from fleet.errors import AuthRefused, SecretUnavailable

if TYPE_CHECKING:
    from datetime import datetime

CONSOLE = "Apple Business > Settings > API, as Organization Administrator"
# The audience has a /v2/ that the documented address of the token does not have.
_AUDIENCE = "https://account.apple.com/auth/oauth2/v2/token"
_CLOCKS_DIFFER = timedelta(minutes=10)
_LIFETIME = timedelta(days=1)


def _business(client_id: str) -> str:
    if client_id.startswith("SCHOOLAPI."):
        raise ValueError("is of Apple School Manager, whose API does not tell of managed devices")
    return client_id


class AppleBusinessSettings(SourceSettings):
    """The keys of `kind = "apple_business"`: an API account's id, its key's id, and the key itself (PEM).

    Attributes:
        detail: ask for each device's system, storage, check-in and lost mode, a request per device.
    """

    client_id: Annotated[str, Field(min_length=1), AfterValidator(_business)]
    key_id: Annotated[str, Field(min_length=1)]
    private_key: SecretStr
    url: Annotated[str, AfterValidator(origin_url)] = "https://api-business.apple.com"
    token_url: Annotated[str, AfterValidator(origin_url)] = "https://account.apple.com/auth/oauth2/token"  # noqa: S105 - an address
    detail: bool = True


class Login:
    """Fetches tokens from the login host, to which nothing of the API's is ever sent."""

    def __init__(self, settings: AppleBusinessSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around

    def __call__(self, _api: Api) -> Token:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(settings, self._around.collected_at),
            "scope": "business.api",
        }
        with open_api(settings, settings.token_url, self._around) as host:
            try:
                return host.exchange("", oauth_token, form=form)
            except AuthRefused as refusal:
                raise AuthRefused(
                    f"{refusal}; client_id, key_id and private_key are those of one API account ({CONSOLE}), "
                    "and this machine's clock must be right"
                ) from None


def _assertion(settings: AppleBusinessSettings, now: datetime) -> str:
    head = {"alg": "ES256", "kid": settings.key_id, "typ": "JWT"}
    claims = {
        "iss": settings.client_id,
        "sub": settings.client_id,
        "aud": _AUDIENCE,
        "iat": int((now - _CLOCKS_DIFFER).timestamp()),
        "exp": int((now + _LIFETIME).timestamp()),
        "jti": secrets.token_hex(16),
    }
    key = _key(settings)

    def sign(said: bytes) -> bytes:
        # A JWT wants r and s bare, 32 bytes each (RFC 7518, 3.4); the library wraps them in DER.
        r, s = decode_dss_signature(key.sign(said, ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return signed(head, claims, sign)


def _key(settings: AppleBusinessSettings) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(settings.private_key.get_secret_value().encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise SecretUnavailable(
        f"source {settings.name}: private_key is no EC P-256 key in PEM without a password: give the whole .pem "
        f"that Apple let you download once, or make a new key ({CONSOLE})"
    )
