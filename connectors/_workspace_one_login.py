"""Signing in to Workspace ONE UEM: as an OAuth client, or as a Basic administrator with the tenant's API key.

Sources: "Using UEM functionality with REST API" and the token URLs of each region, read 2026-11-22.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator

from connectors._auth import Auth, FetchedToken, FixedHeaders, Token, basic, oauth_token
from connectors._connector import SourceSettings, Surroundings
from connectors._http import Api, open_api, origin_url


def _host_url(value: str) -> str:
    # The address of the API is often written with the path that stands before all of its endpoints.
    return re.sub(r"(?i)/api$", "", origin_url(value))


class WorkspaceOneSettings(SourceSettings):
    """The keys of `kind = "workspace_one"`: an OAuth client, or a Basic administrator with the API key.

    Attributes:
        api_key: the tenant code; OAuth does without.
        token_url: of the region in which the tenant lives.
        profiles: read restrictions and VPN.
    """

    url: Annotated[str, AfterValidator(_host_url)]
    api_key: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    token_url: Annotated[str, AfterValidator(origin_url)] | None = None
    username: str | None = None
    password: SecretStr | None = None
    profiles: bool = True

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        client = [value is not None for value in (self.client_id, self.client_secret, self.token_url)]
        user = [value is not None for value in (self.username, self.password)]
        by_client = all(client) and not any(user)
        by_user = all(user) and not any(client) and self.api_key is not None
        if not by_client and not by_user:
            raise ValueError("give client_id, client_secret and token_url, or username, password and api_key")
        return self


def credential(settings: WorkspaceOneSettings, around: Surroundings) -> Auth:
    """What every request carries: a token of the region's login host, or name and password with the tenant code."""
    code = {"aw-tenant-code": settings.api_key.get_secret_value()} if settings.api_key else {}
    if settings.token_url is not None:
        return FetchedToken(partial(_login, settings, around, code), around.now)
    password = settings.password.get_secret_value() if settings.password else ""
    return FixedHeaders({**basic(settings.username or "", password).values, **code})


def _login(settings: WorkspaceOneSettings, around: Surroundings, code: dict[str, str], _api: Api) -> Token:
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id or "",
        "client_secret": settings.client_secret.get_secret_value() if settings.client_secret else "",
    }
    with open_api(settings, settings.token_url or "", around) as host:
        token = host.exchange("", oauth_token, form=form)
    return Token({**token.headers, **code}, token.lifetime_seconds)
