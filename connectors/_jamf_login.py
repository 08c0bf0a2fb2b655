"""Signing in to Jamf Pro: as an API client, or as a user account of Jamf Pro itself.

Source: Jamf Pro API reference, "Client credentials" and "Authentication", read 2026-11-22.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, SecretStr, TypeAdapter, model_validator

from connectors import _rows, _wire
from connectors._auth import Token, basic, bearer, oauth_token
from connectors._connector import IncrementSettings
from connectors._http import Answer, Api, origin_url, server_time
from fleet.errors import NotFound
from fleet.model.fact import Gap

_ANYTHING = TypeAdapter[object](object)


class JamfProSettings(IncrementSettings):
    """The keys of `kind = "jamf_pro"`: an API client, or a user account of Jamf Pro itself.

    `profiles` says whether to read the configuration profiles, for backup_restricted and vpn_configured.
    """

    url: Annotated[str, AfterValidator(origin_url)]
    client_id: str | None = None
    client_secret: SecretStr | None = None
    username: str | None = None
    password: SecretStr | None = None
    profiles: bool = True

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        client = [self.client_id is not None, self.client_secret is not None]
        user = [self.username is not None, self.password is not None]
        if not (all(client) and not any(user)) and not (all(user) and not any(client)):
            raise ValueError("give client_id and client_secret, or username and password")
        return self


class Login:
    """Fetches tokens, and remembers which path this server has: older ones know only the unversioned."""

    def __init__(self, settings: JamfProSettings) -> None:
        self._settings = settings
        self._version = "/v1"

    def __call__(self, api: Api) -> Token:
        try:
            return self._ask(api)
        except NotFound:
            if not self._version:
                raise
        self._version = ""
        return self._ask(api)

    def _ask(self, api: Api) -> Token:
        settings = self._settings
        if settings.client_id is not None and settings.client_secret is not None:
            form = {
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret.get_secret_value(),
            }
            return api.exchange(f"/api{self._version}/oauth/token", oauth_token, form=form)
        password = settings.password.get_secret_value() if settings.password else ""
        proof = basic(settings.username or "", password).values
        return api.exchange(f"/api{self._version}/auth/token", _user_token, headers=proof)


def _user_token(answer: Answer) -> Token:
    said = _rows.anything(answer.body)
    expires, sent = _wire.instant(_rows.field(said, "expires")), server_time(answer)
    lifetime = None if isinstance(expires, Gap) or sent is None else (expires - sent).total_seconds()
    token = _rows.field(said, "token")
    if not isinstance(token, str) or not token:
        raise ValueError("no token")
    return bearer(token, lifetime)
