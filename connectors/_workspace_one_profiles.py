"""On which devices a profile of Workspace ONE keeps from iCloud Backup, or sets up a VPN on demand.

Source: UEM API explorer, MDM API V2 (profile search, profile) and V1 (devices of a profile), read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from connectors import _rows, _wire
from connectors._effect import Effect, Effects
from connectors._pages import by_number
from connectors._profile import Profile, read_pasted
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.fact import ABSENT, UNREADABLE, Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors._http import Answer, Api
    from fleet.model.device import DeviceRecord

CONSOLE = "Accounts > Administrators > Roles > your role > API > REST"
READ_PROFILES = "REST API Profiles Read"
SEARCH = "/API/mdm/profiles/search"
VERSION_2 = {"Accept": "application/json;version=2"}
_PAYLOADS = ("Restriction", "Vpn", "CustomSetting")
_PAGE = 500


def judged(record: DeviceRecord, profiles: Effects) -> DeviceRecord:
    """The record with both signals; a device without a UUID is in no profile's list, and nothing is proven of it."""
    if "-" not in record.native_id:
        return replace(record, backup_restricted=ABSENT, vpn_configured=ABSENT)
    return profiles.judged(record)


def read_profiles(api: Api, *, whole: bool) -> Effects:
    """Every profile that matters and where it is installed; what cannot be read leaves its effects unproven.

    Args:
        api: where they are.
        whole: the account sees every profile that could be on its devices.
    """
    profiles = Effects(Effect(whole), Effect(whole))
    try:
        for profile_id, uuid in _active(api).items():
            _read_profile(api, profile_id, uuid, profiles)
    except (PermissionMissing, NotFound, ServerTrouble, BadAnswer) as error:
        why = "Not every profile could be read, so backup_restricted and vpn_configured are absent where none is proven"
        profiles.not_whole(Trouble("profiles_unread", f"{why}: {error}"))
    return profiles


def _active(api: Api) -> dict[str, str]:
    """UUIDs of the active profiles with a payload that matters, by their id."""
    found: dict[str, str] = {}
    for payload in _PAYLOADS:
        query = [("platform", "Apple"), ("payloadName", payload), ("status", "Active")]
        for row in _listed(api, SEARCH, "ProfileList", query, VERSION_2):
            profile_id, uuid = (
                _rows.total(_rows.field(row, "ProfileId")),
                _wire.text(_rows.field(row, "ProfileUuid")),
            )
            if profile_id is None or isinstance(uuid, Gap):
                raise BadAnswer("Workspace ONE lists a profile without its ids; report it to the vendor")
            found[str(profile_id)] = uuid
    return found


def _read_profile(api: Api, profile_id: str, uuid: str, profiles: Effects) -> None:
    path = f"/API/mdm/profiles/{profile_id}"
    said = api.get(
        path, lambda answer: _rows.anything(answer.body), headers=VERSION_2, permission=READ_PROFILES
    )
    effects = ((profiles.backup, _forbids_backup(said)), (profiles.vpn, _dials_itself(said)))
    for effect, has in effects:
        if isinstance(has, Gap):
            effect.whole = False
    in_force = [effect for effect, has in effects if has is True]
    if in_force:
        path = f"/API/mdm/profiles/{quote(uuid, safe='')}/devices"
        for row in _listed(api, path, "profileAssignedDevices", [("profilestatus", "INSTALLED")], {}):
            device = _wire.text(_rows.field(row, "uuid"))
            for effect in in_force:
                effect.proven.update(() if isinstance(device, Gap) else (device.lower(),))
                effect.whole &= not isinstance(device, Gap)


def _forbids_backup(profile: object) -> Fact[bool]:
    pasted = _pasted(profile)
    custom = pasted if isinstance(pasted, Gap) else any(one.forbids_backup for one in pasted)
    if custom is not False or not _rows.has(profile, "Restrictions"):
        return custom
    restrictions = _rows.field(profile, "Restrictions")
    if restrictions is None:
        return False
    allowed = _wire.flag(_rows.field(restrictions, "AllowBackup"))
    return allowed if isinstance(allowed, Gap) else not allowed


def _dials_itself(profile: object) -> Fact[bool]:
    pasted, vpns = _pasted(profile), _payloads(profile, "VpnList")
    custom = pasted if isinstance(pasted, Gap) else any(one.makes_vpn for one in pasted)
    if custom is True or vpns is None:
        return True if custom is True else UNREADABLE
    return custom if not any(_rows.field(vpn, "EnableVPNOnDemand") is True for vpn in vpns) else True


def _pasted(profile: object) -> list[Profile] | Gap:
    """What the payloads do that were pasted as XML; unreadable where one of them is."""
    payloads = _payloads(profile, "CustomSettingsList")
    texts = [None] if payloads is None else [_rows.field(payload, "CustomSettings") for payload in payloads]
    read = [read_pasted(text) if isinstance(text, str) else None for text in texts]
    known = [one for one in read if one is not None]
    return known if len(known) == len(read) else UNREADABLE


def _payloads(profile: object, key: str) -> list[object] | None:
    value = _rows.field(profile, key)
    try:
        return _rows.rows([] if value is None else value)
    except ValueError:
        return None


def _listed(
    api: Api, path: str, key: str, query: list[tuple[str, str]], headers: dict[str, str]
) -> Iterator[object]:
    """The rows of every page, up to the stated total or an empty page; no rows at all are a 204 without body."""

    def fetch(number: int) -> tuple[list[object], int | None]:
        params = [*query, ("page", number), ("pagesize", _PAGE)]
        return api.get(path, partial(_page, key), params=params, headers=headers, permission=READ_PROFILES)

    seen = 0
    for rows, total in by_number(fetch, lambda page: len(page[0])):
        yield from rows
        seen += len(rows)
        if total is not None and seen >= total:
            return


def _page(key: str, answer: Answer) -> tuple[list[object], int | None]:
    if not answer.body:
        return [], 0
    said = _rows.anything(answer.body)
    return _rows.rows(_rows.field(said, key)), _rows.total(_rows.field(said, "TotalResults"))
