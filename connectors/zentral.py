"""Zentral: the enrolled devices from one list, and what they answered from its log of commands.

Paths, paging and actions: Zentral's documentation of PBAC and MDM, and its source (zentralopensource/zentral), read
2026-11-22. It limits no rates.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

from connectors import _rows
from connectors._auth import FixedHeaders
from connectors._connector import Connector, Page, Permission, Surroundings
from connectors._http import Api, open_api
from connectors._probe import anything, signed_in, tried
from connectors._zentral_answers import Answers, ZentralSettings, connections, page_size, unasked
from connectors._zentral_device import FIELDS, PAGE
from connectors._zentral_log import VIEW_COMMANDS, walked

if TYPE_CHECKING:
    from collections.abc import Iterator

VIEW_DEVICES = 'MDM::Action::"viewEnrolledDevice"'
_CONSOLE = (
    "Policies, in the menu of platform settings: a policy that permits it to a role of the service account"
)
_DEVICES = "/api/mdm/devices/"


def walk(settings: ZentralSettings, around: Surroundings) -> Iterator[Page]:
    """Every enrolled device with its newest answers; raises `SourceError` where it cannot go on."""
    with _open(settings, around) as api:
        answers = Answers(api, settings, around)
        places = itertools.count(1)
        # Oldest first, so that a device that enrols meanwhile moves no row.
        params = {"ordering": "created_at", "limit": page_size(settings)}
        for page in walked(api, _DEVICES, params, PAGE, VIEW_DEVICES):
            rows = [(f"row {place}", row) for row, place in zip(page["results"], places, strict=False)]
            yield Page(rows=answers.laid_over(rows), expected=_rows.total(page.get("count")))
        yield Page(troubles=tuple(answers.troubles()))
        answers.missing.raise_outage()


def probe(settings: ZentralSettings, around: Surroundings) -> Iterator[tuple[str, str | None]]:
    """Login and each action, with the error or None; without a login nothing else is tried."""
    with _open(settings, around) as api:
        login = signed_in(partial(_ask, api, _DEVICES, VIEW_DEVICES))
        yield login
        if login[1] is None:
            yield tried(VIEW_DEVICES, partial(_ask, api, _DEVICES, VIEW_DEVICES))
            if settings.detail or settings.profiles:
                yield tried(VIEW_COMMANDS, partial(_ask, api, f"{_DEVICES}commands/", VIEW_COMMANDS))


def _ask(api: Api, path: str, action: str) -> object:
    return api.get(path, anything, params=[("limit", 1)], permission=action)


def _open(settings: ZentralSettings, around: Surroundings) -> Api:
    token = FixedHeaders({"Authorization": f"Token {settings.api_token.get_secret_value()}"})
    return open_api(settings, settings.url, around, token, connections=connections(settings))


def _reported(settings: ZentralSettings) -> frozenset[str]:
    return _PROVIDES - unasked(settings)


_EXAMPLE = """\
url = "https://zentral.example.com"
# In Zentral, make a service account with a role and an API token, and (Policies, in the menu of platform settings) a
# policy that permits the role MDM::Action::"viewEnrolledDevice" and MDM::Action::"viewDeviceCommand".
api_token = { env = "ZENTRAL_API_TOKEN" }
# detail = true           # the log of commands: without it nothing about backups and storage is known
# profiles = true         # answers to Apple's Restrictions, where you send it as a custom command
# page_size = 500         # at most 500
"""

_PROVIDES = frozenset(FIELDS) | {"backup_restricted", "ownership"}

CONNECTOR = Connector(
    kind="zentral",
    title="Zentral",
    settings=ZentralSettings,
    provides=_PROVIDES,
    fields=FIELDS,
    provides_of=_reported,
    permissions=(
        Permission(VIEW_DEVICES, "everything", _CONSOLE),
        Permission(
            VIEW_COMMANDS, "backups, storage and all else that devices answer", _CONSOLE, optional=True
        ),
    ),
    walk=walk,
    probe=probe,
    example=_EXAMPLE,
    confirmed="Zentral's documentation and source, with a replica of how it writes answers, read 2026-11-22; "
    "no server of our own",
    remarks={
        "serial": "hidden under User Enrolment, where an enrolment id may stand instead",
        "udid": "hidden under User Enrolment, where an enrolment id stands instead",
        "managed": "false once it checked out or was blocked",
        "ownership": "User Enrolment and automated enrolment only; any other says nothing of it",
        "enrolled_at": "when Zentral first met the device; a new enrolment may not move it",
        "backup_enabled": "as in the newest answer, by default a day old; hidden under User Enrolment",
        "last_cloud_backup_at": "no date is absent, not never; hidden under User Enrolment",
        "capacity_bytes": "GiB as old systems send them are told from GB by whole blocks",
        "backup_restricted": "only where you send Apple's Restrictions as a custom command, from answers of the last 7 "
        "days; one request at least, none with profiles = false",
        "vpn_configured": "profiles are not listed with what they configure",
        "pending_os_version": "Zentral enforces updates but lists none that wait",
        "groups": "tags can be asked for but are not in the answer",
    },
)
