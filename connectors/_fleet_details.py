"""The details of Fleet's hosts: a request for each one of which they can tell something that matters.

The list leaves out whatever an iPhone or iPad says of its backups; that is told since 4.91, by `/hosts/{id}` alone
(Fleet's REST API reference and its source, read 2026-11-22).
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors import _rows
from connectors._connector import SourceSettings
from connectors._fleet_host import DETAIL, Host, identity
from connectors._http import Answer, Api, origin_url
from connectors._probe import anything
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

API = "/api/v1/fleet"
OBSERVER = "Observer"
CONNECTIONS = 5
SIDE_FAULTS = (PermissionMissing, NotFound, ServerTrouble, BadAnswer)
"""What a request for something that we can do without may meet."""

_TELLS_BACKUPS_SINCE = (4, 91)


class FleetSettings(SourceSettings):
    """The keys of `kind = "fleet"`; `detail = false` leaves out the request per iPhone and iPad."""

    url: Annotated[str, AfterValidator(origin_url)]
    api_token: SecretStr
    detail: bool = True


def too_old(api: Api) -> Trouble | None:
    """Why there is no use in asking this server for details; None where they may tell of backups."""
    version = _version(api)
    if version is None or version >= _TELLS_BACKUPS_SINCE:
        return None
    since = ".".join(map(str, _TELLS_BACKUPS_SINCE))
    why = (
        f"This Fleet does not tell about iCloud Backup: update the server to {since} or newer; until then its devices "
        "count as unknown, and the system, storage and silence are judged"
    )
    return Trouble("version_too_old", why)


def _version(api: Api) -> tuple[int, int] | None:
    """The server's release; None where it will not say, or was built from source."""
    try:
        said = _rows.field(api.get(f"{API}/version", anything), "version")
    except SIDE_FAULTS:
        return None
    numbers = re.match(r"([1-9]\d{0,3})\.(\d{1,4})", said) if isinstance(said, str) else None
    return (int(numbers[1]), int(numbers[2])) if numbers else None


def one_host(api: Api, key: str) -> Mapping[str, object]:
    """The details of the host with that id; raises `SourceError` where they cannot be had."""
    params = [("exclude_software", "true")]
    host = api.get(f"{API}/hosts/{key}", partial(_detail, key), params=params, permission=OBSERVER)
    return _rows.mapping(host) or {}


def _detail(key: str, answer: Answer) -> Host:
    host = _rows.decode(DETAIL, answer.body)["host"]
    if identity(host) != key:
        raise ValueError("another host")
    return host
