"""What SimpleMDM's custom configuration profiles do to a device's backup, by the groups that they are assigned to.

Built-in profiles and those assigned to a single device cannot be read, so a profile can be found and never be ruled
out. Sources: SimpleMDM API reference, "Custom Configuration Profiles"; Apple device management schema (both read
2026-11-22).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from connectors._profile import Bearers, Profile, read_profile
from connectors._simplemdm_lists import CONSOLE, Group, groups_of, identity, listed
from fleet.errors import BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.fact import UNREADABLE, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from connectors._http import Answer, Api

READ_PROFILES = "Custom Configuration Profiles: read"
_PATH = "/custom_configuration_profiles"


Profiles: TypeAlias = Bearers[Group]
"""What the groups are subject to."""


def read_profiles(api: Api) -> tuple[Profiles, tuple[Trouble, ...]]:
    """Every custom profile that is assigned to a group, at the cost of a request each."""
    found, unread = Bearers[Group](), 0
    try:
        for rows in listed(api, _PATH, permission=READ_PROFILES):
            unread += sum(not _added(found, api, row) for row in rows)
    except (PermissionMissing, NotFound, ServerTrouble, BadAnswer):
        why = (
            "Custom profiles could not be read, so backup_restricted and vpn_configured may be absent: "
            f'grant "{READ_PROFILES}" ({CONSOLE}) or set profiles = false'
        )
        return found, (Trouble("profiles_unread", why),)
    if not unread:
        return found, ()
    why = "SimpleMDM gave custom profiles that cannot be read, so what they forbid is not known"
    return found, (Trouble("profiles_unreadable", why, unread),)


def _added(found: Profiles, api: Api, row: object) -> bool:
    """Take note of one profile; False if it could not be read."""
    native_id, groups = identity(row), groups_of(row)
    if native_id is None or groups is UNREADABLE:
        return False
    if isinstance(groups, Gap) or not groups:
        return True
    try:
        profile = _downloaded(api, native_id)
    except (NotFound, ServerTrouble, BadAnswer):
        return False
    if profile is None:
        return False
    found.note(profile, groups)
    return True


def _downloaded(api: Api, native_id: str) -> Profile | None:
    def decode(answer: Answer) -> Profile | None:
        return read_profile(answer.body)

    path = f"{_PATH}/{quote(native_id, safe='')}/download"
    return api.get(path, decode, permission=READ_PROFILES, headers={"Accept": "*/*"})
