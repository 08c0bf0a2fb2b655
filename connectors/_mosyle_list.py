"""Mosyle's list of devices: the login, and one page at a time, in the dialect of the edition.

Sources: Mosyle Manager's API articles and public clients of Mosyle Business (read 2026-11-22).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, cast

from pydantic import AfterValidator, SecretStr

from connectors import _rows, _wire
from connectors._auth import FetchedToken, Token, bearer
from connectors._connector import SourceSettings
from connectors._http import Answer, Api, open_api, origin_url
from connectors._mosyle_record import COLUMNS
from fleet.errors import AuthRefused, BadAnswer
from fleet.model.fact import Gap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors._connector import Surroundings

CONSOLE = "My School (Manager) or Organization (Business) > Integrations > Mosyle API Integration"
READ_DEVICES = "Device: View"
USE_API = "API Integration: View, Create"
_LARGEST_PAGE = 1000
_DAY = 24 * 60 * 60.0
_PAUSES = (1, 2, 4, 8, 16)
_LONGEST_WORD = 40
_LONGEST_COUNT = 15


class MosyleSettings(SourceSettings):
    """The keys of `kind = "mosyle"`; without `url` it is the address of the edition."""

    edition: Literal["business", "manager"]
    access_token: SecretStr
    email: str
    password: SecretStr
    url: Annotated[str, AfterValidator(origin_url)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """What differs between the editions.

    Attributes:
        url: the address if the settings name none.
        path: of the list of devices.
        asks: what the body of its requests begins with.
        token_in_body: whether the access token travels there, or as a header.
    """

    url: str
    path: str
    asks: Mapping[str, object]
    token_in_body: bool


_DIALECTS = {
    "business": _Dialect(
        url="https://businessapi.mosyle.com/v1",
        path="/devices",
        asks={"operation": "list"},
        token_in_body=False,
    ),
    "manager": _Dialect(
        url="https://managerapi.mosyle.com/v2", path="/listdevices", asks={}, token_in_body=True
    ),
}


def open_mosyle(settings: MosyleSettings, around: Surroundings) -> Api:
    """The API of the settings' edition; close it."""
    url = settings.url or _DIALECTS[settings.edition].url
    token = FetchedToken(_Login(settings), around.now)
    return open_api(settings, url, around, token, connections=1)


class _Login:
    """Trades an administrator's e-mail and password for a day's token."""

    def __init__(self, settings: MosyleSettings) -> None:
        self._settings = settings

    def __call__(self, api: Api) -> Token:
        settings = self._settings
        key = {"accessToken": settings.access_token.get_secret_value()}
        proof = {"email": settings.email, "password": settings.password.get_secret_value()}
        in_body = _DIALECTS[settings.edition].token_in_body
        header, body = ({}, key | proof) if in_body else (key, proof)
        found = api.exchange("/login", _bearer, json=body, headers=header)
        return Token({**found.headers, **header}, found.lifetime_seconds)


def _bearer(answer: Answer) -> Token:
    # The token comes as a header and lives for a day; the Expires header is a constant of 1981.
    kind, _, token = answer.headers.get("authorization", "").strip().partition(" ")
    if kind.lower() == "bearer" and token:
        return bearer(token.strip(), _DAY)
    _rows.anything(answer.body)
    raise _not_admitted()


def _not_admitted() -> AuthRefused:
    return AuthRefused(
        "Mosyle does not admit this login: check access_token, email and password, and the addresses that the "
        f"token allows ({CONSOLE})"
    )


@dataclass(frozen=True, slots=True)
class Haul:
    """The rows of one page, and how many the whole list has, where that is said."""

    rows: list[object]
    total: int | None


class DeviceList:
    """Pages of the list of devices; remembers whether the edition knows all the columns."""

    def __init__(self, api: Api, settings: MosyleSettings, around: Surroundings) -> None:
        self.page_size = min(settings.page_size or 500, _LARGEST_PAGE)
        self._api = api
        self._around = around
        self._path = _DIALECTS[settings.edition].path
        self._asks = dict(_DIALECTS[settings.edition].asks)
        if _DIALECTS[settings.edition].token_in_body:
            self._asks["accessToken"] = settings.access_token.get_secret_value()
        self._columns: dict[str, object] = {"specific_columns": COLUMNS}

    def page(self, system: str, number: int) -> Haul:
        """Page `number`, counted from 1, of the devices of a `system`; without rows after the last."""
        said = self._asked(system, number)
        if said == "UNKNOWN_COLUMNS" and self._columns:
            # Then everything that this edition has.
            self._columns = {}
            said = self._asked(system, number)
        if isinstance(said, Haul):
            return said
        # An account that does not know visionOS has no Vision Pro.
        if said == "DEVICES_NOTFOUND" or (said == "INVALID_DATA" and system != "ios"):
            return Haul([], 0)
        if said == "UNAUTHORIZED":
            raise _not_admitted()
        raise BadAnswer(f"Mosyle does not list devices ({said}): check edition, url and the account's access")

    def _asked(self, system: str, number: int) -> Haul | str:
        options = {"os": system, "page": number, "page_size": self.page_size, **self._columns}
        body = {**self._asks, "options": options}
        for pause in _PAUSES:
            said = self._api.post(self._path, _answered, json=body, permission=READ_DEVICES)
            if said is not None:
                return said
            # Now and then Mosyle answers with nothing, as a public client found (read 2026-11-22).
            self._around.sleep(pause)
        raise BadAnswer("Mosyle keeps answering with an empty page: lower page_size or run later")


def _answered(answer: Answer) -> Haul | str | None:
    """The devices, else the word for why there are none (errors have status 200), None for an empty answer."""
    body = answer.body.strip(b'" \r\n')
    if not body or body.lower() == b"unauthorized":
        return "UNAUTHORIZED" if body else None
    said = _rows.anything(body)
    inner = _inner(_rows.field(said, "response"))
    devices = _rows.field(inner, "devices")
    if devices is None:
        return _word(_rows.field(inner, "status"), _rows.field(said, "error"), _rows.field(said, "status"))
    return Haul(_rows.rows(devices), _total(_rows.field(inner, "rows")))


def _inner(response: object) -> object:
    # Business wraps in a list what Manager sends as it is.
    if not isinstance(response, list):
        return response
    return next(iter(cast("list[object]", response)), None)


def _word(*said: object) -> str:
    words = (_wire.text(value) for value in said)
    word = next((word for word in words if not isinstance(word, Gap)), "no_status")
    plain = word.isascii() and word.replace("_", "").isalpha() and len(word) <= _LONGEST_WORD
    return word.upper() if plain else "an unknown status"


def _total(value: object) -> int | None:
    text = value if isinstance(value, str) else ""
    counts = text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT
    return int(text) if counts else _rows.total(value)
