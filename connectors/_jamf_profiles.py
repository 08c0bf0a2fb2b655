"""What Jamf Pro's configuration profiles do to a device's backup, by those that are installed on it.

The Classic API gives the payloads of each profile, section PROFILES of the device list names what is installed. What
comes from elsewhere (declarations, profiles installed by hand, VPN apps) cannot be looked into, so a restriction or a
VPN can be found and never be ruled out. Sources: Jamf Pro Classic API and public clients of it, Apple device management
schema, all read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from connectors import _rows, _wire
from connectors._profile import Bearers, Profile, read_profile
from fleet.errors import AuthRefused, BadAnswer, NotFound, PermissionMissing, ServerTrouble
from fleet.model.device import DeviceRecord, Enrollment
from fleet.model.fact import ABSENT, NOT_PERMITTED, UNREADABLE, Fact, Gap
from fleet.model.run import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from connectors._http import Answer, Api

READ_PROFILES = "Read iOS Configuration Profiles"
BY_PROFILES = frozenset({"backup_restricted", "vpn_configured"})
_LIST = "/JSSResource/mobiledeviceconfigurationprofiles"
# Pictures and certificates make a profile large; a text beyond this is none that an administrator wrote.
_LONGEST_PLIST = 10_000_000
_BROKEN = 500
_T = TypeVar("_T")


@dataclass(slots=True)
class Profiles:
    """The UUIDs, in lower case, of profiles that forbid iCloud Backup, and of those that make a VPN start itself."""

    found: Bearers[str] = field(default_factory=Bearers[str])

    @property
    def sought(self) -> bool:
        """True if it is worth asking which of them a device has."""
        return bool(self.found.forbidding or self.found.tunnelling)

    def judged(self, record: DeviceRecord, row: object) -> DeviceRecord:
        """`record` with what the profiles do that its row of the device list names; else nothing is proven."""
        if record.enrollment is Enrollment.USER:
            # Apple allows neither that restriction nor a VPN for all apps there.
            return replace(record, backup_restricted=NOT_PERMITTED, vpn_configured=NOT_PERMITTED)
        installed = _installed(_rows.field(row, "profiles"))
        if isinstance(installed, Gap):
            return replace(record, backup_restricted=installed, vpn_configured=installed)
        return replace(
            record,
            backup_restricted=self.found.backup_restricted(installed),
            vpn_configured=self.found.vpn_configured(installed),
        )


def _installed(profiles: object) -> Fact[frozenset[str]]:
    if profiles is None:
        return ABSENT
    try:
        listed = _rows.rows(profiles)
    except ValueError:
        return UNREADABLE
    said = (_wire.text(_rows.field(row, key)) for row in listed for key in ("uuid", "identifier"))
    return frozenset(name.lower() for name in said if not isinstance(name, Gap))


def read_profiles(api: Api) -> tuple[Profiles, tuple[Trouble, ...]]:
    """Every profile for mobile devices, at the cost of one request for their list and of one each.

    Raises `SourceError` where the server cannot be reached at all.
    """
    profiles, unread = Profiles(), 0
    try:
        for profile_id in list_profiles(api):
            unread += not _noted(profiles, api, profile_id)
    except (PermissionMissing, NotFound, ServerTrouble, BadAnswer):
        why = (
            "Configuration profiles could not be read, so backup_restricted and vpn_configured may be absent: "
            f'grant "{READ_PROFILES}" (Settings > System > API roles and clients) or set profiles = false'
        )
        return profiles, (Trouble("profiles_unread", why),)
    if not unread:
        return profiles, ()
    why = "Jamf Pro gave configuration profiles that cannot be read, so what they forbid is not known"
    return profiles, (Trouble("profiles_unreadable", why, unread),)


def list_profiles(api: Api) -> list[int | None]:
    """The id of every profile, None where there is none to rely on; raises `SourceError`."""
    return _asked(api, _LIST, _ids)


def _ids(answer: Answer) -> list[int | None]:
    listed = _rows.rows(_rows.field(_rows.anything(answer.body), "configuration_profiles"))
    return [_rows.total(_rows.field(row, "id")) for row in listed]


def _noted(profiles: Profiles, api: Api, profile_id: int | None) -> bool:
    """Take note of one profile; False if it could not be read."""
    if profile_id is None:
        return False
    try:
        general = _asked(api, f"{_LIST}/id/{profile_id}", _general)
    except NotFound:
        return True  # deleted since it was listed
    except BadAnswer:
        return False
    except ServerTrouble as error:
        if error.status != _BROKEN:
            raise
        return False
    profile, uuid = _profile(_rows.field(general, "payloads")), _wire.text(_rows.field(general, "uuid"))
    if profile is None or isinstance(uuid, Gap):
        return False
    profiles.found.note(profile, (uuid.lower(),))
    return True


def _general(answer: Answer) -> object:
    profile = _rows.mapping(_rows.field(_rows.anything(answer.body), "configuration_profile"))
    if profile is None:
        raise ValueError("no profile")
    return profile.get("general")


def _profile(payloads: object) -> Profile | None:
    if not isinstance(payloads, str) or len(payloads) > _LONGEST_PLIST:
        return None
    return read_profile(payloads.encode(errors="replace"))


def _asked(api: Api, path: str, decode: Callable[[Answer], _T]) -> _T:
    try:
        return api.get(path, decode, permission=READ_PROFILES)
    except AuthRefused as refused:
        # The Classic API answers 401 where the credential is good and lacks a privilege.
        raise PermissionMissing(
            f'Jamf Pro does not let this credential read profiles (401): grant "{READ_PROFILES}" to it'
        ) from refused
