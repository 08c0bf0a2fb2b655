"""The details of Fleet's hosts: a request for each one of which they can tell something that matters.

The list leaves out whatever an iPhone or iPad says of its backups; that is told since 4.91, by `/hosts/{id}` alone
(Fleet's REST API reference and its source, read 2026-11-22).
"""

from __future__ import annotations

import re
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, SecretStr

from connectors import _pages, _rows
from connectors._connector import SourceSettings
from connectors._fleet_host import DETAIL, Host, identity, read_host
from connectors._http import Answer, Api, origin_url
from connectors._probe import anything
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble, SourceError
from fleet.model.device import DeviceRecord, Enrollment, Platform, Rejected
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

API = "/api/v1/fleet"
OBSERVER = "Observer"
CONNECTIONS = 5
SIDE_FAULTS = (PermissionMissing, NotFound, ServerTrouble, BadAnswer)
"""What a request for something that we can do without may meet."""

_TELLS_BACKUPS_SINCE = (4, 91)
_BROKEN = 500


class FleetSettings(SourceSettings):
    """The keys of `kind = "fleet"`; `detail = false` leaves out the request per iPhone and iPad."""

    url: Annotated[str, AfterValidator(origin_url)]
    api_token: SecretStr
    detail: bool = True


class Details:
    """Reads hosts, with their details where these are asked for; what went wrong is told by `troubles`."""

    def __init__(self, api: Api, settings: FleetSettings) -> None:
        self._api = api
        self._reported = settings.detail
        self._ahead = settings.max_concurrency or CONNECTIONS
        self._told: list[Trouble] = []
        self._unread = 0
        self._asks = settings.detail and self._new_enough()

    def _new_enough(self) -> bool:
        version = _version(self._api)
        if version is None or version >= _TELLS_BACKUPS_SINCE:
            return True
        since = ".".join(map(str, _TELLS_BACKUPS_SINCE))
        why = f"This Fleet does not tell about iCloud Backup: update the server to {since} or newer"
        self._told.append(Trouble("version_too_old", why))
        return False

    def laid_over(self, hosts: Mapping[str, object]) -> list[DeviceRecord | Rejected]:
        """The record of each host by its id; raises `SourceError` where the server does not go on."""
        records = {key: self._read(key, host) for key, host in hosts.items()}
        wanted = [key for key, record in records.items() if self._asks and _worth_asking(record)]
        with closing(_pages.fetched_ahead(self._one, wanted, self._ahead)) as answers:
            for key, answer in zip(wanted, answers, strict=True):
                if isinstance(answer, SourceError):
                    self._note(answer)
                else:
                    records[key] = self._read(key, {**(_rows.mapping(hosts[key]) or {}), **answer})
        return list(records.values())

    def _read(self, key: str, host: object) -> DeviceRecord | Rejected:
        return read_host(host, f"host {key}", detail=self._reported)

    def _one(self, key: str) -> Mapping[str, object] | SourceError:
        try:
            return one_host(self._api, key)
        except SIDE_FAULTS as error:
            if isinstance(error, ServerTrouble) and error.status != _BROKEN:
                # Not one host is in trouble but the server.
                raise
            return error

    def _note(self, fault: SourceError) -> None:
        if not isinstance(fault, PermissionMissing):
            self._unread += 1
        elif self._asks:
            # It would be refused for every other host too.
            self._asks = False
            self._told.append(Trouble(fault.code, f"Backups and all other details are absent: {fault}"))

    def troubles(self) -> Iterator[Trouble]:
        """What the report should say of details that did not come."""
        yield from self._told
        if self._unread:
            why = "Details of some hosts could not be read, so their backups are absent: see Fleet's log"
            yield Trouble("details_unread", why, self._unread)


def _worth_asking(record: DeviceRecord | Rejected) -> bool:
    """True for a phone or tablet under management, unless Apple hides its backup from every MDM."""
    if isinstance(record, Rejected) or record.platform not in {Platform.IOS, Platform.IPADOS}:
        return False
    return record.managed is not False and record.enrollment is not Enrollment.USER


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
