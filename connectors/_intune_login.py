"""Signing in to Microsoft Graph as an application: by its secret, or by a certificate of its own.

Sources: Microsoft identity platform, "OAuth 2.0 client credentials flow", read 2026-11-22, and "Application
authentication certificate credentials", read 2026-11-23.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors._auth import Token, oauth_token
from connectors._connector import IncrementSettings, Surroundings
from connectors._http import Api, open_api, origin_url, server_time
from connectors._jwt import base64url, signed
from fleet.errors import SecretUnavailable

if TYPE_CHECKING:
    from datetime import datetime

_ASSERTION_SECONDS = 300


class IntuneSettings(IncrementSettings):
    """The keys of `kind = "intune"`: an app registration with a secret, or with a certificate.

    Attributes:
        certificate: a PEM file that holds both the RSA private key and its certificate.
        url: the Graph host of the tenant's cloud.
        login_url: the login host of the same cloud.
        detail: read what Graph's beta alone tells: lost mode, and per device UDID, model identifier, battery and
            whether it is a Shared iPad.
        profiles: read configuration policies.
    """

    tenant_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$", max_length=255)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: SecretStr | None = None
    certificate: Path | None = None
    url: Annotated[str, AfterValidator(origin_url)] = "https://graph.microsoft.com"
    login_url: Annotated[str, AfterValidator(origin_url)] = "https://login.microsoftonline.com"
    detail: bool = True
    profiles: bool = True

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.client_secret is None) is (self.certificate is None):
            raise ValueError("give client_secret or certificate, one of them")
        return self


class Login:
    """Fetches tokens from the login host, to which nothing of Graph's is ever sent."""

    def __init__(self, settings: IntuneSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around

    def __call__(self, _graph: Api) -> Token:
        settings = self._settings
        path = f"/{settings.tenant_id}/oauth2/v2.0/token"
        with open_api(settings, settings.login_url, self._around) as host:
            form = {
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "scope": f"{settings.url}/.default",
                **self._proof(host, settings.login_url + path),
            }
            return host.exchange(path, oauth_token, form=form)

    def _proof(self, host: Api, audience: str) -> dict[str, str]:
        settings = self._settings
        if settings.client_secret is not None:
            return {"client_secret": settings.client_secret.get_secret_value()}
        # By the login host's clock: ours may be wrong, and a past night may be collected again.
        about = f"/{settings.tenant_id}/v2.0/.well-known/openid-configuration"
        now = host.get(about, server_time) or self._around.collected_at
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(settings, audience, now),
        }


def _assertion(settings: IntuneSettings, audience: str, now: datetime) -> str:
    key, certificate = _key_pair(settings)
    thumbprint = base64url(certificate.fingerprint(SHA256()))
    issued = int(now.timestamp())
    claims = {
        "aud": audience,
        "iss": settings.client_id,
        "sub": settings.client_id,
        "jti": secrets.token_hex(16),
        "iat": issued,
        "nbf": issued,
        "exp": issued + _ASSERTION_SECONDS,
    }
    head = {"alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint}
    return signed(head, claims, lambda said: key.sign(said, PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH), SHA256()))


def _key_pair(settings: IntuneSettings) -> tuple[RSAPrivateKey, x509.Certificate]:
    try:
        pem = (settings.certificate or Path()).read_bytes()
        key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    except (OSError, ValueError, TypeError):
        key = certificate = None
    if certificate is None or not isinstance(key, RSAPrivateKey):
        raise SecretUnavailable(
            f"source {settings.name}: certificate names no readable PEM file with an RSA private key without "
            "a password and its certificate"
        )
    return key, certificate
