"""Signing in to ManageEngine MDM: an API key on premises, a token of Zoho's accounts in the cloud.

Sources: ManageEngine MDM API, "Authentication", and Zoho accounts, "Refresh access token", read 2026-11-22.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator

from connectors import _rows, _wire
from connectors._auth import Auth, FetchedToken, FixedHeaders, Token
from connectors._connector import SourceSettings, Surroundings
from connectors._http import Answer, Api, open_api, origin_url
from fleet.errors import AuthRefused, Throttled
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from fleet.errors import SourceError

CLOUD_SCOPE = "MDMOnDemand.MDMInventory.READ"
SERVER_SCOPE = "MDMInventory.READ"
_TOO_MANY = "access denied"
_WORD = re.compile(r"[a-z_]{1,40}")


def _host_url(value: str) -> str:
    """The server's address with or without the path that stands before all endpoints."""
    return re.sub(r"/api/v1(?:/mdm)?$", "", origin_url(value))


class ManageEngineSettings(SourceSettings):
    """The keys of `kind = "manageengine"`: an API key of a server of one's own, or a Zoho client for the cloud.

    Attributes:
        token_url: of the data centre in which the account lives.
        detail: a request per iPhone and iPad, without which nothing is known of backups and storage.
    """

    url: Annotated[str, AfterValidator(_host_url)]
    api_key: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    token_url: Annotated[str, AfterValidator(origin_url)] | None = None
    detail: bool = True

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        client = [
            value is not None
            for value in (self.client_id, self.client_secret, self.refresh_token, self.token_url)
        ]
        by_key = self.api_key is not None and not any(client)
        by_client = self.api_key is None and all(client)
        if not by_key and not by_client:
            raise ValueError("give api_key alone, or client_id, client_secret, refresh_token and token_url")
        return self

    @property
    def scope(self) -> str:
        """The vendor's name of the right to read devices."""
        return CLOUD_SCOPE if self.api_key is None else SERVER_SCOPE


def credential(settings: ManageEngineSettings, around: Surroundings) -> Auth:
    """What every request carries: the bare API key, or a token that is kept for its hour."""
    if settings.api_key is not None:
        return FixedHeaders({"Authorization": settings.api_key.get_secret_value()})
    return FetchedToken(partial(_login, settings, around), around.now)


def _login(settings: ManageEngineSettings, around: Surroundings, _api: Api) -> Token:
    form = {
        "grant_type": "refresh_token",
        "client_id": settings.client_id or "",
        "client_secret": settings.client_secret.get_secret_value() if settings.client_secret else "",
        "refresh_token": settings.refresh_token.get_secret_value() if settings.refresh_token else "",
    }
    with open_api(settings, settings.token_url or "", around) as host:
        return host.exchange("", _token, form=form)


def _token(answer: Answer) -> Token:
    said = _rows.anything(answer.body)
    token, lifetime = _rows.field(said, "access_token"), _wire.number(_rows.field(said, "expires_in"))
    if isinstance(token, str) and token:
        # Zoho wants its own word before the token, although it calls its kind "Bearer".
        headers = {"Authorization": f"Zoho-oauthtoken {token}"}
        return Token(headers, None if isinstance(lifetime, Gap) else lifetime)
    error = _rows.field(said, "error")
    if isinstance(error, str) and error:
        raise _refusal(error.lower())
    raise ValueError("no token")


def _refusal(error: str) -> SourceError:
    """The error that Zoho's word is; it comes with status 200."""
    if error == _TOO_MANY:
        return Throttled("Zoho gives no more tokens for now, at most ten in ten minutes: run later")
    quoted = error if _WORD.fullmatch(error) else "an unknown error"
    return AuthRefused(
        f"Zoho gave no token ({quoted}): check client_id, client_secret and refresh_token, and that token_url is "
        "of the account's data centre"
    )
